"""Keeps the queue within its bounds: looks every second, gives up what must go, a slab at a time.

What is given up is named by a record of the identity lane (CONTRACTS §2); its body is erased.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from agent.offline_queue.bounds import Bounds, find_excess
from agent.offline_queue.outbox import SqliteOutbox
from agent.offline_queue.states import KEPT_LANES
from shared.clock import Clock, to_microseconds
from shared.errors import Damaged, Unavailable
from shared.ledger import Lane
from shared.messages import Origin
from shared.reasons import Reason

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_LOOKS_BETWEEN_AGES = 60
_LOOKS_BETWEEN_PRUNINGS = 10
KEPT_ROWS = 1000
KEPT_AGE = timedelta(days=30)
"""Settled rows stay so long: a centre that is restored from a backup may want them again."""
_SLAB_ROWS = 500
"""What one record can name, and one transaction of some milliseconds can mark."""


class Keeping:
    """The one who gives rows up for a bound's sake."""

    def __init__(
        self, outbox: SqliteOutbox, bounds: Bounds, clock: Clock, origin: Callable[[], Origin]
    ) -> None:
        """``origin`` says of the naming record where and when it is born."""
        self._outbox = outbox
        self._bounds = bounds
        self._clock = clock
        self._origin = origin

    async def run(self) -> None:
        """Keep for ever; what the disk does not let happen now is tried at the next look."""
        looks = 0
        while True:
            try:
                await self.keep_numbers()
                if looks % _LOOKS_BETWEEN_AGES == 0:
                    await self.keep_ages()
                if looks % _LOOKS_BETWEEN_PRUNINGS == 0:
                    await self.prune()
            except (Unavailable, Damaged) as error:
                _log.debug("the bounds wait: %s", error)
            looks += 1
            await asyncio.sleep(_LOOK_SECONDS)

    async def keep_numbers(self) -> None:
        """Give up rows until every bound holds, or nothing may be given up any more.

        Raises Unavailable, Damaged.
        """
        while excess := find_excess(self._outbox.waiting, self._bounds):
            given = await self._give_up(excess.lane, excess.rows, Reason.QUEUE_BOUND)
            if not given:
                return
            _log.warning("%d rows of lane %s given up: too many wait", given, excess.lane.name)

    async def keep_ages(self) -> None:
        """Give up rows that are older than their lane's bound. Raises Unavailable, Damaged."""
        for lane in sorted(set(Lane) - KEPT_LANES, reverse=True):
            age = self._bounds.lanes[lane].age
            if age is None:
                continue
            before = to_microseconds(self._clock.now() - age)
            while given := await self._give_up(lane, _SLAB_ROWS, Reason.RECORD_OLD, before):
                _log.warning("%d rows of lane %s given up: too old", given, lane.name)

    async def prune(self) -> None:
        """Drop what central countersigned and nobody needs any more. Raises as the others."""
        before = self._clock.now() - KEPT_AGE
        while await self._outbox.prune(KEPT_ROWS, before, _SLAB_ROWS):
            pass

    async def _give_up(
        self, lane: Lane, rows: int, reason: Reason, born_before: int | None = None
    ) -> int:
        return await self._outbox.give_up_oldest(
            lane, min(rows, _SLAB_ROWS), reason, self._origin(), self._clock.now(), born_before
        )
