"""``onecode-agent``: runs a box, and looks into one. Argument parsing and exit codes only."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from agent import commands
from agent.config import BoxFiles
from shared.errors import OneCodeError
from shared.exits import Exit, describe, exit_of

DIRECTORY_VARIABLE = "ONECODE_BOX_DIR"


def build_parser() -> argparse.ArgumentParser:
    """The command line; each leaf sets ``run`` to a function of ``agent.commands``."""
    parser = argparse.ArgumentParser(prog="onecode-agent", description=__doc__)
    parser.add_argument(
        "--dir",
        type=Path,
        default=Path(os.environ.get(DIRECTORY_VARIABLE, "onecode-box")),
        help=f"the box's directory (default: ${DIRECTORY_VARIABLE} or ./onecode-box)",
    )
    leaves = parser.add_subparsers(dest="command", required=True)

    run = leaves.add_parser("run", help="run the box until stopped")
    run.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING"))
    run.set_defaults(run=commands.run)
    _add_machine(run)

    enrol = leaves.add_parser("enrol", help="join by an invite that central gave")
    enrol.add_argument("code", help="the invite's text; - reads it from standard input")
    enrol.add_argument("--again", action="store_true", help="give a box that has joined a new name")
    _add_export(enrol)
    enrol.set_defaults(run=commands.enrol)
    _add_machine(enrol)

    leave = leaves.add_parser("reset", help="make this machine one that has not joined")
    _add_export(leave)
    leave.set_defaults(run=commands.reset)

    renew = leaves.add_parser("renew", help="renew the box's certificate now")
    renew.set_defaults(run=commands.renew)

    check = leaves.add_parser("check", help="what is well with this box, what is not, and the cure")
    check.set_defaults(run=commands.check)

    queue = leaves.add_parser("queue", help="what the queue holds, by state and lane")
    queue.set_defaults(run=commands.queue)
    _add_courier(queue.add_subparsers())

    ledger = leaves.add_parser("ledger", help="the box's ledger").add_subparsers(required=True)
    verify = ledger.add_parser("verify", help="prove the account from the box's own file")
    verify.set_defaults(run=commands.verify_ledger)

    scan = leaves.add_parser("scan", help="judge the code read from standard input")
    scan.set_defaults(run=commands.scan)

    issue = leaves.add_parser(
        "issue",
        help="register a resident and print a label; a JSON object on standard input:"
        " document_type, number, name, and if known sex and phone",
    )
    issue.set_defaults(run=commands.issue)
    labels = leaves.add_parser("labels", help="today's labels and what became of them")
    labels.set_defaults(run=commands.labels)
    answering = labels.add_subparsers().add_parser("answer", help="whether a label came out")
    answering.add_argument("number", help="the four digits that the label shows")
    answering.add_argument("out", choices=("yes", "no"), help="whether it is out")
    answering.set_defaults(run=commands.answer_label)
    page = leaves.add_parser("page", help="a link that opens the counter page, good for a minute")
    page.set_defaults(run=commands.page)
    pair = leaves.add_parser("pair", help="open a pairing window for a workstation, two minutes")
    pair.set_defaults(run=commands.pair)
    paired = leaves.add_parser("workstations", help="who is paired with this box")
    paired.add_argument("--remove", default="", metavar="ID", help="end a pairing at once")
    paired.set_defaults(run=commands.workstations)
    _add_technicians(leaves)
    for leaf in (check, queue, verify, scan, issue, labels, answering, page, pair, paired):
        leaf.add_argument("--json", action="store_true", help="for machines")
    return parser


def _add_courier(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Records carried by hand."""
    export = acts.add_parser("export", help="write what waits for central into a sealed file")
    export.add_argument("file", type=Path)
    export.set_defaults(run=commands.export_queue)
    unsent = acts.add_parser("unsent", help="fail while central lacks a record of this box")
    _add_export(unsent)
    unsent.set_defaults(run=commands.check_unsent)
    receipt = acts.add_parser("import-receipt", help="settle rows by the file that central wrote")
    receipt.add_argument("file", type=Path)
    receipt.set_defaults(run=commands.import_receipt)


