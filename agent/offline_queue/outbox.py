"""The queue's async face: implements ``agent.ports.Outbox`` and ``Custody`` over its writer.

A failed commit is Unavailable or Damaged for all who waited, and the queue goes on. A bug ends
the writer's thread: it reaches everyone who waits, and whoever leaves the context.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from agent.offline_queue.bounds import DEFAULT_BOUNDS, Bounds, fill_percent, warning
from agent.offline_queue.checkpoint import Checkpointer
from agent.offline_queue.database import DISK_TROUBLES, open_for_reading
from agent.offline_queue.journal import Entry, Journal, ignore_edge
from agent.offline_queue.opening import Opening
from agent.offline_queue.reserve import Reserve
from agent.offline_queue.standing import Standing, account_of, waiting_of
from agent.offline_queue.states import KEPT_LANES, Edge, FileEdge
from agent.offline_queue.store import Position, Store
from agent.offline_queue.writer import Writer
from agent.ports import Consumption, Draft, Fill, Pending
from shared.clock import Clock, SystemClock, to_microseconds
from shared.codec import records
from shared.crypto import Suite
from shared.errors import Damaged, Malformed, Refused, Unavailable
from shared.ids import BoxId, RecordId, new_record_id
from shared.ledger import MAX_BODY_BYTES, Account, Head, Lane, Row, row_of
from shared.messages import Origin, ScanRecord, Settled, Tombstone, TombstoneRecord
from shared.reasons import Reason
from shared.sealing import SEAL_BYTES

T = TypeVar("T")


class SqliteOutbox:
    """The open queue, made by ``open_outbox``. All methods belong to one event loop."""

    def __init__(  # noqa: PLR0913, PLR0917 - a file, its journal, and what bounds them
        self,
        path: Path,
        suite: Suite,
        opening: Opening,
        journal: Journal | None,
        reserve: Reserve,
        bounds: Bounds,
    ) -> None:
        """The queue at ``path``; without a ``journal`` the disk is waited for."""
        self._path = path
        self._bounds = bounds
        self._suite = suite
        loop = asyncio.get_running_loop()
        self.writer = Writer(opening, journal, reserve, loop, self._told)
        self._checkpointer = Checkpointer(path, loop, self._finish_checkpoint)
        self._reading: Store | None = None
        self._standings = journal.standings if journal else {}
        self.damage = Fill()
        """What the page says of a file that was damaged of late (``salvage.py``)."""
        self._arrived = asyncio.Event()

    @property
    def waiting(self) -> tuple[int, ...]:
        """Pending rows by lane."""
        return waiting_of(self._standings)

    @property
    def fill(self) -> Fill:
        """How full it is. While the disk is in trouble, no new patient is begun."""
        percent, trouble = fill_percent(self.waiting, self._bounds), self.writer.trouble
        reason = trouble or self.damage.reason or warning(percent)
        return Fill(percent, reason, keeps=trouble is None, lost=self.damage.lost)

    @property
    def epoch(self) -> int:
        """The epoch that new rows are written in; 0 while the disk lets none be."""
        return max(self._standings, default=0)

    async def commit(self, draft: Draft) -> Row:
        """Store a record durably; the row it became.

        Raises Unavailable (disk), Damaged, Malformed (BODY_TOO_LARGE).
        """
        entry = encode_draft(draft)
        return row_of(await self.writer.append(entry, dear=entry.lane in KEPT_LANES))

    async def find_consumption(self, token: bytes) -> Consumption | None:
        """The record that used up a code at this box. Raises Unavailable, Damaged.

        Read here, beside the writer: one look at an index costs less than a thread's wake-up.
        """
        try:
            return self._read(lambda reading: reading.find_consumption(token))
        except Damaged as error:
            await self._mend(error)
            return self._read(lambda reading: reading.find_consumption(token))

    async def find_record(self, id: RecordId) -> bool:
        """Whether a record is in the queue. Raises Unavailable, Damaged."""
        return await self.writer.submit(lambda on: on.find_record(id.bytes))

    async def read_account(self) -> Account:
        """created = acknowledged + pending + tombstoned, as of the last commit told."""
        return account_of(self._standings)

    async def wait_moving(self) -> None:
        """Return once the writer's thread has come by; while it hangs, do not."""
        with suppress(Unavailable, Damaged):
            await self.writer.submit(lambda _: None)

    async def read_oldest_pending(self) -> datetime | None:
        """When the oldest pending row was born. Raises Unavailable, Damaged.

        Read here, beside the writer: one look at an index above each epoch's floor.
        """
        found = [
            first[1]
            for epoch, standing in self._standings.items()
            if standing.pending and (first := self._find_first(epoch, standing.floor))
        ]
        return min(found, default=None)

    async def wait_for_pending(self) -> None:
        """Return when at least one row is pending."""
        while not account_of(self._standings).pending:
            self._arrived.clear()
            await self._arrived.wait()

    async def read_pending(self, limit: int, after: tuple[int, int] = (0, 0)) -> Pending | None:
        """The oldest pending rows of one epoch behind (epoch, seq). Raises Unavailable, Damaged."""
        return await self.writer.submit(lambda on: on.read_pending(limit, after))

    async def settle(self, epoch: int, rows: Sequence[Settled]) -> int:
        """Rows whose hash is central's become settled; how many. Raises Unavailable, Damaged."""
        return await self.writer.submit(lambda on: on.settle(epoch, rows), writes=True)

    async def keep_anchor(self, head: Head, signature: bytes) -> bool:
        """Keep a head that central countersigned; whether it is one of ours and further.

        Raises Unavailable, Damaged.
        """
        return await self.writer.submit(lambda on: on.keep_anchor(head, signature), writes=True)

    async def prune(self, keep_rows: int, born_before: datetime, limit: int) -> int:
        """Drop rows behind a countersigned head; how many. Raises Unavailable, Damaged."""
        before = to_microseconds(born_before)
        # Looked at without a transaction, for most looks find nothing.
        kept = await self.writer.submit(lambda on: on.find_prunable(keep_rows, before, limit))
        if kept is None:
            return 0
        return await self.writer.submit(lambda on: on.prune(kept), writes=True)

    async def tombstone(
        self,
        positions: Sequence[Position],
        reason: Reason,
        origin: Origin,
        born_at: datetime,
        erase: bool = False,
    ) -> Row:
        """Give rows up in one transaction: the row in lane IDENTITY that names them all.

        ``erase`` drops their bodies. Raises Refused (a kept lane, not pending, not found),
        Malformed (more rows than a body holds: about 600), Unavailable, Damaged.
        """
        build = partial(_tombstone_entry, self._suite, origin, born_at)
        return await self.writer.submit(
            lambda on: on.tombstone(positions, reason, build, erase), writes=True
        )

    async def give_up_oldest(  # noqa: PLR0913, PLR0917 - which rows, why, and the naming record
        self,
        lane: Lane,
        limit: int,
        reason: Reason,
        origin: Origin,
        at: datetime,
        born_before: int | None = None,
    ) -> int:
        """Give up a lane's oldest pending rows; how many. Raises as ``tombstone``."""
        oldest = await self.writer.submit(lambda on: on.find_oldest(lane, 1))
        if not oldest or (born_before is not None and oldest[0][1] >= born_before):
            return 0
        build = partial(_tombstone_entry, self._suite, origin, at)
        return await self.writer.submit(
            lambda on: on.give_up_oldest(lane, limit, born_before, reason, build), writes=True
        )

    def _find_first(self, epoch: int, floor: int) -> tuple[int, datetime] | None:
        return self._read(lambda reading: reading.find_first_pending(epoch, floor))

    async def scrub(self) -> None:
        """Look at every page and every row, beside the box's work; a damaged file is set aside.

        Raises Unavailable, Damaged.
        """
        from agent.offline_queue.scrubbing import check_whole

        try:
            await asyncio.to_thread(check_whole, self._path)
        except Damaged as error:
            await self._mend(error)

    async def _mend(self, error: Damaged) -> None:
        """Have the writer set the file aside: what reads beside it has found it damaged."""
        found = [error]

        def tell(_: Journal) -> None:
            if found:
                raise found.pop()

        await self.writer.submit(tell)

    def _read(self, look: Callable[[Store], T]) -> T:
        """Look at the file beside the writer. The loop must not wait for a lock: a look that
        finds the file busy says so. One that fails closes it, and the next opens it anew."""
        if self._reading is None:
            self._reading = Store(open_for_reading(self._path, busy_milliseconds=0))
        try:
            return look(self._reading)
        except (Unavailable, Damaged):
            self._reading.close()
            self._reading = None
            raise

    async def aclose(self) -> None:
        """Let go of what reads and copies beside the writer."""
        await self._checkpointer.aclose()
        if self._reading is not None:
            self._reading.close()

    def _told(self, standings: Mapping[int, Standing]) -> None:
        before, now = account_of(self._standings), account_of(standings)
        self._standings = standings
        self._arrived.set()
        if now != before:
            # A row is written when it is born, and again when nothing is pending of it.
            written = 2 * (now.created - before.created) - (now.pending - before.pending)
            self._checkpointer.note(written)

    async def _finish_checkpoint(self) -> None:
        with suppress(Unavailable, Damaged):
            await self.writer.submit(lambda on: on.finish_checkpoint())


