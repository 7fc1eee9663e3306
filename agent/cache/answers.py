"""This box's own recent answers, sealed in a file: who a card belongs to, or why it was refused.

Implements ``agent.ports.Cache``. Losing the cache loses comfort, not records: nothing here raises
for a damaged, full or foreign file; the state says so instead, and the counter goes on without.
Keys of entries are tokens that the caller has keyed; values are AES-256-GCM under the box's own
key. ``synchronous=NORMAL``: a power cut may take the last answers.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.cache.sealed_file import LOSSES, CacheState, Layout, SealedFile, open_sealed_file
from agent.ports import CachedAnswer
from shared.clock import Clock, to_microseconds

T = TypeVar("T")
log = logging.getLogger(__name__)

DEFAULT_TTL = timedelta(hours=24)
DEFAULT_LIMIT = 5000
"""Answers kept; the oldest go first. About 2 MB."""

_WRITE_BEHIND_SECONDS = 1.0
"""The answers of so long are written together; a crash takes them, and costs comfort only."""
_LAYOUT = Layout(
    name="answer",
    version=1,
    schema="""
        CREATE TABLE answer (token BLOB NOT NULL PRIMARY KEY, answered INTEGER NOT NULL,
                             sealed BLOB NOT NULL) WITHOUT ROWID;
        CREATE INDEX answer_answered ON answer (answered);
    """,
    check=b"onecode cache check 1",
    bound=b"onecode cached answer 1\0",
    synchronous="NORMAL",
)
_EVICT = (
    "DELETE FROM answer WHERE token IN"
    " (SELECT token FROM answer ORDER BY answered DESC LIMIT -1 OFFSET ?)"
)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CachedAnswer).decode


class AnswerFile:
    """Answers in their sealed file. Synchronous; belongs to one thread."""

    def __init__(self, sealed: SealedFile) -> None:
        self.state = sealed.state
        self._sealed = sealed

    def write(self, answers: Mapping[bytes, CachedAnswer], limit: int) -> None:
        """Keep answers by token, and at most ``limit`` in all. Raises sqlite3.Error."""
        rows = [
            (token, to_microseconds(answer.answered_at), self._sealed.seal(token, _encode(answer)))
            for token, answer in answers.items()
        ]
        with self._sealed.connection as connection:
            connection.execute("BEGIN")
            connection.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", rows)
            connection.execute(_EVICT, (limit,))

    def read(self, token: bytes) -> CachedAnswer | None:
        """An answer, however old. Raises what damage raises."""
        query = "SELECT sealed FROM answer WHERE token = ?"
        found = self._sealed.connection.execute(query, (token,)).fetchone()
        return None if found is None else _decode(self._sealed.open(token, found[0]))

    def close(self) -> None:
        """Close the file."""
        self._sealed.close()


class SealedAnswers:
    """The cache, made by ``open_cache``. All methods belong to one event loop."""

    def __init__(
        self,
        file: AnswerFile | None,
        thread: ThreadPoolExecutor,
        clock: Clock,
        ttl: timedelta,
        limit: int,
    ) -> None:
        """Without a ``file`` nothing is remembered."""
        self._file = file
        self._thread = thread
        self._clock = clock
        self._ttl = ttl
        self._limit = limit
        self._fresh: dict[bytes, CachedAnswer] = {}
        self._came = asyncio.Event()
        self._state = CacheState.LOST if file is None else file.state

    @property
    def state(self) -> CacheState:
        """How the cache stands."""
        return self._state

    async def remember(self, token: bytes, answer: CachedAnswer) -> None:
        """Keep what central said of a code; the last word counts. No patient waits for the disk."""
        if self._file is not None:
            self._fresh[token] = answer
            self._came.set()

    async def write_behind(self) -> None:
        """Write what is fresh, a second's answers at a time, until cancelled."""
        while True:
            await self._came.wait()
            await asyncio.sleep(_WRITE_BEHIND_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what is fresh now."""
        self._came.clear()
        if self._file is None or not self._fresh:
            return
        writing = self._fresh.copy()
        await self._run(partial(self._file.write, writing, self._limit))
        for token, answer in writing.items():
            if self._fresh.get(token) is answer:
                del self._fresh[token]

    async def recall(self, token: bytes) -> CachedAnswer | None:
        """What central said, if that is not too long ago by this box's clock.

        An answer as far in the future is not believed either: one of the clocks was wrong.
        """
        if self._file is None:
            return None
        answer = self._fresh.get(token) or await self._run(partial(self._file.read, token))
        if answer is None or abs(self._clock.now() - answer.answered_at) >= self._ttl:
            return None
        return answer

    async def _run(self, work: Callable[[], T]) -> T | None:
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except LOSSES as error:
            level = logging.DEBUG if self._state == CacheState.LOST else logging.WARNING
            log.log(level, "cache: %s: %s", type(error).__name__, error)
            self._state = CacheState.LOST
            return None
        if self._state == CacheState.LOST:
            self._state = CacheState.READY
        return result


@asynccontextmanager
async def open_cache(
    path: Path,
    key_path: Path,
    clock: Clock,
    ttl: timedelta = DEFAULT_TTL,
    limit: int = DEFAULT_LIMIT,
) -> AsyncIterator[SealedAnswers]:
    """The cache at ``path`` under the key at ``key_path``; both are made at first use.

    Raises Refused only, when others may read the key.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "cache") as thread:
        file = await loop.run_in_executor(thread, open_answer_file, path, key_path)
        answers = SealedAnswers(file, thread, clock, ttl, limit)
        if answers.state != CacheState.READY:
            log.warning("cache: %s", answers.state)
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(answers.write_behind(), name="cache")
                yield answers
                writing.cancel()
        finally:
            await asyncio.shield(answers.flush())
            if file is not None:
                await asyncio.shield(loop.run_in_executor(thread, file.close))


def open_answer_file(path: Path, key_path: Path) -> AnswerFile | None:
    """Open the file, or begin it anew; None if the disk allows neither. Raises Refused, when
    others may read the key."""
    sealed = open_sealed_file(path, key_path, _LAYOUT)
    return None if sealed is None else AnswerFile(sealed)
