"""``onecode-central cases``: list, show, assign and decide."""

import argparse
from typing import Any

from shared.clock import SystemClock
from shared.exits import Exit


def add_commands(subparsers: Any) -> None:
    """Add ``cases``."""
    cases = subparsers.add_parser("cases", help="conflicts that a person must decide")
    acts = cases.add_subparsers(required=True, metavar="ACT")
    listing = acts.add_parser(
        "list", help="what waits, what is due first before all; fails while something is overdue"
    )
    listing.add_argument("--all", action="store_true", help="also what is decided, newest first")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(run=_list)
    show = acts.add_parser("show", help="both sides' evidence, and the choices")
    show.add_argument("number", type=int)
    show.add_argument("--json", action="store_true", help="for machines")
    show.set_defaults(run=_show)
    assign = acts.add_parser("assign", help="give a case to somebody")
    assign.add_argument("number", type=int)
    assign.add_argument("--to", required=True, metavar="NAME")
    assign.set_defaults(run=_assign)
    decide = acts.add_parser("decide", help="end a case; the boxes concerned are told")
    decide.add_argument("number", type=int)
    decide.add_argument("--outcome", required=True, help="one of those that show lists")
    decide.add_argument("--note", required=True, help="why; kept sealed with the case")
    decide.set_defaults(run=_decide)


def _list(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.cases.case import count_overdue
    from central.tables import Row, print_table

    at = SystemClock().now()
    with open_central(arguments.dir) as central:
        waiting = central.cases.list_undecided()
        found = central.cases.list_all(None, None, 1000) if arguments.all else waiting
    overdue = count_overdue(waiting, at)
    columns = {
        "number": "case",
        "kind": "what",
        "boxes": "boxes",
        "state": "state",
        "owner": "owner",
        "due_at": "due",
        "overdue": "overdue",
        "outcome": "outcome",
    }
    rows: list[Row] = [
        {
            "number": case.number,
            "kind": str(case.kind),
            "boxes": " ".join(map(str, case.boxes)),
            "state": str(case.state),
            "owner": case.owner,
            "due_at": case.due_at.isoformat(timespec="minutes"),
            "overdue": case.is_overdue(at) if arguments.json else _mark(case.is_overdue(at)),
            "outcome": case.outcome,
        }
        for case in found
    ]
    print_table(columns, rows, as_json=arguments.json)
    if overdue and not arguments.json:
        whose = ", ".join(f"{owner or 'nobody'} {count}" for owner, count in overdue)
        print(f"✗ {sum(count for _, count in overdue)} overdue: {whose}")
    return Exit.CHECK_FAILED if overdue else Exit.HELD


def _mark(overdue: bool) -> str:
    return "✗" if overdue else ""


def _show(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import Row, print_record, print_table

    with open_central(arguments.dir) as central:
        case = central.cases.read(arguments.number)
        evidence = central.cases.list_evidence(case)
        told = central.cases.list_deliveries(case)
    rows: list[Row] = [
        {
            "at": said.at.isoformat(timespec="seconds"),
            "box": "central" if said.box is None else str(said.box),
            "counter": said.counter,
            "what": said.en,
            "record": None if said.record is None else str(said.record),
        }
        for said in evidence
    ]
    head: Row = {
        "case": case.number,
        "kind": str(case.kind),
        "state": str(case.state),
        "owner": case.owner,
        "due": case.due_at.isoformat(timespec="minutes"),
        "outcome": case.outcome,
        "decided_by": case.decided_by,
        "note": case.note,
        "told": sum(each.acknowledged_at is not None for each in told),
        "to_tell": len(told),
    }
    if arguments.json:
        head = {**head, "choices": " ".join(each.outcome for each in case.facts.choices)}
        print_record(head, as_json=True)
        return Exit.HELD
    print_record({**head, "what": case.facts.en, "question": case.facts.question_en}, as_json=False)
    columns = {"at": "when", "box": "box", "counter": "counter", "what": "what", "record": "record"}
    print_table(columns, rows, as_json=False)
    for choice in case.facts.choices:
        print(f"--outcome {choice.outcome}: {choice.en}. {choice.consequence_en}")
    return Exit.HELD


def _assign(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central

    with open_central(arguments.dir) as central, central.unit():
        at = SystemClock().now()
        case = central.cases.assign(arguments.number, arguments.to, at, command_actor())
    print(f"✓ case {case.number} is {case.owner}'s")
    return Exit.HELD


def _decide(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.cases.kinds import Outcome
    from shared.errors import Malformed
    from shared.reasons import Reason

    try:
        outcome = Outcome(arguments.outcome)
    except ValueError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, "outcome: see cases show") from error
    with open_central(arguments.dir) as central, central.unit():
        at = SystemClock().now()
        decided = central.cases.decide(
            arguments.number, outcome, arguments.note, at, command_actor()
        )
    print(f"✓ case {decided.case.number}: {outcome}; {len(decided.case.boxes)} boxes are told")
    if decided.shown_once:
        print(decided.shown_once)
    return Exit.HELD
