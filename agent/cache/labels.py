"""Today's labels, sealed in a file: what a restart needs to show them, to ask about them and to
print them again.

Implements ``agent.ports.LabelJournal``. ``synchronous=FULL``: a label that is kept before its
first byte leaves is there after a power cut. A file that is damaged, full or of another key never
stands in the way of printing: ``trouble`` says so, and every record is in the queue all the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec

from agent.cache.sealed_file import LOSSES, CacheState, Layout, SealedFile, open_sealed_file
from agent.ports import KeptLabel
from shared.errors import NotAuthentic
from shared.ids import RecordId
from shared.reasons import Reason

T = TypeVar("T")
log = logging.getLogger(__name__)

LAYOUT = Layout(
    name="label",
    version=1,
    schema="""
        CREATE TABLE label (registration BLOB NOT NULL PRIMARY KEY, sealed BLOB NOT NULL)
            WITHOUT ROWID;
    """,
    check=b"onecode labels check 1",
    bound=b"onecode kept label 1\0",
    synchronous="FULL",
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KeptLabel).decode


class SealedLabels:
    """The journal, made by ``open_labels``. All methods belong to one event loop; the file to one
    thread, which does in order what it is asked."""

    def __init__(self, file: SealedFile | None, thread: ThreadPoolExecutor) -> None:
        """Without a ``file`` nothing is kept."""
        self._file = file
        self._thread = thread
        self._state = CacheState.LOST if file is None else file.state

    @property
    def trouble(self) -> Reason | None:
        return None if self._state is CacheState.READY else Reason.LABELS_LOST

    async def load(self) -> Sequence[KeptLabel]:
        loaded = await self._run(_load)
        if loaded is None:
            return ()
        kept, damaged = loaded
        if damaged:
            log.warning("labels: %d cannot be read and are erased", len(damaged))
            self._state = CacheState.REBUILT
            self.erase_soon(damaged)
        return kept

    async def keep(self, kept: KeptLabel) -> None:
        await self._run(partial(_keep, kept=kept))

    def keep_soon(self, kept: KeptLabel) -> None:
        self._do_soon(partial(_keep, kept=kept))

    def erase_soon(self, registrations: Sequence[RecordId]) -> None:
        self._do_soon(partial(_erase, registrations=registrations))

    def _do_soon(self, work: Callable[[SealedFile], None]) -> None:
        """Handed to the thread now, before whatever is asked later."""
        if self._file is None:
            return
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._thread, work, self._file)
        working.add_done_callback(self._take)

    async def _run(self, work: Callable[[SealedFile], T]) -> T | None:
        if self._file is None:
            return None
        working = asyncio.get_running_loop().run_in_executor(self._thread, work, self._file)
        await asyncio.wait((working,))
        return self._take(working)

    def _take(self, working: asyncio.Future[T]) -> T | None:
        """What came of it; what damage raises is said, and a bug passes."""
        try:
            result = working.result()
        except LOSSES as error:
            level = logging.DEBUG if self._state is CacheState.LOST else logging.WARNING
            log.log(level, "labels: %s: %s", type(error).__name__, error)
            self._state = CacheState.LOST
            return None
        if self._state is CacheState.LOST:
            self._state = CacheState.READY
        return result


def _load(file: SealedFile) -> tuple[list[KeptLabel], list[RecordId]]:
    """What can be read, and what cannot. Registrations are UUIDv7: the oldest comes first."""
    kept, damaged = [], []
    rows = file.connection.execute("SELECT registration, sealed FROM label ORDER BY registration")
    for registration, sealed in rows:
        try:
            kept.append(_decode(file.open(registration, sealed)))
        except (NotAuthentic, msgspec.MsgspecError):
            damaged.append(RecordId(UUID(bytes=registration)))
    return kept, damaged


def _keep(file: SealedFile, kept: KeptLabel) -> None:
    key = kept.registration.bytes
    row = (key, file.seal(key, _encode(kept)))
    file.connection.execute("INSERT OR REPLACE INTO label VALUES (?, ?)", row)


def _erase(file: SealedFile, registrations: Sequence[RecordId]) -> None:
    """Their pages are overwritten (``secure_delete``), and the write-ahead log is emptied."""
    keys = [(registration.bytes,) for registration in registrations]
    with file.connection as connection:
        connection.execute("BEGIN")
        connection.executemany("DELETE FROM label WHERE registration = ?", keys)
    file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@asynccontextmanager
async def open_labels(path: Path, key_path: Path) -> AsyncIterator[SealedLabels]:
    """The journal at ``path`` under the key at ``key_path``; both are made at first use.

    Raises Refused only, when others may read the key.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "labels") as thread:
        file = await loop.run_in_executor(thread, open_sealed_file, path, key_path, LAYOUT)
        labels = SealedLabels(file, thread)
        if labels.trouble is not None:
            log.warning("labels: %s", labels.trouble)
        try:
            yield labels
        finally:
            if file is not None:
                await asyncio.shield(loop.run_in_executor(thread, file.close))
