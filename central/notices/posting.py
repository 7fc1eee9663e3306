"""Sends boxes their notices until each has acknowledged them: at once when one is posted or a box
is heard again, then ever more seldom. A bridge loses what it carries during a cut, and nobody
keeps a message for a box that is away: only repeating brings it there (CONTRACTS §3).
"""

import asyncio
import logging
from functools import partial
from typing import Protocol

from central.notices.service import Notices
from central.storage.database import Database
from central.storage.writer import Writer
from shared.backoff import Backoff
from shared.errors import Refused, Unavailable
from shared.ids import BoxId
from shared.topics import COMMAND, build_topic

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_FIRST_REPEAT_SECONDS = 3.0
_MOST_REPEAT_SECONDS = 60.0


class Connection(Protocol):
    """What goes to the broker."""

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Raises Unavailable."""
        ...


class Posting:
    """Posts while one connection lasts."""

    def __init__(self, database: Database, notices: Notices, writer: Writer) -> None:
        self._database = database
        self._notices = notices
        self._writer = writer
        self._due: dict[BoxId, tuple[float, Backoff]] = {}
        self._seen = (-1, -1)
        self._heard = asyncio.Event()

    def note_heard(self, box: BoxId) -> None:
        """A box is there, or has taken what it was sent: what waits for it goes at once."""
        self._due.pop(box, None)
        self._seen = (-1, -1)
        self._heard.set()

    async def run(self, connection: Connection) -> None:
        """Post for ever; what could not be read or sent is tried again at the next look."""
        self._due.clear()
        self._seen = (-1, -1)
        while True:
            try:
                await self._post(connection)
            except Unavailable as error:
                _log.debug("notices wait: %s", error)
            self._heard.clear()
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._heard.wait()
            except TimeoutError:
                pass

    async def _post(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        waiting = await self._writer.run(self._read_waiting, patient=True)
        if waiting is not None:
            self._due = {box: self._due.get(box) or _first() for box in waiting}
        for box, (at, backoff) in tuple(self._due.items()):
            if at > now:
                continue
            payload = await self._writer.run(partial(self._seal, box), patient=True)
            self._due[box] = (now + backoff.next_seconds(), backoff)
            if payload is not None:
                await connection.publish(build_topic(box, COMMAND), payload, qos=1)

    def _read_waiting(self) -> list[BoxId] | None:
        """Whom anything waits for; None when nothing was committed since the last look."""
        version = int(self._database.execute("PRAGMA data_version").fetchone()[0])
        seen = (version, self._notices.changes)
        if seen == self._seen:
            return None
        self._seen = seen
        return self._notices.list_boxes_waiting()

    def _seal(self, box: BoxId) -> bytes | None:
        try:
            return self._notices.seal_waiting(box)
        except Refused as error:
            _log.debug("box %s is not told: %s", box, error)
            return None


def _first() -> tuple[float, Backoff]:
    return 0.0, Backoff(_FIRST_REPEAT_SECONDS, _MOST_REPEAT_SECONDS)
