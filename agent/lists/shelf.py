"""The asynchronous face of the lists' file: one thread, and what becomes of a file that is damaged.

Damage is said by ``state`` and never raised; a file whose pages are damaged is begun anew.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from agent.cache.sealed_file import LOSSES, CacheState, open_sealed_file
from agent.lists.file import LAYOUT, ListFile
from shared.errors import NotAuthentic, Refused, Unavailable
from shared.reasons import Reason

T = TypeVar("T")
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
log = logging.getLogger(__name__)


class Shelf:
    """Made by ``open_shelf``; belongs to one event loop."""

    def __init__(self, path: Path, key_path: Path, thread: ThreadPoolExecutor) -> None:
        self._path = path
        self._key_path = key_path
        self._thread = thread
        self._file: ListFile | None = None
        self.state = CacheState.LOST
        self.damaged = False  # pages that cannot be read were met

    async def open(self) -> None:
        """Open the file, or begin it anew. Raises Refused, when others may read the key."""
        self._file = await self._in_thread(self._open)
        self.state = CacheState.LOST if self._file is None else self._file.state

    async def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            await self._in_thread(self._file.close)

    async def begin_anew(self) -> None:
        """The file's pages are damaged: an empty one takes its place."""
        await self.close()
        self.damaged = False
        self._file = await self._in_thread(partial(self._open, anew=True))
        self.state = CacheState.LOST if self._file is None else CacheState.REBUILT

    async def ask(self, work: Callable[[ListFile], T]) -> T | None:
        """What the file says; None where it cannot."""
        if self._file is None:
            return None
        try:
            result = await self._in_thread(partial(work, self._file))
        except LOSSES as error:
            code = getattr(error, "sqlite_errorcode", 0)
            self.damaged = self.damaged or code & 0xFF in _DAMAGE
            level = logging.DEBUG if self.state is CacheState.LOST else logging.WARNING
            log.log(level, "lists: %s: %s", type(error).__name__, error)
            self.state = CacheState.LOST
            return None
        if self.state is CacheState.LOST:
            self.state = CacheState.READY
        return result

    async def change(self, work: Callable[[ListFile], None]) -> None:
        """Have the file take something. Raises Refused as ``work`` does, Unavailable where it can
        take nothing."""
        refusal = await self.ask(partial(_refusal_of, work))
        if refusal is not None:
            raise refusal
        if self.state is CacheState.LOST:
            raise Unavailable(Reason.LIST_LOST)

    def _open(self, *, anew: bool = False) -> ListFile | None:
        if anew:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        sealed = open_sealed_file(self._path, self._key_path, LAYOUT)
        return None if sealed is None else ListFile(sealed)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _refusal_of(work: Callable[[ListFile], None], file: ListFile) -> Refused | None:
    try:
        work(file)
    except NotAuthentic:
        raise  # of the file's own seal
    except Refused as refusal:
        return refusal
    return None


@asynccontextmanager
async def open_shelf(path: Path, key_path: Path) -> AsyncIterator[Shelf]:
    """The file at ``path`` under the key at ``key_path``; both are made at first use.

    Raises Refused only, when others may read the key.
    """
    with ThreadPoolExecutor(1, "lists") as thread:
        shelf = Shelf(path, key_path, thread)
        await shelf.open()
        try:
            yield shelf
        finally:
            await asyncio.shield(shelf.close())
