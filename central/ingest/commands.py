"""``onecode-central ledger``: prove the boxes' accounts, show what is parked, try it again."""

import argparse
from typing import Any

import msgspec

from central.ingest.proof import BoxReport
from shared.clock import SystemClock, from_microseconds
from shared.exits import Exit
from shared.findings import describe_findings
from shared.ids import BoxId, parse_box_id
from shared.ledger import Finding
from shared.progress import Progress
from shared.reasons import Reason


def add_commands(subparsers: Any) -> None:
    """Add ``ledger verify``, ``parked`` and ``replay``."""
    ledger = subparsers.add_parser("ledger", help="what central holds of the boxes' records")
    leaves = ledger.add_subparsers(required=True, metavar="ACT")
    verify = _leaf(leaves, "verify", "prove each account; name gaps, forks and wrong rows", _verify)
    parked = _leaf(leaves, "parked", "rows in custody that could not be interpreted", _parked)
    replay = _leaf(leaves, "replay", "try the parked rows again", _replay)
    replay.add_argument(
        "--poisonous", action="store_true", help="also those that ended the server's process"
    )
    replay.add_argument(
        "--set-aside", action="store_true", help="also those of a ledger that contradicts itself"
    )
    for leaf in (verify, parked, replay):
        leaf.add_argument("--box", metavar="SITE/BOX", help="one box; otherwise all")
        leaf.add_argument("--json", action="store_true", help="for machines")


def _leaf(leaves: Any, name: str, help: str, run: Any) -> argparse.ArgumentParser:
    leaf: argparse.ArgumentParser = leaves.add_parser(name, help=help)
    leaf.set_defaults(run=run)
    return leaf


def _box(arguments: argparse.Namespace) -> BoxId | None:
    return None if arguments.box is None else parse_box_id(arguments.box)


def _verify(arguments: argparse.Namespace) -> int:
    from central.app import open_central

    with open_central(arguments.dir) as central:
        progress = Progress("rows", every=10_000)
        reports = central.ledger.verify(_box(arguments), progress.add)
        progress.end()
    if arguments.json:
        print(_json([_report_fields(report) for report in reports]))
    else:
        for report in reports:
            print("\n".join(_report_lines(report)))
    return Exit.HELD if all(report.holds for report in reports) else Exit.CHECK_FAILED


def _parked(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import Row, print_table

    with open_central(arguments.dir) as central:
        parked = central.ledger.list_parked(_box(arguments))
    columns = {
        "box": "box",
        "epoch": "epoch",
        "seq": "seq",
        "id": "record",
        "reason": "reason",
        "words_zh": "原因",
        "words_en": "why",
        "parked_at": "since",
    }
    rows: list[Row] = [
        {
            "box": str(each.box),
            "epoch": each.epoch,
            "seq": each.row.seq,
            "id": each.row.id.hex(),
            "reason": each.reason,
            "words_zh": Reason(each.reason).words.zh,
            "words_en": Reason(each.reason).words.en,
            "parked_at": from_microseconds(each.parked_at).isoformat(),
        }
        for each in parked
    ]
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD


def _replay(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central

    with open_central(arguments.dir) as central:
        at = SystemClock().now()
        done = central.ledger.replay(
            at,
            _box(arguments),
            poisonous=arguments.poisonous,
            set_aside=arguments.set_aside,
        )
        with central.unit():
            central.parked.note(done, at, command_actor(), arguments.box or "")
    if arguments.json:
        fields = {"interpreted": done.interpreted, "still_parked": done.still_parked}
        print(_json(fields))
    else:
        print(f"interpreted {done.interpreted}, still parked {done.still_parked}")
    return Exit.CHECK_FAILED if done.still_parked else Exit.HELD


def _report_lines(report: BoxReport) -> list[str]:
    lines = [f"box {report.box}"]
    lines += describe_findings(report.findings, report.wrong)
    lines += [f"! {gap.reason} {_place(gap)} {gap.detail or 'open'}" for gap in report.gaps]
    lines += [f"! {Reason.ROWS_LOST} {_place(lost)} lost" for lost in report.lost]
    if report.parked:
        lines.append(f"! parked {report.parked}: onecode-central ledger parked")
    return [*lines, str(report.account)]


def _report_fields(report: BoxReport) -> dict[str, object]:
    return {
        "box": report.box,
        "holds": report.holds,
        "account": report.account,
        "parked": report.parked,
        "gaps": report.gaps,
        "lost": report.lost,
        "findings": report.findings,
        "wrong": report.wrong,
    }


def _place(finding: Finding) -> str:
    return f"{finding.epoch}/{finding.first}–{finding.last}"


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
