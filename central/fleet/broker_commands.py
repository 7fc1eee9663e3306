"""``onecode-central broker``: bring the broker's list of revoked certificates up to date."""

import argparse
from typing import Any

from shared.clock import SystemClock
from shared.exits import Exit


def add_commands(subparsers: Any) -> None:
    """Add ``broker``."""
    broker = subparsers.add_parser("broker", help="the broker beside central")
    leaves = broker.add_subparsers(required=True)
    refresh = leaves.add_parser(
        "refresh", help="write the list of revoked certificates, let the broker read it anew"
    )
    refresh.set_defaults(run=_refresh)


def _refresh(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.fleet.revocation import RevocationList, tell_broker

    with open_central(arguments.dir) as central:
        RevocationList(central.files, central.audit).keep(central.unit, SystemClock().now())
        told = tell_broker(central.files.broker_pid)
    print(f"✓ {central.files.revoked}")
    print("✓ broker told" if told else "! no running broker that this user may tell (SIGHUP)")
    return Exit.HELD if told else Exit.UNAVAILABLE
