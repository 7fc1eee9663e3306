"""What is typed at a page and not yet sent, so that a reload or a cover-up loses nothing.

It is personal: it lies in the box's memory alone, under a name that only its page knows; gone when
it was sent, when whoever was signed in goes, and ten minutes after the last stroke.
"""

import asyncio
from collections import OrderedDict
from typing import Generic, TypeVar

from agent.counter.operators import Operators
from agent.counter.views import OperatorView
from shared.clock import Clock

KEEP_SECONDS = 600
MOST_DRAFTS = 32

T = TypeVar("T")


class FormDrafts(Generic[T]):
    """At most one form a page, of few pages: of too many the oldest is forgotten."""

    def __init__(self, operators: Operators, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[int, T]] = OrderedDict()
        self._operator = operators.current_id
        operators.changes.subscribe(self._follow)

    def keep(self, name: str, form: T) -> None:
        """In place of what the page had typed before."""
        self._drop_old()
        self._kept.pop(name, None)
        while len(self._kept) >= MOST_DRAFTS:
            self._kept.popitem(last=False)
        until = self._clock.monotonic_ns() + KEEP_SECONDS * 1_000_000_000
        self._kept[name] = until, form
        asyncio.get_running_loop().call_later(KEEP_SECONDS + 0.1, self._drop_old)

    def find(self, name: str) -> T | None:
        """What a page has typed."""
        self._drop_old()
        kept = self._kept.get(name)
        return kept[1] if kept else None

    def wipe(self, name: str) -> None:
        """It was sent, or cleared."""
        self._kept.pop(name, None)

    def _drop_old(self) -> None:
        now = self._clock.monotonic_ns()
        while self._kept and next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)

    def _follow(self, view: OperatorView) -> None:
        """Nobody finds the patient of whoever was here before."""
        if self._operator and view.id != self._operator:
            self._kept.clear()
        self._operator = view.id
