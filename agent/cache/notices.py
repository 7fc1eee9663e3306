"""Notices in a sealed file: those that nobody here has seen, and the ids of those that were.

Opened for each act and closed after it: notices are rare, and a box at rest holds neither a
connection nor a thread for them. ``synchronous=FULL``: what central is told is here survives a
power cut. A file that is damaged or of another key is begun anew: central's console has all.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.cache.sealed_file import LOSSES, CacheState, Layout, SealedFile, open_sealed_file
from shared.errors import NotAuthentic, Unavailable
from shared.notices import Notice
from shared.reasons import Reason

T = TypeVar("T")
log = logging.getLogger(__name__)

_LAYOUT = Layout(
    name="notice",
    version=1,
    schema="""
        CREATE TABLE notice (id BLOB NOT NULL PRIMARY KEY, sealed BLOB) WITHOUT ROWID;
    """,
    check=b"onecode notices check 1",
    bound=b"onecode notice 1\0",
    synchronous="FULL",
)
_MOST_SEEN = 2000
"""Ids remembered of what was seen; central stops repeating long before."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Notice).decode


class SealedNotices:
    """Implements ``agent.notices.service.Shelf``. All methods belong to one event loop."""

    def __init__(self, path: Path, key_path: Path) -> None:
        """Made at first use. Each method raises Refused when others may read the key."""
        self._path = path
        self._key_path = key_path
        self._at_work = asyncio.Lock()

    async def load(self) -> list[Notice]:
        """Those that nobody has seen, oldest first; none where no file can be had."""
        try:
            return await self._do(_load)
        except Unavailable as error:
            log.warning("notices cannot be read: %s", error)
            return []

    async def keep(self, notices: Sequence[Notice]) -> list[Notice]:
        """Put them on the disk; those that were not there yet. Raises Unavailable (disk)."""
        return await self._do(partial(_keep, notices=notices))

    async def see(self, ids: Sequence[bytes]) -> None:
        """Erase their words, remember their ids. Raises Unavailable (disk)."""
        await self._do(partial(_see, ids=ids))

    async def _do(self, work: Callable[[SealedFile], T]) -> T:
        async with self._at_work:
            return await asyncio.shield(asyncio.to_thread(self._work, work))

    def _work(self, work: Callable[[SealedFile], T]) -> T:
        file = open_sealed_file(self._path, self._key_path, _LAYOUT)
        if file is None:
            raise Unavailable(Reason.STORE_UNAVAILABLE, self._path.name)
        try:
            if file.state is not CacheState.READY:
                log.warning("notices: %s", file.state)
            return work(file)
        except LOSSES as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, self._path.name) from error
        finally:
            file.close()


def _load(file: SealedFile) -> list[Notice]:
    """By id, which is a UUIDv7. What does not open counts as seen: its words are lost."""
    found, damaged = [], []
    rows = file.connection.execute("SELECT id, sealed FROM notice WHERE sealed IS NOT NULL")
    for id, sealed in rows:
        try:
            found.append(_decode(file.open(id, sealed)))
        except (NotAuthentic, msgspec.MsgspecError):
            damaged.append(id)
    if damaged:
        log.warning("notices: %d cannot be read", len(damaged))
        _see(file, damaged)
    return sorted(found, key=lambda notice: notice.id)


def _keep(file: SealedFile, notices: Sequence[Notice]) -> list[Notice]:
    new = []
    with file.connection as connection:
        connection.execute("BEGIN")
        for notice in notices:
            row = (notice.id, file.seal(notice.id, _encode(notice)))
            statement = "INSERT INTO notice VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
            if connection.execute(statement, row).rowcount:
                new.append(notice)
    return new


def _see(file: SealedFile, ids: Sequence[bytes]) -> None:
    with file.connection as connection:
        connection.execute("BEGIN")
        keys = [(id,) for id in ids]
        connection.executemany("UPDATE notice SET sealed = NULL WHERE id = ?", keys)
        connection.execute(
            "DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE sealed IS NULL"
            " ORDER BY id DESC LIMIT -1 OFFSET ?)",
            (_MOST_SEEN,),
        )
