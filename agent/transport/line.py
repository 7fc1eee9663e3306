"""The line to the broker that outlives its connections: connects, subscribes, returns after a loss.

Knows topics and states, not what a message says: what arrives goes to one receiver, state changes
to another. Presence on ``status`` is retained: online here, offline by the will or on stopping.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from agent.transport.link_states import Link, LinkState
from shared.backoff import Backoff
from shared.clock import Clock, to_microseconds
from shared.codec import statuses
from shared.errors import Malformed, Unavailable
from shared.exits import describe
from shared.ids import BoxId
from shared.messages import Status
from shared.reasons import Reason
from shared.topics import STATUS, build_topic, is_list_topic, parse_topic

_log = logging.getLogger(__name__)

_MOST_RETRY_SECONDS = 30.0
_LONGEST_TRY_SECONDS = 90.0
"""Name, TCP, TLS, CONNACK and SUBACK each have a limit of their own below it."""
_GOODBYE_SECONDS = 1.0


LISTED = "lists"
"""The tail of every list's topic: its signed head says which."""


class Message(NamedTuple):
    """What came down."""

    topic: str
    payload: bytes


class Connection(Protocol):
    """One open, subscribed connection to the broker."""

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Raises Unavailable."""
        ...

    def messages(self) -> AsyncIterator[Message]:
        """What arrives; ends by raising Unavailable when the connection is lost."""
        ...


OpenConnection = Callable[[bytes], AbstractAsyncContextManager[Connection]]
"""Opens one connection, given the will's payload."""


class Line:
    """Connects for ever while ``run`` runs."""

    def __init__(  # noqa: PLR0913 - as whom, by which clock and line, and who is told
        self,
        box: BoxId,
        clock: Clock,
        open_connection: OpenConnection,
        on_message: Callable[[str, bytes], None],
        on_change: Callable[[Link], None],
        *,
        retry_seconds: float,
    ) -> None:
        """``on_message`` gets a topic's tail and the payload of what was sent to this box;
        ``retry_seconds`` is the first wait after a loss, longer ones follow.
        """
        self._box = box
        self._clock = clock
        self._open = open_connection
        self._on_message = on_message
        self._on_change = on_change
        self._backoff = Backoff(retry_seconds, _MOST_RETRY_SECONDS)
        self._connection: Connection | None = None
        self._up = asyncio.Event()
        self._serving: asyncio.Timeout | None = None
        self._told: Reason | None = None
        self._stood = False
        self._stepped_ns = clock.monotonic_ns()
        self.link = Link(LinkState.DOWN, clock.now())

    @property
    def is_up(self) -> bool:
        """Whether a question would leave the box now and its answer arrive."""
        return self._connection is not None

    @property
    def trouble(self) -> Reason | None:
        """Why the last try failed; None while the line is up, and before the first."""
        return self._told

    async def wait_up(self) -> None:
        """Return once the line is up; at once if it is."""
        await self._up.wait()

    def open_anew(self) -> None:
        """Say goodbye and connect again, with what is then in the box's files."""
        if self._serving is not None:
            self._serving.reschedule(asyncio.get_running_loop().time())

    async def wait_moving(self) -> None:
        """Return at once, unless one try to connect lasts longer than any may: then never."""
        tried = (self._clock.monotonic_ns() - self._stepped_ns) / 1e9
        if self.link.state is LinkState.CONNECTING and tried > _LONGEST_TRY_SECONDS:
            await asyncio.get_running_loop().create_future()

    async def publish(self, kind: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Send below this box's root. Raises Unavailable: LINK_DOWN when nothing can have left."""
        if self._connection is None:
            raise Unavailable(Reason.LINK_DOWN)
        topic = build_topic(self._box, kind)
        await self._connection.publish(topic, payload, qos=qos, retain=retain)

    async def run(self) -> None:
        """Keep the line up until cancelled; then say offline and disconnect."""
        try:
            while True:
                self._step(LinkState.CONNECTING)
                lost = False
                self._stood = False
                try:
                    async with self._open(self._status(online=False)) as connection:
                        await self._serve_until_anew(connection)
                except Unavailable as error:
                    lost = self._stood
                    self._report(error)
                    # A connection that breaks while it is closed hides that we are to stop.
                    if (task := asyncio.current_task()) is not None and task.cancelling():
                        raise asyncio.CancelledError from error
                self._step(LinkState.BACKING_OFF)
                # Whoever has lost a broker is one of many who did: not all in the same second.
                seconds = self._backoff.spread_seconds if lost else self._backoff.next_seconds
                await asyncio.sleep(seconds())
        finally:
            self._step(LinkState.DOWN)

    async def _serve_until_anew(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(None) as serving:
                self._serving = serving
                await self._serve(connection)
        except TimeoutError:
            if not serving.expired():
                raise
            _log.info("the line is opened anew")
        finally:
            self._serving = None

    async def _serve(self, connection: Connection) -> None:
        topic = build_topic(self._box, STATUS)
        await connection.publish(topic, self._status(online=True), qos=1, retain=True)
        self._connection = connection
        self._told = None
        self._step(LinkState.UP)
        self._up.set()
        self._stood = True
        self._backoff.reset()
        try:
            async for message in connection.messages():
                self._receive(message.topic, message.payload)
        except asyncio.CancelledError:
            await self._say_offline(connection)
            raise
        finally:
            self._connection = None
            self._up.clear()

    async def _say_offline(self, connection: Connection) -> None:
        topic = build_topic(self._box, STATUS)
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await connection.publish(topic, self._status(online=False), qos=1, retain=True)
        except (TimeoutError, Unavailable):
            _log.debug("the broker did not take the goodbye; its will says the same")

    def _receive(self, topic: str, payload: bytes) -> None:
        if is_list_topic(topic):
            self._on_message(LISTED, payload)
            return
        try:
            box, kind = parse_topic(topic)
        except Malformed:
            _log.debug("not a box's topic: %d bytes dropped", len(payload))
            return
        if box == self._box:
            self._on_message(kind, payload)

    def _report(self, error: Unavailable) -> None:
        level = logging.DEBUG if error.reason is self._told else logging.WARNING
        self._told = error.reason
        _log.log(level, "no line to the broker: %s", describe(error))

    def _step(self, to: LinkState) -> None:
        self._stepped_ns = self._clock.monotonic_ns()
        self.link = self.link.step(to, self._clock.now())
        self._on_change(self.link)

    def _status(self, *, online: bool) -> bytes:
        return statuses.encode(Status(online, to_microseconds(self._clock.now())))
