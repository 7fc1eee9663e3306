"""``onecode-central audit verify``: walk the chain."""

import argparse
from typing import Any

from shared.exits import Exit


def add_commands(subparsers: Any) -> None:
    """Add ``audit``."""
    audit = subparsers.add_parser("audit", help="what was done").add_subparsers(required=True)
    verify = audit.add_parser("verify", help="prove that no row was changed or taken away")
    verify.add_argument("--json", action="store_true", help="for machines")
    verify.set_defaults(run=_verify)


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
        print(f"sealed {state.sealed}, waiting {state.unsealed} ✓")
    return Exit.CHECK_FAILED if findings else Exit.HELD
