"""A small SQLite file whose values are sealed under the box's own key: AES-256-GCM, each bound to
the key of its row. Losing it loses comfort, not records: a file that is damaged or of another key
is begun anew, and says so. Knows no table but the one that proves the key.
"""

import logging
import os
import sqlite3
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from shared.config import read_secret, write_secret
from shared.crypto import KEY_BYTES, NONCE_BYTES, STD, Aead
from shared.errors import NotAuthentic, Unavailable

log = logging.getLogger(__name__)

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""Unreadable pages, not a database, or not our tables."""
LOSSES = (sqlite3.Error, OSError, NotAuthentic, msgspec.MsgspecError)
"""What a damaged, full or foreign file raises when it is worked with."""


class CacheState(StrEnum):
    """How a sealed file stands; all but READY are worth a line on the state page."""

    READY = "ready"
    KEY_CHANGED = "key-changed"  # sealed under another key: begun anew, empty
    REBUILT = "rebuilt"  # the file was damaged: begun anew, empty
    LOST = "lost"  # what was last read or written could not be


class Layout(NamedTuple):
    """What is in a file: its version, the SQL that makes its one table, and how it is written."""

    name: str  # of the table
    version: int
    schema: str
    check: bytes  # sealed into the file, to know the key again
    bound: bytes  # what a value is of, so that none passes for another file's
    synchronous: str


class SealedFile:
    """The open file. Synchronous; belongs to one thread. Everything raises one of ``LOSSES``."""

    def __init__(
        self, connection: sqlite3.Connection, aead: Aead, bound: bytes, state: CacheState
    ) -> None:
        self.connection = connection
        self.state = state
        self._aead = aead
        self._bound = bound

    def seal(self, key: bytes, plaintext: bytes) -> bytes:
        """A value as the row of ``key`` holds it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.seal(nonce, plaintext, self._bound + key)

    def open(self, key: bytes, sealed: bytes) -> bytes:
        """The value of the row of ``key``."""
        return self._aead.open(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound + key)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def open_sealed_file(path: Path, key_path: Path, layout: Layout) -> SealedFile | None:
    """Open the file; begin it anew if it is damaged; None if the disk allows neither.

    Raises Refused, when others may read the key.
    """
    try:
        aead = STD.aead(_load_key(key_path))
        try:
            return _open_file(path, aead, layout, CacheState.READY)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGE:
                raise
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return _open_file(path, aead, layout, CacheState.REBUILT)
    except (sqlite3.Error, OSError, Unavailable) as error:
        log.warning("%s: cannot be opened: %s", path.name, error)
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


def _open_file(path: Path, aead: Aead, layout: Layout, state: CacheState) -> SealedFile:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA cache_size = -200")  # KiB; a box has several of these files
        connection.execute(f"PRAGMA synchronous = {layout.synchronous}")
        connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is not on the disk
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != layout.version:
            _begin(connection, aead, layout)
        elif not _is_ours(connection, aead, layout):
            _begin(connection, aead, layout)
            state = CacheState.KEY_CHANGED
    except sqlite3.Error:
        connection.close()
        raise
    return SealedFile(connection, aead, layout.bound, state)


def _begin(connection: sqlite3.Connection, aead: Aead, layout: Layout) -> None:
    """An empty table, and the proof of the key that seals what will be in it."""
    connection.executescript(
        "BEGIN; DROP TABLE IF EXISTS seal;"
        f" DROP TABLE IF EXISTS {layout.name};"
        f' CREATE TABLE seal ("check" BLOB NOT NULL); {layout.schema}'
        f" PRAGMA user_version = {layout.version};"
    )
    nonce = os.urandom(NONCE_BYTES)
    proof = nonce + aead.seal(nonce, b"", layout.check)
    connection.execute("INSERT INTO seal VALUES (?)", (proof,))
    connection.execute("COMMIT")


def _is_ours(connection: sqlite3.Connection, aead: Aead, layout: Layout) -> bool:
    found = connection.execute('SELECT "check" FROM seal').fetchall()
    try:
        for (proof,) in found:
            aead.open(proof[:NONCE_BYTES], proof[NONCE_BYTES:], layout.check)
    except NotAuthentic:
        return False
    return bool(found)
