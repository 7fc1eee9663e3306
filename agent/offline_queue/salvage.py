"""Brings back what a damaged queue file held, beside the box's work, and says what is lost.

Rows keep id, sequence, hash and birth, in the epoch they were born in; the box itself writes in a
new one. When all that proves itself is back, one record names the lost sequences to central. Cut
off anywhere, it begins again from the quarantined file, which nobody changes.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from agent.offline_queue.outbox import SqliteOutbox
from agent.offline_queue.quarantine import Aside, Quarantine
from agent.offline_queue.states import FileEdge
from agent.ports import Fill
from shared.clock import Clock, to_microseconds
from shared.crypto import Suite
from shared.errors import Damaged, Unavailable
from shared.ids import BoxId
from shared.messages import Origin
from shared.reasons import Reason

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 30.0
_LOOKS_BETWEEN_SCRUBS = 24 * 60 * 60
_LOOKS_BEFORE_SCRUB = 10 * 60
_SHOWN = timedelta(days=7)
"""How long the counter's page speaks of it; ``check`` and ``ledger verify`` always do."""


class Salvage:
    """The one who salvages for a running queue."""

    def __init__(  # noqa: PLR0913, PLR0917 - whose queue, where, and as whom it is told
        self,
        outbox: SqliteOutbox,
        path: Path,
        box: BoxId,
        suite: Suite,
        clock: Clock,
        origin: Callable[[], Origin],
        observe: Callable[[FileEdge], None] = lambda _: None,
    ) -> None:
        """``path`` is the queue's; ``origin`` says of the record where and when it is born."""
        self._outbox = outbox
        self._quarantine = Quarantine(path)
        self._box = box
        self._suite = suite
        self._clock = clock
        self._origin = origin
        self._observe = observe

    async def run(self) -> None:
        """For ever; what the disk does not let happen now is tried again."""
        looks = 0
        while True:
            wait = _LOOK_SECONDS
            try:
                await self.salvage_all()
                if looks % _LOOKS_BETWEEN_SCRUBS == _LOOKS_BEFORE_SCRUB:
                    await self._outbox.scrub()
            except (Unavailable, Damaged) as error:
                log.warning("what was damaged cannot be salvaged now: %s", error)
                wait = _RETRY_SECONDS
            looks += 1
            await asyncio.sleep(wait)

    async def salvage_all(self) -> None:
        """Everything that was set aside and is not yet dealt with. Raises Unavailable, Damaged."""
        for aside in self.list_unsalvaged():
            await self._salvage(aside)
        own = self._list_own()
        since = to_microseconds(self._clock.now() - _SHOWN)
        self._outbox.damage = tell_damage([each for each in own if each.damage.found_at >= since])

    def list_unsalvaged(self) -> list[Aside]:
        """What was set aside and is not yet dealt with. Raises Unavailable, Damaged."""
        return [aside for aside in self._list_own() if aside.salvaged is None]

    def _list_own(self) -> list[Aside]:
        found = self._quarantine.list_aside()
        return [aside for aside in found if aside.damage.box == str(self._box)]

    async def _salvage(self, aside: Aside) -> None:
        # Loaded only where something was damaged: a box has little memory.
        from agent.offline_queue.putting_back import PuttingBack

        putting = PuttingBack(
            self._outbox, self._box, self._suite, self._clock, self._origin, self._observe
        )
        await putting.salvage(aside)


def tell_damage(asides: Sequence[Aside]) -> Fill:
    """What a person is to be told of quarantined files: nothing, that what was known is back, or
    that rows are lost. Their sequences, and from where on nothing is known of an epoch."""
    if not asides:
        return Fill()
    lost, tails = [], []
    for salvaged in (aside.salvaged for aside in asides):
        if salvaged is not None:
            lost += [f"{each.epoch}/{each.first}–{each.last}" for each in salvaged.lost]
            tails += [f"{each.epoch}/{each.seq + 1}–" for each in salvaged.ended]
    reason = Reason.ROWS_LOST if lost else Reason.QUEUE_QUARANTINED
    return Fill(reason=reason, lost=(*lost, *tails))
