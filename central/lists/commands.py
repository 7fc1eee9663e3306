"""``onecode-central lists status``: how far each list is that boxes are told, and what is due."""

import argparse
from typing import Any

from shared.exits import Exit


def add_commands(subparsers: Any) -> None:
    """Add ``lists status``."""
    lists = subparsers.add_parser("lists", help="what boxes are told for when they are alone")
    leaves = lists.add_subparsers(required=True)
    status = leaves.add_parser("status", help="how far each list is, and what is due")
    status.add_argument("--json", action="store_true", help="for machines")
    status.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import Row, print_table
    from shared.clock import from_microseconds

    with open_central(arguments.dir) as central:
        heads, (cards, persons) = central.lists.list_heads(), central.lists.count_due()
    due = {"revoked": cards, "persons": persons}
    columns = {
        "what": "list",
        "site": "site",
        "revision": "revision",
        "count": "entries",
        "as_of": "as of",
        "due": "due",
        "digest": "digest",
    }
    rows: list[Row] = [
        {
            "what": head.what,
            "site": head.site,
            "revision": head.revision,
            "count": head.count,
            "as_of": from_microseconds(head.at).isoformat(timespec="seconds"),
            "due": due.get(head.what, 0),
            "digest": head.digest.hex()[:16],
        }
        for head in heads
    ]
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD
