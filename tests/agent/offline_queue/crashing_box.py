"""A box that ends with SIGKILL at a named edge: ``python -m … PATH EDGE TIMES``.

It prints a word after each promise it has heard ("committed <id>", "settled 1", …), as the green
light would; its parent checks them against the file.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from agent.offline_queue.states import Edge
from agent.offline_queue.store import Position
from shared.crypto import STD
from shared.ledger import Head, hash_of
from shared.messages import Settled
from shared.reasons import Reason
from tests.agent.offline_queue.box import NOON, ORIGIN, opened, scan_draft

NEVER = datetime(2100, 1, 1, tzinfo=UTC)


class Killer:
    """An observer that ends this process when ``edge`` comes for the ``times``-th time."""

    def __init__(self, edge: Edge, times: int) -> None:
        self._edge = edge
        self._left = times

    def __call__(self, edge: Edge) -> None:
        if edge == self._edge:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


async def work(path: Path, observe: Killer) -> None:
    """Commit, consume, settle, give up and prune, in rounds, until killed."""
    async with opened(path, observe=observe) as outbox:
        for number in range(1000):
            drafts = [scan_draft(number, consumed=number.to_bytes(32, "big")) for _ in range(3)]
            rows = await asyncio.gather(*(outbox.commit(draft) for draft in drafts))
            for draft in drafts:
                print("committed", draft.id.hex, flush=True)
            await outbox.settle(1, [Settled(rows[0].seq, hash_of(STD, rows[0]))])
            print("settled", rows[0].id.hex(), flush=True)
            record = await outbox.tombstone(
                [Position(1, rows[1].seq)], Reason.STORE_UNAVAILABLE, ORIGIN, NOON
            )
            print("tombstoned", rows[1].id.hex(), flush=True)
            rest = (rows[2], record)
            await outbox.settle(1, [Settled(row.seq, hash_of(STD, row)) for row in rest])
            await outbox.keep_anchor(Head(1, record.seq, hash_of(STD, record)), b"")
            print("pruned", await outbox.prune(4, NEVER, 2), flush=True)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), Killer(Edge(sys.argv[2]), int(sys.argv[3]))))
