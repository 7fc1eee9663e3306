"""An open scanner's line, and the loop that opens, watches and reopens it.

What differs between serial and keyboard scanners is a ``Line``: a file descriptor, how to read
it, how it fails. What they share is here: states as events, silence as the end of a frame,
waiting longer between tries while the device is away. No third-party library.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import closing
from functools import partial
from typing import ClassVar, Protocol

from agent.drivers.access import DENIED
from agent.drivers.framing import NO_AFFIXES, Affixes, Framer, Piece
from agent.drivers.health import ScannerHealth
from agent.ports import DeviceChanged, DeviceDescriptor, ScannerEvent
from shared.backoff import Backoff
from shared.clock import Clock
from shared.devices import DeviceState
from shared.errors import Unavailable
from shared.reasons import Reason

QUEUE_LIMIT = 64
"""Frames a busy consumer may leave lying; beyond it the bytes wait in the kernel."""

FIRST_WAIT_SECONDS = 0.1
MOST_WAIT_SECONDS = 2.0
"""Between tries to open: a clerk who plugs the scanner in again waits two seconds at most."""


class Line(Protocol):
    """One open device, non-blocking."""

    @property
    def framer(self) -> Framer: ...

    def fileno(self) -> int: ...

    def read(self) -> list[Piece]:
        """What the descriptor holds now. Raises Unavailable when the device is gone."""
        ...

    def close(self) -> None: ...


class LineScanner(ABC):
    """A source of frames from one device; implements ``agent.ports.Scanner``.

    A driver says how its line is opened.
    """

    typed: ClassVar[bool] = False
    """Codes come as key presses, so that CapsLock, Shift and layouts matter."""

    def __init__(
        self,
        descriptor: DeviceDescriptor,
        gap_seconds: float,
        clock: Clock,
        affixes: Affixes = NO_AFFIXES,
    ) -> None:
        self.on_open: Callable[[Line], None] | None = None
        """Told of each line that opens, for a technician's test."""
        self._descriptor = descriptor
        self._gap_seconds = gap_seconds
        self._clock = clock
        self._affixes = affixes

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._descriptor

    @abstractmethod
    def open_line(self, path: str) -> Line:
        """Open the device at ``path``. Raises Unavailable, as ``watch`` has it."""

    def events(self) -> AsyncIterator[ScannerEvent]:
        health = partial(ScannerHealth, self._descriptor, typed=self.typed, affixes=self._affixes)
        return watch(self._descriptor, self._open, self._gap_seconds, self._clock, health)

    def _open(self) -> Line:
        line = self.open_line(self._descriptor.location)
        if self.on_open is not None:
            self.on_open(line)
        return line


async def watch(
    device: DeviceDescriptor,
    open_line: Callable[[], Line],
    gap_seconds: float,
    clock: Clock,
    examine: Callable[[], ScannerHealth],
) -> AsyncIterator[ScannerEvent]:
    """Frames and state changes of one device, for ever. ``examine`` begins a new examination:
    what was wrong with a scanner is forgotten when it leaves.

    ``open_line`` raises Unavailable: a reason of ``access.DENIED`` means it is there but may not
    be opened, anything else that it is absent. A state is told once, however often opening fails.
    """
    backoff = Backoff(FIRST_WAIT_SECONDS, MOST_WAIT_SECONDS)
    told: Reason | None = None
    yield DeviceChanged(device, DeviceState.OPENING)
    while True:
        try:
            line = open_line()
        except Unavailable as error:
            lost = error
        else:
            backoff.reset()
            told = None
            with closing(line):
                yield DeviceChanged(device, DeviceState.READY)
                reading = _Reading(line, gap_seconds, clock, examine())
                try:
                    while (event := await reading.next()) is not None:
                        yield event
                finally:
                    reading.stop()
                lost = reading.lost()
        if told is not lost.reason:
            told = lost.reason
            denied = told in DENIED
            yield DeviceChanged(device, DeviceState.DENIED if denied else DeviceState.ABSENT, told)
        await asyncio.sleep(backoff.next_seconds())


class _Reading:
    """One line on the event loop: read when readable, so that times and silences are true even
    while whoever consumes the events is busy."""

    def __init__(self, line: Line, gap_seconds: float, clock: Clock, health: ScannerHealth) -> None:
        self._line = line
        self._health = health
        self._gap_seconds = gap_seconds
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._events: deque[ScannerEvent] = deque()
        self._stirred = asyncio.Event()
        self._silence: asyncio.TimerHandle | None = None
        self._lost: Unavailable | None = None
        self._listening = False

    async def next(self) -> ScannerEvent | None:
        """The next event; None when the line is lost and everything before it is told."""
        while not self._events:
            if self._lost is not None:
                return None
            self._listen()
            self._stirred.clear()
            await self._stirred.wait()
        return self._events.popleft()

    def lost(self) -> Unavailable:
        """Why ``next`` gave None."""
        return self._lost or Unavailable(Reason.DEVICE_ABSENT)

    def stop(self) -> None:
        """Leave the event loop; needed before the line is closed."""
        if self._listening:
            self._loop.remove_reader(self._line.fileno())
            self._listening = False
        if self._silence is not None:
            self._silence.cancel()

    def _listen(self) -> None:
        if not self._listening:
            self._loop.add_reader(self._line.fileno(), self._on_readable)
            self._listening = True
            self._await_silence()

    def _await_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._loop.call_later(self._gap_seconds, self._on_silence)

    def _on_readable(self) -> None:
        try:
            pieces = self._line.read()
        except Unavailable as error:
            self.stop()
            self._lost = error
            self._queue(self._line.framer.cut())
            self._stirred.set()
            return
        self._await_silence()
        self._queue(pieces)
        if len(self._events) >= QUEUE_LIMIT:
            self.stop()  # and no silence either: bytes may lie in the kernel

    def _on_silence(self) -> None:
        self._queue(self._line.framer.gap())

    def _queue(self, pieces: Iterable[Piece]) -> None:
        at = self._clock.now()
        for piece in pieces:
            self._events += self._health.judge(piece, at)
            self._stirred.set()
