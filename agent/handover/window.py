"""The pairing window: one code of eight digits, good once, for two minutes and five wrong tries.

Time is the monotonic clock's: setting a clock back opens nothing again.
"""

import hmac
import secrets
from collections import OrderedDict, deque

from shared.clock import Clock
from shared.errors import Refused
from shared.reasons import Reason

WINDOW_SECONDS = 120
MOST_WRONG = 5
TRIES_A_MINUTE = 6
"""Of one address, right or wrong."""
_DIGITS = 8
_MOST_ADDRESSES = 256
_MINUTE_NS = 60_000_000_000


class PairingWindow:
    """At most one code at a time; a new one makes the one before void."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._code = ""
        self._until_ns = 0
        self._wrong = 0
        self._tries: OrderedDict[str, deque[int]] = OrderedDict()

    def open(self) -> str:
        """Open anew; the code."""
        self._code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        self._until_ns = self._clock.monotonic_ns() + WINDOW_SECONDS * 1_000_000_000
        self._wrong = 0
        return self._code

    def close(self) -> None:
        """Nobody pairs any more."""
        self._code = ""

    @property
    def seconds_left(self) -> float:
        """How long it is still open; 0 when it is closed."""
        if not self._code:
            return 0.0
        return max(0.0, (self._until_ns - self._clock.monotonic_ns()) / 1_000_000_000)

    def use(self, code: str, address: str) -> None:
        """Use the code up. Raises Refused: TOO_MANY_REQUESTS (of this address), PAIRING_CLOSED,
        PAIRING_CODE_WRONG; the fifth wrong one closes the window."""
        self._count(address)
        if not self.seconds_left:
            raise Refused(Reason.PAIRING_CLOSED)
        if not hmac.compare_digest(code.encode(errors="surrogateescape"), self._code.encode()):
            self._wrong += 1
            if self._wrong >= MOST_WRONG:
                self.close()
            raise Refused(Reason.PAIRING_CODE_WRONG)
        self.close()

    def _count(self, address: str) -> None:
        now = self._clock.monotonic_ns()
        tries = self._tries.setdefault(address, deque(maxlen=TRIES_A_MINUTE))
        self._tries.move_to_end(address)
        if len(self._tries) > _MOST_ADDRESSES:
            self._tries.popitem(last=False)
        if len(tries) == TRIES_A_MINUTE and now - tries[0] < _MINUTE_NS:
            raise Refused(Reason.TOO_MANY_REQUESTS, "pairing")
        tries.append(now)
