"""A fair turn for each box: one that floods central waits for itself, and nobody waits for it.

Of each box so many asks and so many batches are under way at once; a few more wait, in the order
they came; what is beyond is dropped, and counted. A box asks again, and sends its rows again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from central.ingest.mqtt import Message
from shared.errors import Malformed
from shared.topics import UP, parse_topic

MOST_AT_ONCE = 1000
"""Messages under way of all boxes; more wait in the connection."""


class Share(NamedTuple):
    """Of one box and one kind: how many messages are worked on at once, and how many wait, of how
    many bytes together."""

    at_once: int
    waiting: int
    waiting_bytes: int


ASKS = Share(at_once=16, waiting=256, waiting_bytes=1 << 20)
"""A counter asks once a second; a whole hall at one box is far below."""
BATCHES = Share(at_once=2, waiting=8, waiting_bytes=4 << 20)
"""A box has one batch in flight, and sends it again where it was not heard."""
REST = Share(at_once=16, waiting=64, waiting_bytes=1 << 20)
"""What it says of itself."""


_Key = tuple[str, str]
"""Box and kind."""


@dataclass
class _Line:
    workers: int = 0
    waiting: deque[Message] = field(default_factory=deque)
    waiting_bytes: int = 0


class Turns:
    """Starts the work on messages, in a task group of the caller's."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        handle: Callable[[Message], Awaitable[None]],
        dropped: Callable[[Message], None],
        asks: Share = ASKS,
        batches: Share = BATCHES,
    ) -> None:
        """``dropped`` is told what is beyond a box's share."""
        self._group = group
        self._handle = handle
        self._dropped = dropped
        self._shares = {"ask": asks, UP: batches}
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._lines: dict[_Key, _Line] = {}

    async def put(self, message: Message) -> None:
        """Begin on a message, let it wait behind others of its box, or drop it. Waits only while
        very many boxes are served at once."""
        key = _key(message.topic)
        share, line = self._shares.get(key[1], REST), self._lines.setdefault(key, _Line())
        if line.workers < share.at_once:
            line.workers += 1
            await self._room.acquire()
            self._group.create_task(self._work(key, line, message))
        elif (
            len(line.waiting) < share.waiting
            and line.waiting_bytes + len(message.payload) <= share.waiting_bytes
        ):
            line.waiting.append(message)
            line.waiting_bytes += len(message.payload)
        else:
            self._dropped(message)

    async def _work(self, key: _Key, line: _Line, message: Message) -> None:
        try:
            await self._handle(message)
            while line.waiting:
                message = line.waiting.popleft()
                line.waiting_bytes -= len(message.payload)
                await self._handle(message)
        finally:
            self._room.release()
            line.workers -= 1
            if not line.workers:
                self._lines.pop(key, None)


def _key(topic: str) -> _Key:
    try:
        box, kind = parse_topic(topic)
    except Malformed:
        return "", ""
    return str(box), kind.partition("/")[0]
