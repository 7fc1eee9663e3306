"""What the command line does with records carried by hand; printing and exit codes included."""

import argparse
from collections.abc import Callable

from agent.config import BoxFiles
from shared.clock import SystemClock
from shared.exits import Exit


def export(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Write what waits for central into a file. Raises as ``export_queue``."""
    from agent.courier.export import export_queue

    done = export_queue(files, arguments.file, SystemClock())
    print(f"✓ {done.file}: {done.rows} 条待上传记录 records that central lacks")
    print("  在中心 at central:   onecode-central queue import FILE")
    return Exit.HELD


def import_receipt(
    files: BoxFiles, arguments: argparse.Namespace, give: Callable[[bytes], int]
) -> Exit:
    """Settle rows by a receipt file, through the running agent. Raises as ``import_receipts``."""
    from agent.courier.receipts import import_receipts

    settled = import_receipts(files, arguments.file, give)
    print(f"✓ {settled} 条记录已由中心签收 records are in central's custody")
    return Exit.HELD
