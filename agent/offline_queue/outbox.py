"""The queue's async face: one writer thread, and what waits while it commits is the next group.

Implements ``agent.ports.Outbox`` and ``Custody``. The thread takes everything that waits, writes
it in one transaction, commits, and only then tells the loop, once a group. A failed commit is
Unavailable or Damaged for all who waited, and the thread goes on; nothing is kept in memory
instead. A bug ends the thread: it reaches everyone who waits, and whoever leaves the context.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from agent.offline_queue.database import open_for_reading
from agent.offline_queue.journal import (
    Entry,
    Journal,
    Standing,
    account_of,
    ignore_edge,
    open_journal,
)
from agent.offline_queue.states import Edge
from agent.offline_queue.store import Position, Store
from agent.ports import Consumption, Draft, Pending
from shared.clock import Clock, SystemClock, to_microseconds
from shared.codec import records
from shared.crypto import Suite
from shared.errors import Damaged, OneCodeError, Refused, Unavailable
from shared.ids import BoxId, RecordId, new_record_id
from shared.ledger import Account, Lane, Row
from shared.messages import Origin, ScanRecord, Settled, Tombstone, TombstoneRecord
from shared.reasons import Reason

T = TypeVar("T")


class _Job(Generic[T]):
    """Something to do in the writer's thread, and who waits for it."""

    __slots__ = ("act", "error", "future", "result", "writes")

    result: T

    def __init__(self, act: Callable[[], T], future: asyncio.Future[T], writes: bool) -> None:
        self.act = act
        self.future = future
        self.writes = writes
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Runs in the loop. Who was cancelled meanwhile hears nothing; the row stays."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SqliteOutbox:
    """The open queue, made by ``open_outbox``. All methods belong to one event loop."""

    def __init__(
        self, journal: Journal, reading: Store, suite: Suite, loop: asyncio.AbstractEventLoop
    ) -> None:
        """``journal`` belongs to the writer's thread, ``reading`` to the loop's."""
        self._journal = journal
        self._reading = reading
        self._suite = suite
        self._loop = loop
        self._busy = False
        self._gathered: list[_Job[Any]] = []
        self._waiting: SimpleQueue[list[_Job[Any]]] = SimpleQueue()
        self._group: list[_Job[Any]] = []
        self._standings = journal.standings
        self._arrived = asyncio.Event()
        self._ended: BaseException | None = None

    async def commit(self, draft: Draft) -> Row:
        """Store a record durably; the row it became.

        Raises Unavailable (disk), Damaged, Malformed (BODY_TOO_LARGE).
        """
        return await self._submit(partial(self._journal.append, _entry(draft)), writes=True)

    async def find_consumption(self, token: bytes) -> Consumption | None:
        """The record that used up a code at this box. Raises Unavailable, Damaged.

        Read here, beside the writer: one look at an index costs less than a thread's wake-up.
        """
        return self._reading.find_consumption(token)

    async def find_record(self, id: RecordId) -> bool:
        """Whether a record is in the queue. Raises Unavailable, Damaged."""
        return await self._submit(partial(self._journal.find_record, id.bytes))

    async def read_account(self) -> Account:
        """created = acknowledged + pending + tombstoned, as of the last commit told."""
        return account_of(self._standings)

    async def wait_moving(self) -> None:
        """Return once the writer's thread has come by; while it hangs, do not."""
        await self._submit(lambda: None)

    async def read_oldest_pending(self) -> datetime | None:
        """When the oldest pending row was born. Raises Unavailable, Damaged.

        Read here, beside the writer: one look at an index above each epoch's floor.
        """
        found = [
            first[1]
            for epoch, standing in self._standings.items()
            if standing.pending
            and (first := self._reading.find_first_pending(epoch, standing.floor))
        ]
        return min(found, default=None)

    async def wait_for_pending(self) -> None:
        """Return when at least one row is pending."""
        while not account_of(self._standings).pending:
            self._arrived.clear()
            await self._arrived.wait()

    async def read_pending(self, limit: int, after: tuple[int, int] = (0, 0)) -> Pending | None:
        """The oldest pending rows of one epoch behind (epoch, seq). Raises Unavailable, Damaged."""
        return await self._submit(partial(self._journal.read_pending, limit, after))

    async def settle(self, epoch: int, rows: Sequence[Settled]) -> int:
        """Rows whose hash is central's become settled; how many. Raises Unavailable, Damaged."""
        return await self._submit(partial(self._journal.settle, epoch, rows), writes=True)

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
        act = partial(self._journal.tombstone, positions, reason, build, erase)
        return await self._submit(act, writes=True)

    def write(self) -> None:
        """The writer's thread, until ``stop``; closes the file at its end."""
        try:
            while group := self._waiting.get():
                self._group = group
                self._run(group)
                self._loop.call_soon_threadsafe(self._tell, group, self._journal.standings)
                self._journal.prepare()
        finally:
            self._journal.close()

    def stop(self) -> None:
        """Let the thread finish what waits, and end."""
        self._hand_over()
        self._waiting.put([])

    def end(self, writer: asyncio.Future[None]) -> None:
        """The thread is gone: whoever still waits, or comes later, hears why."""
        self._ended = writer.exception() or Unavailable(Reason.STORE_UNAVAILABLE, "closed")
        while not self._waiting.empty():
            self._group += self._waiting.get()
        for job in (*self._group, *self._gathered):
            job.error = self._ended
            job.tell()

    def _submit(self, act: Callable[[], T], writes: bool = False) -> asyncio.Future[T]:
        if self._ended is not None:
            raise self._ended
        job = _Job(act, self._loop.create_future(), writes)
        self._gathered.append(job)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)
        return job.future

    def _hand_over(self) -> None:
        """Give the thread all that waits, in a turn of the loop after those who asked."""
        self._busy = bool(self._gathered)
        if self._busy:
            self._waiting.put(self._gathered)
            self._gathered = []

    def _run(self, group: Sequence[_Job[Any]]) -> None:
        """Write in one unit; read after it, so that reads see it and do not fail with it."""
        writing = [job for job in group if job.writes]
        if writing:
            try:
                with self._journal.unit():
                    for job in writing:
                        _attempt(job, Refused)
            except (Unavailable, Damaged) as error:
                for job in writing:
                    job.error = type(error)(error.reason, error.detail)
        for job in group:
            if not job.writes:
                _attempt(job, OneCodeError)

    def _tell(self, group: Sequence[_Job[Any]], standings: Mapping[int, Standing]) -> None:
        """Runs in the loop, once a group; those it wakes may join the next one."""
        self._standings = standings
        self._arrived.set()
        for job in group:
            job.tell()
        self._loop.call_soon(self._hand_over)


