"""What the line tells the rest of the box: typed events, read by one listener."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from agent.transport.link_states import LinkState
from shared.ids import RecordId
from shared.messages import Reply
from shared.reasons import Reason

_MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The line went to another state."""

    state: LinkState
    since: datetime


@dataclass(frozen=True, slots=True)
class LateReply:
    """Central's authentic answer to ask ``id``, after its deadline."""

    id: RecordId
    reply: Reply
    at: datetime


@dataclass(frozen=True, slots=True)
class RowsSettled:
    """Central has custody of ``count`` more rows."""

    count: int


@dataclass(frozen=True, slots=True)
class Discarded:
    """A message that was not believed; ``kind`` is the tail of its topic."""

    kind: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class DesiredCame:
    """A message on ``desired`` that opened with the pair key; who signed it is not yet known."""

    plaintext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CommandCame:
    """A message on ``down/command``, opened with the pair key."""

    plaintext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListHeadCame:
    """A message on a list's topic; who signed it is not yet known."""

    payload: bytes = field(repr=False)


DownlinkEvent = (
    LinkChanged | LateReply | RowsSettled | Discarded | DesiredCame | CommandCame | ListHeadCame
)


class Downlink:
    """Events in order. When nobody listens, the oldest beyond ten thousand are forgotten."""

    def __init__(self) -> None:
        self._events: deque[DownlinkEvent] = deque(maxlen=_MOST_WAITING)
        self._more = asyncio.Event()

    def post(self, event: DownlinkEvent) -> None:
        """Tell the listener; never waits."""
        self._events.append(event)
        self._more.set()

    async def events(self) -> AsyncIterator[DownlinkEvent]:
        """Events for ever, each once; for one listener."""
        while True:
            while self._events:
                yield self._events.popleft()
            self._more.clear()
            await self._more.wait()
