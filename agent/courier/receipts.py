"""Settles rows with a receipt file that central wrote at the import of a queue file.

The running agent owns the queue, so it is given the receipts one by one; where none runs, the queue
is opened here. A file that is not whole settles nothing.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.config import BoxConfig, BoxFiles, read_box_config
from agent.courier.export import read_box_keys
from agent.offline_queue.outbox import open_outbox
from agent.transport.box_keys import BoxKeys
from shared.codec import receipts
from shared.crypto import STD
from shared.errors import Unavailable
from shared.pairing import Direction
from shared.progress import Progress
from shared.queue_file import check_whole, read_receipts
from shared.reasons import Reason
from shared.topics import RECEIPT

Give = Callable[[bytes], int]


def import_receipts(files: BoxFiles, path: Path, give: Give) -> int:
    """Settle what a receipt file names; how many rows were still pending. ``give`` hands one sealed
    receipt to the running agent, or raises Unavailable (AGENT_NOT_RUNNING).

    Raises Malformed (RECEIPT_FILE_FOREIGN, RECEIPT_FILE_BROKEN), Unavailable, Damaged.
    """
    config = read_box_config(files)
    keys = read_box_keys(files, config)
    try:
        with path.open("rb") as file:
            check_whole(lambda: read_receipts(file, keys.pair_key, keys.box))
        with path.open("rb") as file:
            sealed = read_receipts(file, keys.pair_key, keys.box)
            try:
                return _give_to_agent(give, sealed)
            except Unavailable as error:
                if error.reason is not Reason.AGENT_NOT_RUNNING:
                    raise
        return asyncio.run(_settle_here(files, config, keys, path))
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error


def _give_to_agent(give: Give, sealed_receipts: Iterator[bytes]) -> int:
    progress = Progress("receipts given", every=10)
    settled = 0
    for sealed in sealed_receipts:
        settled += give(sealed)
        progress.add()
    progress.end()
    return settled


async def _settle_here(files: BoxFiles, config: BoxConfig, keys: BoxKeys, path: Path) -> int:
    settled = 0
    public = bytes.fromhex(config.central_public)
    async with open_outbox(files.queue, keys.box, config.epoch, STD, public) as outbox:
        with path.open("rb") as file:
            for sealed in read_receipts(file, keys.pair_key, keys.box):
                text = keys.pair_key.open(Direction.DOWN, keys.box, RECEIPT, sealed)
                receipt = receipts.decode(text)
                settled += await outbox.settle(receipt.epoch, receipt.rows)
    return settled
