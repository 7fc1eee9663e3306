"""What boxes say of themselves on its way into the database: the latest of each, many at once.

A thousand boxes that return together cost a few commits, and no question waits behind them.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from central.feed import BoxChanged, Feed
from central.presence.service import Presence
from central.storage.writer import Writer
from shared.clock import Clock
from shared.desired import Reported
from shared.errors import Damaged, Refused, Unavailable
from shared.ids import BoxId
from shared.reasons import Reason
from shared.topics import REPORTED

_log = logging.getLogger(__name__)

_MOST_A_UNIT = 100
_RETRY_SECONDS = 1.0

_Letter = tuple[BoxId, str]
"""A box and the tail of its topic: of several the last one counts."""


class _Kept(NamedTuple):
    changed: list[BoxId]
    reported: list[Reported]


class Mailbox:
    """Takes messages from the connection, keeps them while ``run`` runs."""

    def __init__(
        self,
        presence: Presence,
        writer: Writer,
        feed: Feed,
        clock: Clock,
        on_report: Callable[[Reported], None],
    ) -> None:
        """``on_report`` hears each report that was kept, in the loop."""
        self._presence = presence
        self._writer = writer
        self._feed = feed
        self._clock = clock
        self._on_report = on_report
        self._waiting: dict[_Letter, bytes] = {}
        self._came = asyncio.Event()
        self._dropped: Counter[Reason] = Counter()

    def put(self, box: BoxId, kind: str, payload: bytes) -> None:
        """Keep a ``status`` or ``reported`` soon."""
        self._waiting[box, kind] = payload
        self._came.set()

    async def run(self) -> None:
        """Keep what comes, for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                some = {
                    letter: self._waiting.pop(letter)
                    for letter in list(self._waiting)[:_MOST_A_UNIT]
                }
                try:
                    kept = await self._writer.run(partial(self._keep, some), patient=True)
                except Unavailable as error:
                    _log.debug("presence waits: %s", error)
                    self._waiting = {**some, **self._waiting}
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                self._feed.publish(*(BoxChanged(box) for box in kept.changed))
                for report in kept.reported:
                    self._on_report(report)

    def _keep(self, letters: dict[_Letter, bytes]) -> _Kept:
        kept = _Kept([], [])
        at = self._clock.now()
        for (box, kind), payload in letters.items():
            try:
                if kind == REPORTED:
                    report = self._presence.take_report(box, payload, at)
                    if report is not None:
                        kept.reported.append(report)
                        kept.changed.append(box)
                elif self._presence.take_status(box, payload, at):
                    kept.changed.append(box)
            except (Refused, Damaged) as error:
                self._drop(box, kind, error)
        return kept

    def _drop(self, box: BoxId, kind: str, error: Refused | Damaged) -> None:
        self._dropped[error.reason] += 1
        first = self._dropped[error.reason] == 1
        _log.log(logging.WARNING if first else logging.DEBUG, "%s %s: %s", box, kind, error)
