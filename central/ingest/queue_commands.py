"""``onecode-central queue import``: records of a box that has no network, carried by hand."""

import argparse
from pathlib import Path
from typing import Any

from shared.clock import SystemClock
from shared.errors import Refused
from shared.exits import Exit, describe
from shared.reasons import Reason


def add_commands(subparsers: Any) -> None:
    """Add ``queue import``."""
    queue = subparsers.add_parser("queue", help="records that a box's file brings by hand")
    leaves = queue.add_subparsers(required=True, metavar="ACT")
    take = leaves.add_parser("import", help="take a queue file, and write its receipt file")
    take.add_argument("file", type=Path)
    take.add_argument(
        "--receipt", type=Path, help="where to write the receipts (default: FILE.receipt)"
    )
    take.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.ingest.carried import Carried
    from shared.progress import Progress

    receipt = arguments.receipt or arguments.file.with_name(arguments.file.name + ".receipt")
    progress = Progress("rows")
    with open_central(arguments.dir) as central:
        carried = Carried(
            central.database, central.keys, central.fleet, central.ingest.inbox, central.audit
        )
        try:
            taken = carried.take(arguments.file, SystemClock().now(), command_actor(), progress.add)
        finally:
            progress.end()
            central.audit.seal_pending()
        held = taken.rows - taken.new - taken.refused
        print(f"✓ {taken.box}: {taken.rows} 条 rows, 新 new {taken.new}, 已有 held {held}")
        if taken.refused:
            print(describe(Refused(Reason.LEDGER_FORK, f"{taken.refused} rows")))
        try:
            carried.write_receipts(taken, receipt)
        except Refused as refusal:
            print(describe(refusal))  # a box that is shut out needs none
        else:
            print(f"✓ 回执 receipts → {receipt}")
            print("  在设备上 at the box:   onecode-agent queue import-receipt FILE")
    return Exit.CHECK_FAILED if taken.refused else Exit.HELD