def _attempt(job: _Job[Any], expected: type[OneCodeError]) -> None:
    try:
        job.result = job.act()
    except expected as error:
        job.error = error


def _entry(draft: Draft) -> Entry:
    record = draft.record
    verdict = record.verdict.value if isinstance(record, ScanRecord) else ""
    if draft.consumed is not None and not verdict:
        raise Refused(Reason.REQUEST_MALFORMED, "only a scan consumes a code")
    return Entry(
        draft.id.bytes,
        record.lane.value,
        to_microseconds(draft.born_at),
        records.encode(record),
        draft.consumed,
        verdict,
    )


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
) -> AsyncIterator[SqliteOutbox]:
    """Open the box's queue; leaving the context commits what waits and closes it.

    ``observe`` is told the edges of the writer's work, in its thread. Raises Unavailable
    (disk, another writer), Damaged, Refused (STORE_NEWER, CONFIG_MALFORMED: not this box's file).
    """
    loop = asyncio.get_running_loop()
    at = (clock or SystemClock()).now()
    opening = partial(open_journal, path, box, epoch, suite, central_public, at, observe)
    with ThreadPoolExecutor(1, "outbox") as thread, ExitStack() as stack:
        # The loop must not wait for a lock: a look that finds the file busy says so.
        journal = await loop.run_in_executor(thread, opening)
        try:
            reading = open_for_reading(path, busy_milliseconds=0)
        except OneCodeError:
            await loop.run_in_executor(thread, journal.close)
            raise
        stack.callback(reading.close)
        outbox = SqliteOutbox(journal, Store(reading), suite, loop)
        writer = loop.run_in_executor(thread, outbox.write)
        writer.add_done_callback(outbox.end)
        try:
            yield outbox
        finally:
            outbox.stop()
            await asyncio.shield(writer)
