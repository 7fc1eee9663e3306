"""Copies the write-ahead log back into the file, beside the writer: no patient waits for it.

A commit that ran into SQLite's own checkpoint would wait for a thousand pages and two syncs, some
ten milliseconds. Here another connection does it, which stops no writer (lang: ``PRAGMA
wal_checkpoint(PASSIVE)``), and the writer copies the few pages that came meanwhile: only a log that
is copied whole is begun anew, instead of growing up to ``WRITERS_PAGES``.

A commit that makes the log longer waits for the file system's own journal too, and takes two to
three times as long as one that writes over what is there (measured): so the log begins with
``LOG_BYTES`` (docs/adr/0024).
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

DUE_PAGES = 1000
WRITERS_PAGES = 8000
"""``wal_autocheckpoint`` of the writer's connection: 32 MB of log at the most."""
LOG_BYTES = 8 << 20
"""Twice what is due: a log is copied while commits go on."""
_ROOM = 4
"""The disk must have so many times that: it is not to be filled for speed."""
_ZEROS = bytes(64 << 10)
_ROWS_A_PAGE = 5
_PAGES_A_COMMIT = 2


class Checkpointer:
    """Belongs to the loop; works in a thread of its own."""

    def __init__(
        self, path: Path, loop: asyncio.AbstractEventLoop, finish: Callable[[], Awaitable[None]]
    ) -> None:
        """``finish`` has the writer copy what is left."""
        self._path = path
        self._loop = loop
        self._finish = finish
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._pages = 0
        self._work: asyncio.Task[None] | None = None

    def note(self, rows: int) -> None:
        """A commit has been made that wrote so many rows, or wrote them anew."""
        self._pages += _PAGES_A_COMMIT + rows // _ROWS_A_PAGE
        if self._pages >= DUE_PAGES and (self._work is None or self._work.done()):
            self._pages = 0
            self._work = self._loop.create_task(self._checkpoint(), name="checkpoint")

    async def aclose(self) -> None:
        """Wait for what is under way."""
        if self._work is not None:
            await asyncio.shield(self._work)
        self._thread.shutdown(wait=False)

    async def _checkpoint(self) -> None:
        await self._loop.run_in_executor(self._thread, self._copy)
        await self._finish()

    def _copy(self) -> None:
        """What cannot be copied now stays in the log, where it is as safe; the writer's own
        next commit says what is wrong with the disk."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            # The second time, what was committed during the first.
            for _ in range(2):
                copy_log(connection)


def copy_log(connection: sqlite3.Connection) -> None:
    """Copy what is in the log into the file, as far as those who read in it allow."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def make_room(path: Path) -> None:
    """Make the log of the open file at ``path`` long enough, with zeros behind what is in it: no
    frame has page 0, so SQLite reads none there. To be called while nobody writes.

    Zeros that are written, not allocated: a block's first use is the file system's business too.
    Never raises: without room the log grows as it always did.
    """
    with suppress(OSError):
        log = os.open(path.with_name(path.name + "-wal"), os.O_WRONLY | os.O_CLOEXEC)
        try:
            disk, size = os.fstatvfs(log), os.fstat(log).st_size
            if size >= LOG_BYTES or disk.f_bavail * disk.f_frsize < _ROOM * LOG_BYTES:
                return
            while size < LOG_BYTES:
                size += os.pwrite(log, _ZEROS[: LOG_BYTES - size], size)
            os.fdatasync(log)
        finally:
            os.close(log)
