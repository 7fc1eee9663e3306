"""``onecode-central box revoke`` and ``certificates``."""

import argparse
from typing import Any

from shared.clock import SystemClock
from shared.exits import Exit


def add_revocation_commands(box: Any) -> None:
    """Add them below ``box``."""
    revoke = box.add_parser("revoke", help="shut a box out with all its certificates")
    revoke.add_argument("id", metavar="SITE/BOX")
    revoke.add_argument("--why", required=True, help="kept with the box and in the audit")
    revoke.set_defaults(run=_revoke)
    listing = box.add_parser("certificates", help="a box's certificates, the newest first")
    listing.add_argument("id", metavar="SITE/BOX")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(run=_list)


def _revoke(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.fleet.enrolment import save_roles
    from central.fleet.revocation import RevocationList
    from shared.ids import parse_box_id

    at, id = SystemClock().now(), parse_box_id(arguments.id)
    with open_central(arguments.dir) as central:
        with central.unit():
            central.fleet.revoke(id, arguments.why, at, command_actor())
        save_roles(central.files, central.fleet)
        told = RevocationList(central.files, central.audit).keep(central.unit, at)
    print(f"✓ {id} is shut out; central's server cuts its session within seconds")
    if not told:
        print("! no running broker that this user may tell: onecode-central broker refresh")
    return Exit.HELD


def _list(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import Row, print_table
    from shared.ids import parse_box_id

    with open_central(arguments.dir) as central:
        certificates = central.fleet.list_certificates(parse_box_id(arguments.id))
    columns = {
        "serial": "serial",
        "not_before": "from",
        "not_after": "until",
        "revoked_at": "revoked",
        "why": "why",
    }
    rows: list[Row] = [
        {
            "serial": each.facts.serial,
            "not_before": each.facts.not_before.isoformat(timespec="seconds"),
            "not_after": each.facts.not_after.isoformat(timespec="seconds"),
            "revoked_at": each.revoked_at.isoformat(timespec="seconds")
            if each.revoked_at
            else None,
            "why": each.revoked_why,
        }
        for each in certificates
    ]
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD
