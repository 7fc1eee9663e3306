"""What ``onecode-agent`` does, a function a command. Each returns the exit code."""

import argparse
import asyncio
import sys
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from agent.config import BoxFiles, read_box_config
from agent.counter.states import ScanState
from agent.counter.views import Advice, IssueView, LabelView, ScanView
from shared.clock import SystemClock
from shared.errors import Malformed, Refused, Unavailable
from shared.exits import Exit
from shared.messages import Identity
from shared.reasons import Reason
from shared.systemd import set_up_logging

if TYPE_CHECKING:
    from shared.crypto import VerifyKey


def run(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Run the box until SIGTERM or SIGINT; one that has not joined waits for its invite first."""
    set_up_logging(arguments.log_level, "onecode-agent")
    asyncio.run(_join_and_run(files, arguments))
    return Exit.HELD


async def _join_and_run(files: BoxFiles, arguments: argparse.Namespace) -> None:
    from agent.app import run_box
    from agent.enrolment.at_rest import seal_secrets

    if files.enrolment.exists() or not files.config.exists():
        from agent.enrolment.found import find_machine
        from agent.enrolment.installing import finish_install

        machine = find_machine(arguments.scanner, arguments.printer, arguments.api_port)
        finish_install(files, machine)
    if not files.config.exists():
        from agent.enrolment.machine import read_machine_serial
        from agent.enrolment.waiting import wait_to_join

        if not await wait_to_join(files, machine, arguments.serial or read_machine_serial()):
            return
    seal_secrets(files)
    await run_box(read_box_config(files), files)


def enrol(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Join by an invite."""
    from agent.enrolment.commands import enrol as join

    return join(files, arguments)


def reset(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Make this machine one that has not joined."""
    from agent.enrolment.commands import reset_box

    return reset_box(files, arguments)


def check_unsent(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Fail while central lacks a record."""
    from agent.enrolment.commands import check_unsent as check

    return check(files, arguments)


def renew(files: BoxFiles, _arguments: argparse.Namespace) -> Exit:
    """Renew the certificate now."""
    from agent.enrolment.commands import renew_by_hand

    return renew_by_hand(files)


def check(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Look at everything a technician would, whether the agent runs or not."""
    from agent.checks.report import check_box, describe_findings, exit_of_findings

    findings = asyncio.run(check_box(files, SystemClock()))
    print(_json(findings) if arguments.json else describe_findings(findings))
    return exit_of_findings(findings)


def queue(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Show what the queue holds, and how old the oldest record is that central lacks."""
    from agent.offline_queue.commands import queue_summary

    summary = queue_summary(files.queue, SystemClock().now())
    counts = [
        {"state": count.state.name.lower(), "lane": count.lane.name.lower(), "rows": count.rows}
        for count in summary.counts
    ]
    age = summary.oldest_pending_age
    seconds = None if age is None else round(age.total_seconds(), 1)
    if arguments.json:
        facts = {"box": summary.box, "epoch": summary.epoch, "counts": counts}
        print(_json({**facts, "oldest_pending_seconds": seconds}))
        return Exit.HELD
    print(f"{summary.box}  epoch {summary.epoch}")
    for count in counts:
        print(f"  {count['state']:<10} {count['lane']:<10} {count['rows']:>8}")
    print(f"  oldest pending: {'none' if seconds is None else f'{seconds} s'}")
    return Exit.HELD


def export_queue(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Write what waits for central into a sealed file."""
    from agent.courier.commands import export

    return export(files, arguments)


def import_receipt(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Settle rows by a file that central wrote."""
    from agent.api.client import LocalApi
    from agent.api.views import SettledView
    from agent.courier.commands import import_receipt as settle

    def give(sealed: bytes) -> int:
        body = {"sealed": b64encode(sealed).decode()}
        return LocalApi(files).post("queue/receipts", body, SettledView).settled

    return settle(files, arguments, give)


def verify_ledger(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Prove the account from the box's own file, whether the agent runs or not."""
    from agent.offline_queue.ledger_report import verify_queue
    from shared.findings import describe_findings

    report = verify_queue(files.queue, _announcements(files), _Counting())
    if arguments.json:
        account, findings = report.account, report.findings
        facts = {"account": account, "findings": findings, "lost": report.lost}
        print(_json({**facts, "wrong": report.wrong, "holds": report.holds}))
    else:
        for lost in report.lost:
            print(f"! {Reason.ROWS_LOST} {lost.epoch}/{lost.first}–{lost.last} lost")
        for line in describe_findings(report.findings, report.wrong):
            print(line)
        print(report.account)
    return Exit.HELD if report.holds else Exit.CHECK_FAILED


class _Counting:
    """Says on a terminal how many rows have passed, on one line."""

    def __init__(self) -> None:
        self._rows = 0

    def __call__(self, rows: int) -> None:
        self._rows += rows
        if sys.stderr.isatty():
            print(f"\r{self._rows:,}", end="", file=sys.stderr, flush=True)


def _announcements(files: BoxFiles) -> "VerifyKey | None":
    """The key that proves central's countersignatures, where the box's files have it; a dead
    box's disk may hold the queue alone."""
    from shared.crypto import STD

    try:
        public = read_box_config(files).announcements
    except (Unavailable, Refused):
        return None
    return STD.verify_key(bytes.fromhex(public)) if public else None


def scan(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Have the running box judge the code on standard input. A refusal is an answer too."""
    from agent.api.client import LocalApi

    view = LocalApi(files).post("scan", {"text": _read_text()}, ScanView)
    print(_json(view) if arguments.json else _scan_in_words(view))
    return Exit.UNAVAILABLE if view.state is ScanState.UNSAVED else Exit.HELD


def issue(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Have the running box register the resident on standard input and print a label."""
    from agent.api.client import LocalApi

    view = LocalApi(files).post_bytes("issue", sys.stdin.buffer.read(), IssueView)
    print(_json(view) if arguments.json else _issue_in_words(view))
    return Exit.HELD if view.identity else Exit.CHECK_FAILED


def labels(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Show today's labels, the latest first."""
    from agent.api.client import LocalApi

    views = LocalApi(files).fetch("labels", list[LabelView])
    print(_json(views) if arguments.json else "\n".join(map(_label_in_words, views)))
    return Exit.HELD


def answer_label(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Say for somebody who has looked at the printer whether a label came out."""
    from agent.api.client import LocalApi

    api = LocalApi(files)
    views = api.fetch("labels", list[LabelView])
    of_number = [view for view in views if view.number == arguments.number]
    # Two of a day may share a number: the one that is asked about is meant, else the latest.
    asked = [view for view in of_number if view.needs_answer] or of_number
    if not asked:
        raise Refused(Reason.NOT_FOUND, f"label {arguments.number}")
    answer = {"out": arguments.out == "yes"}
    view = api.post(f"labels/{asked[0].id}/answer", answer, LabelView)
    print(_json(view) if arguments.json else _label_in_words(view))
    return Exit.HELD


def page(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Print a link to the counter page, good once and for a minute."""
    from agent.api.client import LocalApi
    from agent.api.views import TicketView

    view = LocalApi(files).post("tickets", {}, TicketView)
    print(_json(view) if arguments.json else view.url)
    return Exit.HELD


def pair(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Open a pairing window for a workstation; print what is typed and compared there."""
    from agent.api.client import LocalApi
    from agent.api.views import PairingView

    view = LocalApi(files).post("pairing", {}, PairingView)
    if arguments.json:
        print(_json(view))
        return Exit.HELD
    print(f"配对码 / code        {view.code}  ({view.expires_in_seconds} s)")
    print(f"地址 / address       {view.address}")
    print(f"指纹 / fingerprint   {view.fingerprint}")
    return Exit.HELD


def workstations(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """List who is paired, or remove one."""
    from agent.api.client import LocalApi
    from agent.api.views import WorkstationView

    api = LocalApi(files)
    if arguments.remove:
        path = f"workstations/{quote(arguments.remove, safe='')}"
        paired = api.remove(path, list[WorkstationView])
    else:
        paired = api.fetch("workstations", list[WorkstationView])
    if arguments.json:
        print(_json(paired))
    for each in () if arguments.json else paired:
        print(f"{each.id}  {each.paired_at[:19]}  {each.name}")
    return Exit.HELD


def scan_test(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Show live what a scanner sends, and the cure for what is wrong with it."""
    from agent.technician.scan_test import run_scan_test

    return run_scan_test(files, arguments)


def print_test(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Print a calibration and a sample label, and say what to do about what came out."""
    from agent.technician.print_test import run_print_test

    return run_print_test(files, arguments)


def show_scanner(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Show what a Newland scanner is set to."""
    from agent.technician.scanner_set_up import show_set_up

    return show_set_up(files, arguments)


def set_scanner(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Set one thing of a Newland scanner."""
    from agent.technician.scanner_set_up import change_set_up

    return change_set_up(files, arguments)


def _read_text() -> str:
    """One code from standard input, without its end of line. Raises Malformed."""
    try:
        return sys.stdin.buffer.read().strip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        raise Malformed(Reason.CODE_NOT_TEXT) from error


def _scan_in_words(view: ScanView) -> str:
    lines = [f"{view.verdict or view.state}{' (again)' if view.again else ''}"]
    return "\n".join(lines + _identity_in_words(view.identity) + _advice_in_words(view.advice))


def _issue_in_words(view: IssueView) -> str:
    lines = [view.outcome.value, *_identity_in_words(view.identity)]
    if view.label:
        lines += [f"  label {view.label.number} {view.label.state}"]
        lines += _advice_in_words(view.label.advice)
    return "\n".join(lines + _advice_in_words(view.advice))


def _label_in_words(view: LabelView) -> str:
    line = f"{view.number}  {view.state:<10} {view.at[:19]}  {view.name}  {view.record_number}"
    copy = f"  copy {view.copy}" if view.copy > 1 else ""
    return "\n".join([line + copy, *_advice_in_words(view.advice)])


def _identity_in_words(identity: Identity | None) -> list[str]:
    if identity is None:
        return []
    numbers = ", ".join(f"{number.type} {number.number}" for number in identity.record_numbers)
    return [f"  {identity.name}  {identity.document}  {identity.patient_id}  {numbers}"]


def _advice_in_words(advice: Advice | None) -> list[str]:
    if advice is None:
        return []
    return [
        f"  {advice.reason}",
        f"  {advice.zh}。{advice.next_zh}。",
        f"  {advice.en}. {advice.next_en}.",
    ]


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
