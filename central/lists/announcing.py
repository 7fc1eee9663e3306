"""Keeps the lists composed and their heads on the broker: retained, signed, when they have changed.

All are sent on each connection, for the broker may have forgotten. Persons change with every
registration, so their heads go out once a minute.
"""

import asyncio
import logging
from typing import Protocol

from central.keys.service import Keys
from central.lists.service import Lists
from central.storage.writer import Writer
from shared.clock import Clock
from shared.errors import Unavailable
from shared.lists import ListHead, sign_head
from shared.messages import ListName
from shared.topics import build_list_topic

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
_PERSONS_NS = 60_000_000_000


class Connection(Protocol):
    """What goes to the broker."""

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Raises Unavailable."""
        ...


class ListAnnouncing:
    """Composes and announces while one connection lasts."""

    def __init__(self, keys: Keys, lists: Lists, writer: Writer, clock: Clock) -> None:
        self._keys = keys
        self._lists = lists
        self._writer = writer
        self._clock = clock
        self._sent: dict[tuple[ListName, str], tuple[ListHead, int]] = {}

    async def run(self, connection: Connection) -> None:
        """For ever; what could not be read or sent is tried again at the next look."""
        self._sent.clear()
        while True:
            try:
                while await self._writer.run(self._compose, patient=True):
                    pass
                await self._announce(connection)
            except Unavailable as error:
                _log.debug("lists wait: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    def _compose(self) -> bool:
        return self._lists.compose(self._clock.now())

    async def _announce(self, connection: Connection) -> None:
        for head in await self._writer.run(self._lists.list_heads, patient=True):
            key, now = (head.what, head.site), self._clock.monotonic_ns()
            sent, sent_ns = self._sent.get(key, (None, 0))
            early = head.what is ListName.PERSONS and now - sent_ns < _PERSONS_NS
            if sent == head or (sent is not None and early):
                continue
            topic = build_list_topic(head.what, head.site)
            payload = sign_head(self._keys.sign_announcement, head)
            await connection.publish(topic, payload, qos=1, retain=True)
            self._sent[key] = (head, now)
