"""How fast a record becomes durable on the box, against the disk's own speed in the same run.

Three things are interleaved in rounds on one real disk: the disk's own pwrite + fdatasync of 309
bytes, one producer that awaits each commit, and 200 producers. Chain and sealing are included,
the records are made beforehand. Needs only the box's packages.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from agent.ports import Draft
from shared.clock import SystemClock, read_boot_id, to_microseconds
from shared.crypto import STD
from shared.ids import BoxId, new_record_id
from shared.ledger import Lane
from shared.messages import CodeClass, DecidedBy, MedicalStep, Origin, ScanRecord, Verdict
from tests.bench.table import Figure, median, ratio_at_least, run

BUILD = Path("build")
"""On the disk of the checkout; a tmpfs would make every sync free."""

BOX = BoxId("hospital", "bench")
DISK_RECORD_BYTES = 309
PRODUCERS = 200
ROUNDS = 25
COMMITS_ALONE = 100
COMMITS_TOGETHER = 20  # by each of the producers
WARM_UP = 500
"""Commits before anything is measured: until the write-ahead log is reused, it still grows."""


def measure() -> list[Figure]:
    """Run the rounds; the median round counts."""
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=BUILD, prefix="bench-enqueue-") as directory:
        disk, alone, together = asyncio.run(_rounds(Path(directory)))
    return [
        ratio_at_least("durable enqueue, one producer", alone, "1/s", disk, 0.52),
        ratio_at_least(f"durable enqueue, {PRODUCERS} producers", together, "1/s", alone, 13),
    ]


async def _rounds(directory: Path) -> tuple[float, float, float]:
    """Rates a second: the disk's, one producer's, all producers'."""
    disk: list[float] = []
    alone: list[float] = []
    together: list[float] = []
    central_public = STD.new_recipient_key().public_bytes
    with open_disk(directory / "disk") as descriptor:
        async with open_outbox(directory / "queue.db", BOX, 1, STD, central_public) as outbox:
            await commit(outbox, drafts(WARM_UP))
            for number in range(ROUNDS):
                disk.append(write_disk(descriptor, number))
                alone.append(await commit(outbox, drafts(COMMITS_ALONE)))
                together.append(await _commit_together(outbox))
    return median(disk), median(alone), median(together)


async def commit(outbox: SqliteOutbox, born: Sequence[Draft]) -> float:
    """One after the other; commits a second."""
    begun = time.perf_counter()
    for draft in born:
        await outbox.commit(draft)
    return len(born) / (time.perf_counter() - begun)


async def _commit_together(outbox: SqliteOutbox) -> float:
    born = drafts(PRODUCERS * COMMITS_TOGETHER)
    work = [born[number::PRODUCERS] for number in range(PRODUCERS)]  # in the order of birth
    begun = time.perf_counter()
    await asyncio.gather(*(commit(outbox, share) for share in work))
    return PRODUCERS * COMMITS_TOGETHER / (time.perf_counter() - begun)


@contextmanager
def open_disk(path: Path) -> Iterator[int]:
    """A file for ``write_disk``."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_disk(descriptor: int, number: int) -> float:
    """pwrite and fdatasync of one record after the other; records a second."""
    record = os.urandom(DISK_RECORD_BYTES)
    start = number * COMMITS_ALONE
    begun = time.perf_counter()
    for place in range(start, start + COMMITS_ALONE):
        os.pwrite(descriptor, record, place * DISK_RECORD_BYTES)
        os.fdatasync(descriptor)
    return COMMITS_ALONE / (time.perf_counter() - begun)


def drafts(count: int, box: BoxId = BOX) -> list[Draft]:
    """Scans born now."""
    clock = SystemClock()
    boot_id = read_boot_id()
    born = []
    for _ in range(count):
        at = clock.now()
        origin = Origin(str(box), "counter-1", boot_id, to_microseconds(at), clock.monotonic_ns())
        record = ScanRecord(
            lane=Lane.USE,
            origin=origin,
            code_class=CodeClass.STATIC,
            code=f"{os.urandom(32).hex().upper()}:1",
            medical_step=MedicalStep.REGISTER,
            verdict=Verdict.ACCEPTED,
            reason=None,
            decided_by=DecidedBy.CENTRAL,
            asked=True,
        )
        born.append(Draft(new_record_id(at), at, record))
    return born


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