def encode_draft(draft: Draft) -> Entry:
    """A record on its way in. Raises Refused where what is no scan consumes a code, Malformed
    (BODY_TOO_LARGE): one that is too large must not take a group's others with it."""
    record, consumed, verdict = draft.record, draft.consumed, ""
    if consumed is not None:
        if not isinstance(record, ScanRecord):
            raise Refused(Reason.REQUEST_MALFORMED, "only a scan consumes a code")
        verdict = record.verdict.value
    plaintext = records.encode(record)
    if len(plaintext) > MAX_BODY_BYTES - SEAL_BYTES:
        raise Malformed(Reason.BODY_TOO_LARGE)
    born = to_microseconds(draft.born_at)
    return Entry(draft.id.bytes, record.lane.value, born, plaintext, consumed, verdict)


def _tombstone_entry(
    suite: Suite, origin: Origin, born_at: datetime, rows: tuple[Tombstone, ...]
) -> Entry:
    record = TombstoneRecord(suite=suite.id, lane=Lane.IDENTITY, origin=origin, rows=rows)
    id = new_record_id(born_at)
    return Entry(id.bytes, record.lane.value, to_microseconds(born_at), records.encode(record))


@asynccontextmanager
async def open_outbox(  # noqa: PLR0913, PLR0917 - whose queue it is, where, and sealed to whom
    path: Path,
    box: BoxId,
    epoch: int,
    suite: Suite,
    central_public: bytes,
    clock: Clock | None = None,
    observe: Callable[[Edge], None] = ignore_edge,
    bounds: Bounds = DEFAULT_BOUNDS,
    observe_file: Callable[[FileEdge], None] = lambda _: None,
) -> AsyncIterator[SqliteOutbox]:
    """Open the box's queue; leaving the context commits what waits and closes it.

    ``observe`` is told the edges of the writer's work, in its thread. Raises Unavailable
    (disk, another writer), Damaged, Refused (STORE_NEWER, CONFIG_MALFORMED: not this box's file).
    """
    loop = asyncio.get_running_loop()
    clock = clock or SystemClock()
    opening = Opening(path, box, epoch, suite, central_public, clock, observe, observe_file)
    with ThreadPoolExecutor(1, "outbox") as thread:
        reserve = Reserve(path.with_name(path.name + ".reserve"))
        journal = await loop.run_in_executor(thread, _open_or_wait, opening, reserve)
        outbox = SqliteOutbox(path, suite, opening, journal, reserve, bounds)
        writing = loop.run_in_executor(thread, outbox.writer.run)
        writing.add_done_callback(outbox.writer.end)
        try:
            yield outbox
        finally:
            outbox.writer.stop()
            await outbox.aclose()
            await asyncio.shield(writing)


def _open_or_wait(opening: Callable[[], Journal], reserve: Reserve) -> Journal | None:
    """None while the disk is in trouble: a box shows what it cannot keep, rather than nothing."""
    try:
        journal = opening()
        reserve.fill()
        return journal
    except Unavailable as error:
        if error.reason in DISK_TROUBLES:
            return None
        raise
