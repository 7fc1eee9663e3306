"""What was refused of what came in under a box's name goes to the audit, and cannot fill it.

The first refusal of a box for a reason is written at once; what follows is counted, and written
as one row a minute. Nothing of a message is written but its kind. What the broker itself cuts off
never comes in; the broker says whose it was.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from central.audit.service import Audit, AuditFilter
from central.storage.writer import Writer
from shared.clock import Clock
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.reasons import Reason

_log = logging.getLogger(__name__)

BETWEEN_ROWS = timedelta(minutes=1)
CUT_OFF = "cut-off"
"""The kind of what the broker cut off: on which topic it was to be is not known."""
_ACT = "ingest.refuse"
_LOOK_SECONDS = 1.0
_MOST_KEYS = 20_000
"""Boxes times reasons. The broker lets in only boxes that joined: more than that is none."""


class Refused(NamedTuple):
    """So many messages of one box for one reason; ``kind`` is the last one's."""

    box: BoxId
    reason: Reason
    kind: str
    times: int


@dataclass
class _Count:
    kind: str
    refused: int = 0
    written_at: datetime | None = None


class Refusals:
    """Counts in memory; ``run`` writes.

    ``told_to_all``: every process of central hears of the same ones, and only one writes.
    """

    def __init__(
        self, audit: Audit, writer: Writer, clock: Clock, *, told_to_all: bool = False
    ) -> None:
        self._audit = audit
        self._writer = writer
        self._clock = clock
        self._told_to_all = told_to_all
        self._counts: dict[tuple[BoxId, Reason], _Count] = {}
        self._came = asyncio.Event()

    def note(self, box: BoxId, kind: str, reason: Reason) -> None:
        """A message under this box's name was refused."""
        key = (box, reason)
        if key not in self._counts and len(self._counts) >= _MOST_KEYS:
            return
        count = self._counts.setdefault(key, _Count(kind))
        count.kind = kind
        count.refused += 1
        self._came.set()

    async def run(self) -> None:
        """Write what is due, for ever; what cannot be written now is at the next look."""
        while True:
            await self._came.wait()
            now = self._clock.now()
            due = self.list_due(now)
            try:
                if due:
                    await self._writer.run(partial(self._write, due, now), patient=True)
                    self.note_written(due, now)
            except Unavailable as error:
                _log.debug("refusals wait: %s", error)
            if not any(count.refused for count in self._counts.values()):
                self._came.clear()
            await asyncio.sleep(_LOOK_SECONDS)

    def list_due(self, now: datetime) -> list[Refused]:
        """What is to be written now; what was written long ago is forgotten."""
        due = []
        for key, count in tuple(self._counts.items()):
            at = count.written_at
            if at is not None and timedelta() <= now - at < BETWEEN_ROWS:
                continue
            if count.refused:
                due.append(Refused(*key, count.kind, count.refused))
            else:
                del self._counts[key]
        return due

    def note_written(self, due: Sequence[Refused], now: datetime) -> None:
        """These are in the audit; what came meanwhile is not."""
        for each in due:
            count = self._counts[each.box, each.reason]
            count.refused -= each.times
            count.written_at = now

    def _write(self, due: Sequence[Refused], now: datetime) -> None:
        for each in due:
            if self._told_to_all and self._is_written(each, now):
                continue
            self._audit.write(
                _ACT,
                str(each.box),
                "central",
                now,
                kind=each.kind,
                reason=str(each.reason),
                count=each.times,
            )

    def _is_written(self, due: Refused, now: datetime) -> bool:
        """Whether another process has written it: our own last row is a minute old."""
        since = now - BETWEEN_ROWS
        rows = self._audit.list(AuditFilter(act=_ACT, subject=str(due.box), since=since))
        wanted = (due.kind, due.reason)
        return any(
            row.at > since and (row.facts["kind"], row.facts["reason"]) == wanted for row in rows
        )
