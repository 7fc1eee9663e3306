"""Wrong PINs in a row by operator, and for how long no other is looked at.

The counts are kept by whoever is given as ``keep``, so that switching the box off and on forgets
none: after a restart each lock begins anew.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from shared.clock import Clock
from shared.errors import OneCodeError

log = logging.getLogger(__name__)

FREE_TRIES = 5
FIRST_LOCK_SECONDS = 30
LONGEST_LOCK_SECONDS = 3600

NONE_WRONG: Mapping[str, int] = MappingProxyType({})
Keep = Callable[[Mapping[str, int]], None]
"""Keeps the counts, durably; blocking. Raises Unavailable."""


class PinLocks:
    """Each operator's own: nobody is locked by another's wrong PINs."""

    def __init__(
        self, clock: Clock, wrong: Mapping[str, int] = NONE_WRONG, keep: Keep | None = None
    ) -> None:
        """``wrong`` is what was kept before; without ``keep`` a restart forgets."""
        self._clock = clock
        self._keep = keep
        self._wrong = dict(wrong)
        self._until_ns: dict[str, int] = {}
        for id in self._wrong:
            self._lock(id)

    def locked_seconds(self, id: str) -> int:
        """How long this operator's next try must wait."""
        left = self._until_ns.get(id, 0) - self._clock.monotonic_ns()
        return max(0, -(-left // 1_000_000_000))

    async def count_wrong(self, id: str) -> None:
        """One more wrong PIN."""
        self._wrong[id] = self._wrong.get(id, 0) + 1
        self._lock(id)
        log.warning("operator %s: wrong PIN, %d in a row", id or "(unknown)", self._wrong[id])
        await self._kept()

    async def forget(self, id: str) -> None:
        """The PIN was right."""
        self._until_ns.pop(id, None)
        if self._wrong.pop(id, 0):
            await self._kept()

    def _lock(self, id: str) -> None:
        beyond = self._wrong[id] - FREE_TRIES
        if beyond >= 0:
            seconds = min(FIRST_LOCK_SECONDS << min(beyond, 16), LONGEST_LOCK_SECONDS)
            self._until_ns[id] = self._clock.monotonic_ns() + seconds * 1_000_000_000

    async def _kept(self) -> None:
        if self._keep is None:
            return
        try:
            await asyncio.to_thread(self._keep, dict(self._wrong))
        except OneCodeError as error:  # a full disk keeps no clerk from signing in
            log.error("wrong PINs could not be kept: %s", error)
