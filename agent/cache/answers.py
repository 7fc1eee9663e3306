"""This box's own recent answers, sealed in a file: who a card belongs to, or why it was refused.

Implements ``agent.ports.Cache``. Losing the cache loses comfort, not records: nothing here raises
for a damaged, full or foreign file; the state says so instead, and the counter goes on without.
Keys of entries are tokens that the caller has keyed; values are AES-256-GCM under the box's own
key. ``synchronous=NORMAL``: a power cut may take the last answers.
"""

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.ports import CachedAnswer
from shared.clock import Clock, to_microseconds
from shared.config import read_secret, write_secret
from shared.crypto import KEY_BYTES, NONCE_BYTES, STD, Aead
from shared.errors import NotAuthentic, Unavailable

T = TypeVar("T")
log = logging.getLogger(__name__)

DEFAULT_TTL = timedelta(hours=24)
DEFAULT_LIMIT = 5000
"""Answers kept; the oldest go first. About 2 MB."""

_WRITE_BEHIND_SECONDS = 1.0
"""The answers of so long are written together; a crash takes them, and costs comfort only."""
_VERSION = 1
_SCHEMA = """
    CREATE TABLE seal ("check" BLOB NOT NULL);
    CREATE TABLE answer (token BLOB NOT NULL PRIMARY KEY, answered INTEGER NOT NULL,
                         sealed BLOB NOT NULL) WITHOUT ROWID;
    CREATE INDEX answer_answered ON answer (answered);
"""
_EVICT = (
    "DELETE FROM answer WHERE token IN"
    " (SELECT token FROM answer ORDER BY answered DESC LIMIT -1 OFFSET ?)"
)
_CHECK = b"onecode cache check 1"
_BOUND = b"onecode cached answer 1\0"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""Unreadable pages, not a database, or not our tables."""
_LOSSES = (sqlite3.Error, OSError, NotAuthentic, msgspec.MsgspecError)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CachedAnswer).decode


class CacheState(StrEnum):
    """How the cache stands; all but READY are worth a line on the state page."""

    READY = "ready"
    KEY_CHANGED = "key-changed"  # sealed under another key: begun anew, empty
    REBUILT = "rebuilt"  # the file was damaged: begun anew, empty
    LOST = "lost"  # the last answer could not be read or written


class AnswerFile:
    """The sealed file, made by ``open_answer_file``. Synchronous; belongs to one thread."""

    def __init__(self, connection: sqlite3.Connection, aead: Aead, state: CacheState) -> None:
        self.state = state
        self._connection = connection
        self._aead = aead

    def write(self, answers: Mapping[bytes, CachedAnswer], limit: int) -> None:
        """Keep answers by token, and at most ``limit`` in all. Raises sqlite3.Error."""
        rows = [
            (token, to_microseconds(answer.answered_at), _seal(self._aead, token, answer))
            for token, answer in answers.items()
        ]
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", rows)
            self._connection.execute(_EVICT, (limit,))

    def read(self, token: bytes) -> CachedAnswer | None:
        """An answer, however old. Raises what damage raises."""
        query = "SELECT sealed FROM answer WHERE token = ?"
        found = self._connection.execute(query, (token,)).fetchone()
        return None if found is None else _open(self._aead, token, found[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


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
        except _LOSSES as error:
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
    """Open the file; begin it anew if it is damaged; None if the disk allows neither.

    Raises Refused, when others may read the key.
    """
    try:
        aead = STD.aead(_load_key(key_path))
        try:
            return _open_file(path, aead, CacheState.READY)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGE:
                raise
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return _open_file(path, aead, CacheState.REBUILT)
    except (sqlite3.Error, OSError, Unavailable) as error:
        log.warning("cache: cannot be opened: %s", error)
        return None


def _load_key(path: Path) -> bytes:
    """The box's cache key; one that a power cut left short is made anew."""
    try:
        key = read_secret(path)
        if len(key) == KEY_BYTES:
            return key
        path.unlink()
    except Unavailable:
        pass  # the first start
    key = os.urandom(KEY_BYTES)
    write_secret(path, key)
    return key


def _open_file(path: Path, aead: Aead, state: CacheState) -> AnswerFile:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            _begin(connection, aead)
        elif not _is_ours(connection, aead):
            _begin(connection, aead)
            state = CacheState.KEY_CHANGED
    except sqlite3.Error:
        connection.close()
        raise
    return AnswerFile(connection, aead, state)


def _begin(connection: sqlite3.Connection, aead: Aead) -> None:
    """Empty tables, and the proof of the key that seals what will be in them."""
    connection.executescript(
        f"BEGIN; DROP TABLE IF EXISTS seal; DROP TABLE IF EXISTS answer; {_SCHEMA}"
        f"PRAGMA user_version = {_VERSION};"
    )
    nonce = os.urandom(NONCE_BYTES)
    proof = nonce + aead.seal(nonce, b"", _CHECK)
    connection.execute("INSERT INTO seal VALUES (?)", (proof,))
    connection.execute("COMMIT")


def _is_ours(connection: sqlite3.Connection, aead: Aead) -> bool:
    found = connection.execute('SELECT "check" FROM seal').fetchall()
    try:
        for (proof,) in found:
            aead.open(proof[:NONCE_BYTES], proof[NONCE_BYTES:], _CHECK)
    except NotAuthentic:
        return False
    return bool(found)


def _seal(aead: Aead, token: bytes, answer: CachedAnswer) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + aead.seal(nonce, _encode(answer), _BOUND + token)


def _open(aead: Aead, token: bytes, sealed: bytes) -> CachedAnswer:
    plaintext = aead.open(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _BOUND + token)
    return _decode(plaintext)
