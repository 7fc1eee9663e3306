"""Copies the write-ahead log back into the file, beside the writer: no patient waits for it.

A commit that ran into SQLite's own checkpoint would wait for a thousand pages and two syncs, some
ten milliseconds. Here another connection does it, which stops no writer (lang: ``PRAGMA
wal_checkpoint(PASSIVE)``). Where commits follow each other so closely that it never sees the end
of the log, the writer's own checkpoint comes at ``WRITERS_PAGES``.
"""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

DUE_PAGES = 1000
WRITERS_PAGES = 8000
"""``wal_autocheckpoint`` of the writer's connection: 32 MB of log at the most."""
_ROWS_A_PAGE = 5
_PAGES_A_COMMIT = 2


class Checkpointer:
    """Belongs to the loop; works in a thread of its own."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._pages = 0
        self._work: asyncio.Future[None] | None = None

    def note(self, rows: int) -> None:
        """A commit of so many rows has been made."""
        self._pages += _PAGES_A_COMMIT + rows // _ROWS_A_PAGE
        if self._pages >= DUE_PAGES and (self._work is None or self._work.done()):
            self._pages = 0
            self._work = self._loop.run_in_executor(self._thread, self._checkpoint)

    async def aclose(self) -> None:
        """Wait for what is under way."""
        if self._work is not None:
            await asyncio.shield(self._work)
        self._thread.shutdown(wait=False)

    def _checkpoint(self) -> None:
        """What cannot be copied now stays in the log, where it is as safe; the writer's own
        next commit says what is wrong with the disk."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
