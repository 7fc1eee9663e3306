"""The one writer of the queue: what waits while it commits is the next group.

A group is one transaction; whoever waits hears after its commit, or hears why it failed. Nothing
is kept in memory instead. Groups are written by a thread of their own, so that no disk stops the
loop; a lone record on a fast disk is written in the loop, for two changes of thread cost a
quarter of a commit there (docs/adr/0014). A disk that is full is relieved by the reserve; after
one that failed, the journal is opened anew before the next group.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Lock
from typing import Any, Generic, NoReturn, TypeVar, cast

from agent.offline_queue.journal import Entry, Journal
from agent.offline_queue.opening import Opening
from agent.offline_queue.reserve import Reserve
from agent.offline_queue.standing import Standing
from shared.errors import Damaged, OneCodeError, Refused, Unavailable
from shared.ledger import Link
from shared.reasons import Reason

T = TypeVar("T")

_FAST_SECONDS = 0.005
"""What the loop may stand still for; a page is not seen to stop below some ten times that."""
_SHY = 100
"""A longer commit keeps the loop away for so many times what it took: slow disks, or one that
hangs, cost it a hundredth of its time at the most."""
_SECONDS_BETWEEN_OPENINGS = 1.0
_SECONDS_BETWEEN_FILLS = 1.0


class _Job(Generic[T]):
    """Something to do with the journal, and who waits for it."""

    __slots__ = ("act", "dear", "entry", "error", "future", "hot", "result", "writes")

    result: T

    def __init__(  # noqa: PLR0913 - what to do, for whom, and how
        self,
        act: Callable[[Journal], T] | None,
        future: asyncio.Future[T],
        *,
        writes: bool,
        hot: bool,
        dear: bool,
        entry: Entry | None = None,
    ) -> None:
        """An ``entry`` is appended with all others of its group, and there is nothing to act."""
        self.entry = entry
        self.act = act
        self.future = future
        self.writes = writes
        self.hot = hot
        self.dear = dear
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Runs in the loop. Who was cancelled meanwhile hears nothing; the row stays."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Owns the journal until ``stop``. Everything but ``run`` belongs to the loop."""

    def __init__(
        self,
        opening: Opening,
        journal: Journal | None,
        reserve: Reserve,
        loop: asyncio.AbstractEventLoop,
        told: Callable[[Mapping[int, Standing]], None],
    ) -> None:
        """``told`` is called in the loop after each group, with what is then durable. Without a
        ``journal`` one is opened before the first group."""
        self._opening = opening
        self._journal = journal
        self._reserve = reserve
        self._loop = loop
        self._told = told
        self._busy = False
        self._gathered: list[_Job[Any]] = []
        self._waiting: SimpleQueue[list[_Job[Any]]] = SimpleQueue()
        self._group: list[_Job[Any]] = []
        self._ended: BaseException | None = None
        self._at_work = Lock()
        """Held by whoever uses the journal: the thread, or for one record the loop."""
        self._loop_writes_from = math.inf
        """On the monotonic clock. The thread's first commit shows how fast the disk is."""
        self._failure: OneCodeError | None = None
        self._opened_at = self._filled_at = -math.inf

    @property
    def trouble(self) -> Reason | None:
        """What is wrong with the disk, as of the last try; STORE_RESERVE while that is in use."""
        if self._failure is not None:
            return self._failure.reason
        return None if self._reserve.is_whole else Reason.STORE_RESERVE

    def submit(
        self,
        act: Callable[[Journal], T],
        *,
        writes: bool = False,
        hot: bool = False,
        dear: bool = False,
    ) -> asyncio.Future[T]:
        """Do something with the journal; ``hot`` is what a patient waits for, and short; ``dear``
        may use the last of the reserve.

        The future raises what ``act`` raises of our tree, Unavailable or Damaged for a failed
        commit, and whatever ended the thread.
        """
        job = _Job(act, self._loop.create_future(), writes=writes, hot=hot, dear=dear)
        return self._gather(job)

    def append(self, entry: Entry, *, dear: bool) -> asyncio.Future[Link]:
        """Append a record, for which a patient waits; what it became. Else as ``submit``."""
        future: asyncio.Future[Link] = self._loop.create_future()
        return self._gather(_Job(None, future, writes=True, hot=True, dear=dear, entry=entry))

    def _gather(self, job: _Job[T]) -> asyncio.Future[T]:
        if self._ended is not None:
            raise self._ended
        self._gathered.append(job)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)
        return job.future

    def run(self) -> None:
        """The writer's thread, until ``stop``; closes the file at its end."""
        try:
            while group := self._waiting.get():
                with self._at_work:
                    self._group = group
                    standings = self._do(group)
                    self._loop.call_soon_threadsafe(self._tell, group, standings)
                    self._look_after_disk()
        finally:
            self._close()

    def stop(self) -> None:
        """Let the thread finish what waits, and end."""
        if self._gathered:
            self._waiting.put(self._gathered)
            self._gathered = []
        self._waiting.put([])

    def end(self, writer: asyncio.Future[None]) -> None:
        """The thread is gone: whoever still waits, or comes later, hears why."""
        self._ended = writer.exception() or Unavailable(Reason.STORE_UNAVAILABLE, "closed")
        while not self._waiting.empty():
            self._group += self._waiting.get()
        for job in (*self._group, *self._gathered):
            job.error = self._ended
            job.tell()

    def _hand_over(self) -> None:
        """Give the thread all that waits, in a turn of the loop after those who asked."""
        group, self._gathered = self._gathered, []
        self._busy = bool(group)
        alone = len(group) == 1 and group[0].hot and self.trouble is None
        fast = alone and time.monotonic() >= self._loop_writes_from
        if fast and self._at_work.acquire(blocking=False):
            try:
                standings = self._do(group)
            except BaseException as bug:  # noqa: BLE001 - it ends the thread, as any bug does
                group[0].act = partial(_raise, bug)
                self._waiting.put(group)
                return
            finally:
                self._at_work.release()
            self._tell(group, standings)
        elif group:
            self._waiting.put(group)

    def _do(self, group: Sequence[_Job[Any]]) -> Mapping[int, Standing] | None:
        """Do what is asked; where that shows damage, once more in the queue that takes the damaged
        one's place: a patient at the counter need not hear of it."""
        standings = self._do_once(group)
        damaged = [job for job in group if isinstance(job.error, Damaged)]
        if not damaged:
            return standings
        self._opening.note_damage(cast(Damaged, damaged[0].error))
        self._close()
        self._opened_at = -math.inf
        return self._do_once(damaged)

    def _do_once(self, group: Sequence[_Job[Any]]) -> Mapping[int, Standing] | None:
        """Write in one unit; read after it, so that reads see it and do not fail with it."""
        journal = self._open()
        if journal is None:
            for job in group:
                job.error = self._failure
            return None
        writing = [job for job in group if job.writes]
        if writing:
            self._write(journal, writing)
        for job in group:
            if not job.writes and self._journal is None:
                job.error = self._failure  # what failed has closed the file
            elif not job.writes:
                _attempt(job, journal, OneCodeError)
        return journal.standings

    def _write(self, journal: Journal, writing: Sequence[_Job[Any]]) -> None:
        begun = time.monotonic()
        try:
            self._commit(journal, writing)
            self._failure = None
        except (Unavailable, Damaged) as error:
            for job in writing:
                job.error = type(error)(error.reason, error.detail)
            self._failure = error
            if isinstance(error, Damaged) or error.reason is not Reason.STORE_FULL:
                self._close()
        if len(writing) == 1 and writing[0].hot:
            self._note_speed(begun)

    def _commit(self, journal: Journal, writing: Sequence[_Job[Any]]) -> None:
        dear = any(job.dear for job in writing)
        while True:
            try:
                journal.write(lambda: self._attempt(journal, writing))
            except Unavailable as error:
                if error.reason is Reason.STORE_FULL and self._reserve.give(dear=dear):
                    continue
                raise
            return

    def _attempt(self, journal: Journal, writing: Sequence[_Job[Any]]) -> None:
        """All records first, in one pass: of those that wait together, none came before."""
        entries = [job.entry for job in writing if job.entry is not None]
        links = iter(journal.append_all(entries))
        for job in writing:
            if job.act is not None:
                _attempt(job, journal, Refused)
            else:
                job.result, job.error = next(links), None

    def _open(self) -> Journal | None:
        """The journal; opened anew after a failure, but not again and again."""
        if self._journal is None and time.monotonic() >= self._opened_at:
            self._opened_at = time.monotonic() + _SECONDS_BETWEEN_OPENINGS
            try:
                self._journal = self._opening()
                self._failure = None
            except (Unavailable, Damaged) as error:
                self._failure = error
        return self._journal

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _look_after_disk(self) -> None:
        """While nobody waits: begin the next transaction, fill the reserve again."""
        if self._journal is not None:
            self._journal.prepare()
        if not self._reserve.is_whole and time.monotonic() >= self._filled_at:
            self._filled_at = time.monotonic() + _SECONDS_BETWEEN_FILLS
            self._reserve.fill()

    def _note_speed(self, begun: float) -> None:
        now = time.monotonic()
        if now - begun > _FAST_SECONDS:
            self._loop_writes_from = now + _SHY * (now - begun)
        elif self._loop_writes_from == math.inf:
            self._loop_writes_from = now

    def _tell(self, group: Sequence[_Job[Any]], standings: Mapping[int, Standing] | None) -> None:
        """Runs in the loop, once a group; those it wakes may join the next one."""
        if standings is not None:
            self._told(standings)
        for job in group:
            job.tell()
        self._loop.call_soon(self._hand_over)


def _raise(error: BaseException, _journal: Journal) -> NoReturn:
    raise error


def _attempt(job: _Job[Any], journal: Journal, expected: type[OneCodeError]) -> None:
    assert job.act is not None
    try:
        job.result = job.act(journal)
        job.error = None
    except expected as error:
        job.error = error
