"""Brings back what a damaged queue file held, beside the box's work, and says what is lost.

Rows keep id, sequence, hash and birth, in the epoch they were born in; the box itself writes in a
new one. When all that proves itself is back, one record names the lost sequences to central. Cut
off anywhere, it begins again from the quarantined file, which nobody changes.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from agent.offline_queue.database import mapped_exceptions
from agent.offline_queue.journal import Entry, Journal
from agent.offline_queue.outbox import SqliteOutbox
from agent.offline_queue.quarantine import Aside, Ended, Quarantine, Range, Salvaged
from agent.offline_queue.recovery import Recovery, recover
from agent.offline_queue.remains import SavedCode, SavedRow
from agent.offline_queue.salvage_store import (
    begin_former,
    find_lost,
    name_lost,
    put_back,
    put_back_keys,
)
from shared.clock import Clock, to_microseconds
from shared.codec import records
from shared.crypto import Suite
from shared.errors import Damaged, Unavailable
from shared.ids import BoxId, new_record_id
from shared.ledger import Lane
from shared.messages import DamageRecord, EndedEpoch, LostRows, Origin
from shared.reasons import Reason

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_SLAB_ROWS = 200
"""Some milliseconds of the writer: a patient may wait so long behind one."""
_RANGES_A_RECORD = 1000


class Salvage:
    """The one who salvages for a running queue."""

    def __init__(
        self,
        outbox: SqliteOutbox,
        path: Path,
        box: BoxId,
        suite: Suite,
        clock: Clock,
        origin: Callable[[], Origin],
    ) -> None:
        """``path`` is the queue's; ``origin`` says of the record where and when it is born."""
        self._outbox = outbox
        self._quarantine = Quarantine(path)
        self._box = box
        self._suite = suite
        self._clock = clock
        self._origin = origin

    async def run(self) -> None:
        """For ever; what the disk does not let happen now is tried again."""
        while True:
            try:
                await self.salvage_all()
            except (Unavailable, Damaged) as error:
                log.warning("what was damaged cannot be salvaged now: %s", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def salvage_all(self) -> None:
        """Everything that was set aside and is not yet dealt with. Raises Unavailable, Damaged."""
        for aside in self._quarantine.list_aside():
            if aside.damage.box == str(self._box) and aside.salvaged is None:
                await self._salvage(aside)

    async def _salvage(self, aside: Aside) -> None:
        recovery = await asyncio.to_thread(_recover, aside, self._box, self._suite)
        try:
            await self._put_back(recovery)
            lost = await self._conclude(aside, recovery)
        finally:
            recovery.close()
        held = sum(head.seq for head in recovery.ended.values())
        missing = sum(each.last - each.first + 1 for each in lost)
        ended = tuple(Ended(head.epoch, head.seq) for head in recovery.ended.values())
        aside.keep(Salvaged(held - missing, ended, tuple(lost)))
        (aside.folder / "scratch.db").unlink(missing_ok=True)
        log.error(
            "%d rows of the damaged queue are back, %d are lost: %s",
            *(held - missing, missing, " ".join(f"{e}/{a}–{b}" for e, a, b in map(_fields, lost))),
        )

    async def _put_back(self, recovery: Recovery) -> None:
        at = to_microseconds(self._clock.now())

        def begin(on: Journal) -> None:
            for ended in recovery.ended.values():
                begin_former(on, self._box, self._suite, ended, at)
            put_back_keys(on, recovery.keys, [], at)

        await self._write(begin)
        codes = iter(recovery.codes)
        while some := list(islice(codes, _SLAB_ROWS)):
            await self._write(partial(_put_back_codes, some, at))
        rows = recovery.rows()
        while slab := await asyncio.to_thread(_take, rows):
            await self._write(partial(_put_back_rows, slab))

    async def _conclude(self, aside: Aside, recovery: Recovery) -> list[Range]:
        """Name what is lost, to this file and to central, in one unit and once."""
        damage = aside.damage
        lost: list[Range] = []

        def conclude(on: Journal) -> None:
            lost[:] = find_lost(on, recovery.ended)
            if on.find_record(damage.record):
                return
            name_lost(on, lost, damage.record)
            held = sum(head.seq for head in recovery.ended.values())
            saved = held - sum(each.last - each.first + 1 for each in lost)
            for first in range(0, max(1, len(lost)), _RANGES_A_RECORD):
                now = self._clock.now()
                record = DamageRecord(
                    suite=self._suite.id,
                    lane=Lane.IDENTITY,
                    origin=self._origin(),
                    damage=damage.record,
                    found_at=damage.found_at,
                    saved=saved,
                    ended=tuple(EndedEpoch(*head[:2]) for head in recovery.ended.values()),
                    lost=tuple(
                        LostRows(*_fields(each)) for each in lost[first : first + _RANGES_A_RECORD]
                    ),
                )
                id = damage.record if first == 0 else new_record_id(now).bytes
                born = to_microseconds(now)
                on.append(Entry(id, record.lane.value, born, records.encode(record)))

        await self._write(conclude)
        return lost

    async def _write(self, work: Callable[[Journal], None]) -> None:
        await self._outbox.writer.submit(work, writes=True)


def _recover(aside: Aside, box: BoxId, suite: Suite) -> Recovery:
    try:
        with mapped_exceptions():
            return recover(aside, box, suite)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error


def _take(rows: Iterator[SavedRow]) -> list[SavedRow]:
    return list(islice(rows, _SLAB_ROWS))


def _put_back_rows(rows: list[SavedRow], on: Journal) -> None:
    put_back(on, rows)


def _put_back_codes(codes: list[SavedCode], at: int, on: Journal) -> None:
    put_back_keys(on, [], codes, at)


def _fields(each: Range) -> tuple[int, int, int]:
    return each.epoch, each.first, each.last
