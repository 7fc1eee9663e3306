"""``onecode-central audit``: read what was done, and prove that nothing of it is missing."""

import argparse
from typing import Any

from shared.exits import Exit


def add_commands(subparsers: Any) -> None:
    """Add ``audit``."""
    audit = subparsers.add_parser("audit", help="what was done").add_subparsers(required=True)
    verify = audit.add_parser("verify", help="prove that no row was changed or taken away")
    verify.add_argument("--json", action="store_true", help="for machines")
    verify.set_defaults(run=_verify)
    listing = audit.add_parser("list", help="what was done, the newest first")
    listing.add_argument("--act", help="this act; may end in *: user.*")
    listing.add_argument("--subject", help="done to this")
    listing.add_argument("--actor", help="done by this")
    listing.add_argument("--limit", type=int, default=50, help="so many rows at most")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(run=_list)


def _verify(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import Row, print_table

    with open_central(arguments.dir) as central:
        findings = list(central.audit.verify())
        state = central.audit.read_state()
    if arguments.json or findings:
        columns = {"seq": "row", "detail": "what is wrong"}
        rows: list[Row] = [{"seq": finding.seq, "detail": finding.detail} for finding in findings]
        print_table(columns, rows, as_json=arguments.json)
    else:
        aside = f", kept aside {state.waiting}" if state.waiting else ""
        print(f"sealed {state.sealed}, waiting {state.unsealed}{aside} ✓")
    return Exit.CHECK_FAILED if findings else Exit.HELD


def _list(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.audit.service import AuditFilter
    from central.tables import Row, print_table

    wanted = AuditFilter(arguments.act, arguments.subject, arguments.actor)
    with open_central(arguments.dir) as central:
        entries = central.audit.list(wanted, limit=max(1, arguments.limit))
    columns = ("seq", "at", "act", "subject", "actor", "facts", "sealed")
    rows: list[Row] = [
        {
            "seq": entry.seq,
            "at": entry.at.isoformat(timespec="seconds"),
            "act": entry.act,
            "subject": entry.subject,
            "actor": entry.actor,
            "facts": " ".join(f"{key}={value}" for key, value in entry.facts.items()),
            "sealed": entry.sealed,
        }
        for entry in entries
    ]
    print_table({key: key for key in columns}, rows, as_json=arguments.json)
    return Exit.HELD