def _add_export(leaf: argparse.ArgumentParser) -> None:
    """Unsent records keep a box from leaving, or are taken along."""
    leaf.add_argument(
        "--export", type=Path, metavar="FILE", help="write unsent records there first"
    )


def _add_technicians(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What a technician does with a scanner or a printer at hand."""
    test = leaves.add_parser("scan-test", help="show live what a scanner sends, and the cure")
    test.add_argument("--seconds", type=float, default=60.0, help="how long to listen")
    test.add_argument("--count", type=int, default=0, help="end after so many scans")
    test.add_argument("--show", action="store_true", help="whole codes, which are personal")
    test.set_defaults(run=commands.scan_test)
    scanner = leaves.add_parser("scanner", help="a Newland scanner's set-up, over its serial port")
    acts = scanner.add_subparsers(required=True)
    show = acts.add_parser("show", help="what it is set to")
    show.set_defaults(run=commands.show_scanner)
    change = acts.add_parser("set", help="set one thing")
    change.add_argument("setting", choices=("interface", "terminator", "beep", "volume", "layout"))
    change.add_argument(
        "value",
        help="keyboard, hid-pos, serial; none, cr, lf, crlf, tab; on, off; 1 to 20; us;"
        " or a number of the scanner's manual",
    )
    change.add_argument("--temporary", action="store_true", help="until the power goes")
    change.set_defaults(run=commands.set_scanner)
    printing = leaves.add_parser("print-test", help="print two labels, and what came out")
    printing.add_argument("--printer", default="", type=_device, help="usb:VENDOR:PRODUCT, auto")
    printing.add_argument("--label", default="", choices=("50x30", "51x25", "25x279"))
    printing.add_argument(
        "--answer", default="", choices=("whole", "shifted", "cut", "faint", "nothing")
    )
    printing.set_defaults(run=commands.print_test)
    for leaf in (test, show, change):
        leaf.add_argument("--scanner", default="", type=_device, help="serial:PATH, hid:PATH, auto")
    for leaf in (test, show, printing):
        leaf.add_argument("--json", action="store_true", help="for machines")


def _device(text: str) -> str:
    if text != "auto" and not all(text.partition(":")):
        raise argparse.ArgumentTypeError("a device is kind:path or auto")
    return text


def _add_machine(leaf: argparse.ArgumentParser) -> None:
    """What a box that has not joined shall not find out by itself."""
    leaf.add_argument("--serial", default="", help="the machine's serial number, if not its own")
    leaf.add_argument("--api-port", type=int, default=8700, help="the box's local API")
    leaf.add_argument("--scanner", default="", help="serial:PATH, hid:PATH or none")
    leaf.add_argument("--printer", default="", help="usb:VENDOR:PRODUCT, simulated:DIR or none")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is one of ``shared.exits.Exit``."""
    arguments = build_parser().parse_args(argv)
    try:
        code: Exit = arguments.run(BoxFiles(arguments.dir), arguments)
    except OneCodeError as error:
        return _give_up([error])
    except ExceptionGroup as group:
        ours, bugs = group.split(OneCodeError)
        if ours is None or bugs is not None:
            raise
        return _give_up(list(_single_errors(ours)))
    return code


def _give_up(errors: list[OneCodeError]) -> Exit:
    """Say each error in words; UNAVAILABLE only where trying again may help with all of them."""
    for error in errors:
        print(describe(error), file=sys.stderr)
    return min(map(exit_of, errors))


def _single_errors(group: BaseExceptionGroup[OneCodeError]) -> Iterator[OneCodeError]:
    """What the box's task groups, one in another, were ended by."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _single_errors(error)
        else:
            yield error


if __name__ == "__main__":
    sys.exit(main())
