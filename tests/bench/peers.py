"""The queue beside the SQLite storage of thingsboard-gateway, on one disk, in turns.

How long a record takes from being handed over to being in the file, how many a second when many
come, and how fast a backlog is read and let go: theirs in packs of 1,000, ours in pages of 100
with receipts. Theirs runs with synchronous=NORMAL, which a power cut may take back; ours with
FULL, chained and sealed. Runs in an environment that has both.
"""

import asyncio
import logging
import os
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from thingsboard_gateway.storage.sqlite.sqlite_event_storage import (  # type: ignore[import-not-found]
    SQLiteEventStorage,
)

from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from shared.codec import records
from shared.crypto import STD
from shared.ledger import hash_of
from shared.messages import Settled
from tests.bench.enqueue import (
    BOX,
    BUILD,
    PRODUCERS,
    WARM_UP,
    commit,
    drafts,
    open_disk,
    write_disk,
)
from tests.bench.table import Figure, median, ratio_at_least, ratio_at_most, run, shown

ROUNDS = 5
ALONE = 100
ALONE_THEIRS = 10
TOGETHER = 20_000
PAGE = 100


def measure() -> list[Figure]:
    """Rounds in turn; the median of each."""
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=BUILD, prefix="bench-peers-") as name:
        return asyncio.run(_rounds(Path(name)))


async def _rounds(directory: Path) -> list[Figure]:
    stopped = threading.Event()
    theirs = _Theirs(directory / "theirs", stopped)
    public = STD.new_recipient_key().public_bytes
    syncs: list[float] = []
    ours_durable: list[float] = []
    theirs_durable: list[float] = []
    ours_bulk: list[float] = []
    theirs_bulk: list[float] = []
    ours_drain: list[float] = []
    theirs_drain: list[float] = []
    with open_disk(directory / "disk") as disk:
        async with open_outbox(directory / "queue.db", BOX, 1, STD, public) as outbox:
            await commit(outbox, drafts(WARM_UP))
            await _drain(outbox)
            for number in range(ROUNDS):
                syncs.append(1000 / write_disk(disk, number))
                ours_durable.append(1000 / await commit(outbox, drafts(ALONE)))
                theirs_durable += [theirs.put_and_wait() for _ in range(ALONE_THEIRS)]
            theirs.drain()
            await _drain(outbox)
            for _ in range(ROUNDS):
                ours_bulk.append(await _commit_all(outbox))
                theirs_bulk.append(theirs.put_all(TOGETHER))
                ours_drain.append(await _drain(outbox))
                theirs_drain.append(theirs.drain())
    stopped.set()
    theirs.stop()
    name = "thingsboard-gateway's"
    return [
        ratio_at_most("put → durable", median(ours_durable), "ms", median(syncs), 2),
        shown(f"{name} storage, put → in the file", median(theirs_durable), "ms"),
        ratio_at_least("committed in bulk", median(ours_bulk), "1/s", median(theirs_bulk), 1.2),
        ratio_at_least(
            f"drained in pages of {PAGE}, its packs of 1,000 beside",
            *(median(ours_drain), "1/s", median(theirs_drain), 1),
        ),
    ]


async def _commit_all(outbox: SqliteOutbox) -> float:
    born = drafts(TOGETHER)
    shares = [born[number::PRODUCERS] for number in range(PRODUCERS)]
    begun = time.perf_counter()
    await asyncio.gather(*(commit(outbox, share) for share in shares))
    return TOGETHER / (time.perf_counter() - begun)


async def _drain(outbox: SqliteOutbox) -> float:
    """Read pages and settle them by receipts; rows a second. Making receipts is central's work."""
    count, taken = 0, 0.0
    while True:
        begun = time.perf_counter()
        pending = await outbox.read_pending(PAGE)
        taken += time.perf_counter() - begun
        if pending is None:
            return count / taken
        receipt = [Settled(row.seq, hash_of(STD, row)) for row in pending.rows]
        begun = time.perf_counter()
        count += await outbox.settle(pending.head.epoch, receipt)
        taken += time.perf_counter() - begun


class _Theirs:
    """Their storage with its own defaults, handed messages as long as ours."""

    def __init__(self, directory: Path, stopped: threading.Event) -> None:
        directory.mkdir()
        log = logging.getLogger("peer")
        log.setLevel(logging.CRITICAL)
        for level in ("trace", "TRACE"):
            setattr(log, level, lambda *_, **__: None)
        self._storage = SQLiteEventStorage({"data_file_path": f"{directory}/"}, log, stopped)
        self._file = directory / "data.db"
        (draft,) = drafts(1)
        self._length = len(records.encode(draft.record)) // 2

    def put_and_wait(self) -> float:
        """Milliseconds until a message can be read from the file."""
        before = self._written()
        begun = time.perf_counter()
        self._storage.put(os.urandom(self._length).hex())
        while self._written() == before:
            time.sleep(0.001)
        return (time.perf_counter() - begun) * 1000

    def put_all(self, count: int) -> float:
        """Messages a second until all can be read from the file."""
        messages = [os.urandom(self._length).hex() for _ in range(count)]
        wanted = self._written() + count
        begun = time.perf_counter()
        for message in messages:
            self._storage.put(message)
        while self._written() < wanted:
            time.sleep(0.001)
        return count / (time.perf_counter() - begun)

    def drain(self) -> float:
        """Packs read and confirmed until none is left; messages a second."""
        count, begun = 0, time.perf_counter()
        while self._ask("SELECT EXISTS (SELECT 1 FROM messages)"):
            count += len(self._storage.get_event_pack())
            self._storage.event_pack_processing_done()
        return count / (time.perf_counter() - begun)

    def stop(self) -> None:
        """End its thread."""
        self._storage.stop()

    def _written(self) -> int:
        """How many were ever written."""
        return self._ask("SELECT max(seq) FROM sqlite_sequence")

    def _ask(self, query: str) -> int:
        with closing(sqlite3.connect(self._file)) as connection:
            return int(connection.execute(query).fetchone()[0] or 0)


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
