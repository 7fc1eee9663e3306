"""Opening the queue's file: for the one writer, or to read beside it. Knows no table.

WAL with synchronous=FULL: with NORMAL a power cut took up to 865 committed rows (measured).
The one place where SQLite's and peewee's exceptions become ours.
"""

import errno
import fcntl
import os
import sqlite3
from pathlib import Path
from typing import cast

import peewee

from agent.offline_queue.checkpoint import WRITERS_PAGES
from shared.errors import Damaged, Unavailable
from shared.reasons import Reason

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 5000,  # milliseconds
    "wal_autocheckpoint": WRITERS_PAGES,
    "cache_size": -1000,  # KiB; what is written lies at the end of one tree
}
_NO_TEXT = "Could not decode to UTF-8"
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG})
_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: Reason.STORE_UNAVAILABLE,
    sqlite3.SQLITE_LOCKED: Reason.STORE_UNAVAILABLE,
    sqlite3.SQLITE_NOMEM: Reason.STORE_UNAVAILABLE,
    sqlite3.SQLITE_READONLY: Reason.STORE_READ_ONLY,
    sqlite3.SQLITE_IOERR: Reason.STORE_FAILING,
    sqlite3.SQLITE_FULL: Reason.STORE_FULL,
    # The log's index cannot be made longer, which only a full disk refuses.
    sqlite3.SQLITE_IOERR_SHMSIZE: Reason.STORE_FULL,
    sqlite3.SQLITE_CANTOPEN: Reason.STORE_UNAVAILABLE,
    sqlite3.SQLITE_PERM: Reason.STORE_UNAVAILABLE,
    sqlite3.SQLITE_PROTOCOL: Reason.STORE_UNAVAILABLE,
}
_OF_THE_SYSTEM = {
    errno.ENOSPC: Reason.STORE_FULL,
    errno.EDQUOT: Reason.STORE_FULL,
    errno.EROFS: Reason.STORE_READ_ONLY,
    errno.EIO: Reason.STORE_FAILING,
}
DISK_TROUBLES = frozenset({Reason.STORE_FULL, Reason.STORE_READ_ONLY, Reason.STORE_FAILING})
"""What a disk gets over, with no act at the box."""


class mapped_exceptions:  # noqa: N801 - read as ``with mapped_exceptions():``
    """Turn the disk's failures into Unavailable and Damaged; anything else is a bug and passes."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _at: object
    ) -> None:
        if isinstance(error, UnicodeDecodeError) or str(error).startswith(_NO_TEXT):
            # A text of ours is UTF-8; the driver has no code for one that is not, not even in the
            # words of another error.
            raise Damaged(Reason.STORE_DAMAGED, type(error).__name__) from error
        if isinstance(error, sqlite3.Error | peewee.DatabaseError):
            code = _code(error)
            if code & 0xFF in _DAMAGE:
                raise Damaged(Reason.STORE_DAMAGED, str(error)) from error
            if reason := _UNAVAILABLE.get(code) or _UNAVAILABLE.get(code & 0xFF):
                raise Unavailable(reason, str(error)) from error


def _code(error: BaseException) -> int:
    """SQLite's extended result code; peewee keeps the driver's exception as cause or context."""
    for driver in (error, error.__cause__, error.__context__):
        code = getattr(driver, "sqlite_errorcode", None)
        if code is not None:
            return int(code)
    return sqlite3.SQLITE_ERROR


class QueueFile:
    """The open file: a peewee database, its connection, and for the writer the lock.

    Belongs to the thread that opened it.
    """

    def __init__(self, database: peewee.SqliteDatabase, lock: int | None) -> None:
        self.database = database
        self._lock = lock

    @property
    def connection(self) -> sqlite3.Connection:
        """The driver's own connection, for plain SQL."""
        connection = self.database.connection()  # type: ignore[no-untyped-call]
        return cast(sqlite3.Connection, connection)

    def close(self) -> None:
        """Close the file, then give the lock back."""
        try:
            self.database.close()
        finally:
            if self._lock is not None:
                os.close(self._lock)


def open_for_writing(path: Path) -> QueueFile:
    """Open, or create with mode 0600, as the only writer among all processes.

    Raises Unavailable (no such directory, disk, another writer), Damaged (not a database).
    """
    lock = take_lock(path.with_name(path.name + ".lock"))
    # The thread and the loop take turns (``writer.py``): one connection, whoever asks.
    database = peewee.SqliteDatabase(
        str(path), pragmas=_PRAGMAS, thread_safe=False, check_same_thread=False
    )
    try:
        # SQLite gives the write-ahead log and its index the mode of the file itself.
        _create_private(path)
        with mapped_exceptions():
            database.connect()
    except Unavailable as error:
        os.close(lock)
        raise Unavailable(_why_not(path.parent) or error.reason, error.detail) from error
    except Damaged:
        os.close(lock)
        raise
    except peewee.DatabaseError as error:
        # Nothing but fixed pragmas was run: whatever else they meet is the file's.
        os.close(lock)
        raise Damaged(Reason.STORE_DAMAGED, str(error)) from error
    return QueueFile(database, lock)


def open_for_reading(path: Path, busy_milliseconds: int = 5000) -> QueueFile:
    """Open beside the writer, or after its crash, changing no record; wait so long for a lock.

    Raises Unavailable (missing), Damaged (not a database).
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    database = peewee.SqliteDatabase(
        uri, uri=True, pragmas={"busy_timeout": busy_milliseconds, "cache_size": -200}
    )
    with mapped_exceptions():
        database.connect()
    return QueueFile(database, None)


def unavailable(error: OSError) -> Unavailable:
    """What the system refuses, with the disk's trouble for a reason where it is one."""
    reason = _OF_THE_SYSTEM.get(error.errno or 0, Reason.STORE_UNAVAILABLE)
    return Unavailable(reason, str(error))


def _why_not(directory: Path) -> Reason | None:
    """What is wrong with a disk on which nothing can be opened: SQLite does not say."""
    try:
        room = os.statvfs(directory)
    except OSError as error:
        return _OF_THE_SYSTEM.get(error.errno or 0)
    if room.f_flag & os.ST_RDONLY:
        return Reason.STORE_READ_ONLY
    # Some file systems do not count files; then both numbers are zero.
    full = room.f_bavail == 0 or (room.f_files and room.f_favail == 0)
    return Reason.STORE_FULL if full else None


def _create_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise unavailable(error) from error


def take_lock(path: Path) -> int:
    """An advisory lock that the kernel drops when the process ends, however it ends."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unavailable(error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise Unavailable(Reason.STORE_UNAVAILABLE, "another process writes here") from error
    return lock
