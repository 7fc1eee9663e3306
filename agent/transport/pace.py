"""How fast a backlog may leave: a token bucket of rows. Pure but for the clock it is given.

A box that was away for days comes back with much to tell, and with it every other box of the
region. Fresh records are not held back; what is old can wait its turn.
"""

from collections.abc import Callable

ROWS_A_SECOND = 3_000.0
"""A hundred thousand rows in 33 seconds; central takes some 4,000 a second from all."""
BURST_ROWS = 400.0


class Pace:
    """Tokens come at a steady rate, and no more are kept than ``burst``."""

    def __init__(
        self,
        seconds: Callable[[], float],
        rate: float = ROWS_A_SECOND,
        burst: float = BURST_ROWS,
    ) -> None:
        """``seconds`` is a monotonic clock; ``rate`` in rows a second."""
        self._seconds = seconds
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = seconds()

    def take(self, rows: int) -> float:
        """Take tokens for so many rows; the seconds to wait before they may leave."""
        now = self._seconds()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - rows
        self._at = now
        return max(0.0, -self._tokens / self._rate)
