"""The "again" window: the same text at the same counter within seconds is one showing.

A phone resting on the scanner pad reads many times; only the first read is judged and only it
uses a code up (CONTRACTS §1).
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta

from agent.counter.birth import Birth, Registrar
from agent.counter.views import ScanView


@dataclass(frozen=True, slots=True)
class FirstRead:
    """The read that is judged; ``shown`` has its view once there is one."""

    birth: Birth
    shown: asyncio.Future[ScanView] = field(default_factory=asyncio.Future)


class AgainWindow:
    """First reads by the token of their text, for as long as the window is open."""

    def __init__(self, window: timedelta, registrar: Registrar) -> None:
        self.window = window
        self._registrar = registrar
        self._firsts: OrderedDict[bytes, FirstRead] = OrderedDict()

    def find(self, token: bytes) -> FirstRead | None:
        """The first read of this text, if the window is still open."""
        while self._firsts:
            oldest = next(iter(self._firsts))
            if self._registrar.age(self._firsts[oldest].birth) < self.window:
                break
            del self._firsts[oldest]
        return self._firsts.get(token)

    def open(self, token: bytes, birth: Birth) -> FirstRead:
        """Begin a window with this read."""
        first = FirstRead(birth)
        self._firsts[token] = first
        self._firsts.move_to_end(token)
        return first

    def close(self, token: bytes, first: FirstRead) -> None:
        """Forget a first read that came to nothing: the next one is judged afresh."""
        if self._firsts.get(token) is first:
            del self._firsts[token]
