"""The async face of the database: one thread writes, and what waits while it commits goes together.

Work is a plain callable. The thread takes everything that waits, runs each piece in a savepoint
inside one transaction, commits, and only then resolves the futures. Work that raises is rolled
back to its savepoint and gets its own error; the others commit.

Someone stands at a counter behind some work (an ask) and nobody behind other (a batch), so there
are two lanes that take turns: all the prompt work that waits, then one piece of the patient. A
flood of batches costs an ask the time of one.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Self, TypeVar

from central.storage.database import Database
from shared.errors import Unavailable
from shared.reasons import Reason

T = TypeVar("T")

_MOST_IN_A_COMMIT = 256
_MOST_PATIENT = 2_000
"""Twice what ingest has under way: more waits only where the database stands still."""


class _Job(Generic[T]):
    """A piece of work, and where its outcome goes once it is durable."""

    def __init__(self, work: Callable[[], T], future: asyncio.Future[T]) -> None:
        self._work = work
        self._future = future
        self._result: T
        self._error: BaseException | None = None

    def run(self, database: Database) -> None:
        try:
            with database.unit():
                self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - carried over to the task that awaits it
            self._error = error

    @property
    def failed(self) -> bool:
        return self._error is not None

    def fail(self, error: BaseException) -> None:
        self._error = error

    def resolve(self) -> None:
        """Runs in the loop. A task that was cancelled meanwhile hears nothing."""
        if self._future.done():
            return
        if self._error is not None:
            self._future.set_exception(self._error)
        else:
            self._future.set_result(self._result)


class Writer(AbstractAsyncContextManager["Writer"]):
    """Use as ``async with Writer(database) as writer``; leaving the block drains and stops."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._prompt: deque[_Job[Any]] = deque()
        self._patient: deque[_Job[Any]] = deque()
        self._came = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._write, name="central-writer", daemon=True)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        with self._came:
            self._stopping = True
            self._came.notify()
        await asyncio.to_thread(self._thread.join)

    async def run(self, work: Callable[[], T], *, patient: bool = False) -> T:
        """Run ``work`` in the writer's thread as a unit; its result, once that is durable.

        ``patient`` work lets what is not go first. Raises what ``work`` raised, or Unavailable or
        Damaged when the commit fails; Unavailable, too, where very much patient work waits.
        """
        if patient and len(self._patient) >= _MOST_PATIENT:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "too much waits")
        future: asyncio.Future[T] = self._loop.create_future()
        with self._came:
            (self._patient if patient else self._prompt).append(_Job(work, future))
            self._came.notify()
        return await future

    def _write(self) -> None:
        try:
            while self._wait():
                for jobs in (
                    self._take(self._prompt, _MOST_IN_A_COMMIT),
                    self._take(self._patient, 1),
                ):
                    if jobs:
                        self._commit(jobs)
                        self._loop.call_soon_threadsafe(_resolve, jobs)
        finally:
            self._database.close()

    def _wait(self) -> bool:
        """Wait for work; False when all is done and it is time to stop."""
        with self._came:
            while not self._prompt and not self._patient:
                if self._stopping:
                    return False
                self._came.wait()
        return True

    @staticmethod
    def _take(lane: "deque[_Job[Any]]", most: int) -> list[_Job[Any]]:
        """What waits in a lane. Only this thread takes, so what is there stays there."""
        return [lane.popleft() for _ in range(min(most, len(lane)))]

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        if len(jobs) == 1:
            jobs[0].run(self._database)  # its own unit is the transaction
            return
        try:
            with self._database.unit():
                for job in jobs:
                    job.run(self._database)
                    if job.failed and not self._database.in_unit:
                        # SQLite gave up the whole transaction (disk full, I/O): nothing of
                        # this round may be reported as done, and nothing more begun outside it.
                        raise Unavailable(Reason.STORE_UNAVAILABLE, "transaction lost")
        except BaseException as error:  # noqa: BLE001 - each task that waits for the commit hears it
            for job in jobs:
                job.fail(error)


def _resolve(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        job.resolve()
