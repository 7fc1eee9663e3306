"""How long to wait before the next try: exponential, jittered, bounded. Pure.

Jitter is the upper half of the step, so that many boxes that lost one broker do not return
together, and none returns at once.
"""

import random
from collections.abc import Callable

SPREAD = 8


class Backoff:
    """Waiting times of one thing that keeps failing; ``reset`` once it works."""

    def __init__(
        self,
        first_seconds: float,
        most_seconds: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """``chance`` gives numbers in [0, 1)."""
        self._first = first_seconds
        self._most = most_seconds
        self._chance = chance
        self._step = first_seconds

    def next_seconds(self) -> float:
        """The next wait, between half the step and the step; the step then doubles."""
        step = self._step
        self._step = min(self._most, step * 2)
        return step * (0.5 + self._chance() / 2)

    def spread_seconds(self) -> float:
        """The wait after losing what many lost at the same moment: up to ``SPREAD`` first steps."""
        return self._first * SPREAD * self._chance()

    def reset(self) -> None:
        """It worked: start small again."""
        self._step = self._first
