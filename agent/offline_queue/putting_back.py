"""The work of one salvage: rows, keys and used codes back into the queue, and the record of it.

Each step is idempotent, for a salvage that was cut off is begun again (``salvage.py``).
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from agent.offline_queue.database import mapped_exceptions
from agent.offline_queue.journal import Entry, Journal
from agent.offline_queue.outbox import SqliteOutbox
from agent.offline_queue.quarantine import Aside, Ended, Range, Salvaged
from agent.offline_queue.recovery import Recovery, recover
from agent.offline_queue.remains import SavedCode, SavedRow
from agent.offline_queue.salvage_store import (
    begin_former,
    find_lost,
    name_lost,
    put_back,
    put_back_keys,
)
from agent.offline_queue.states import FileEdge
from shared.clock import Clock, to_microseconds
from shared.codec import records
from shared.crypto import Suite
from shared.errors import Unavailable
from shared.ids import BoxId, new_record_id
from shared.ledger import Lane
from shared.messages import DamageRecord, EndedEpoch, LostRows, Origin
from shared.reasons import Reason

log = logging.getLogger(__name__)

_SLAB_ROWS = 200
"""Some milliseconds of the writer: a patient may wait so long behind one."""
_RANGES_A_RECORD = 1000


@dataclass(frozen=True)
class PuttingBack:
    """Salvages for a running queue; ``origin`` says of the record where and when it is born."""

    outbox: SqliteOutbox
    box: BoxId
    suite: Suite
    clock: Clock
    origin: Callable[[], Origin]
    observe: Callable[[FileEdge], None]

    async def salvage(self, aside: Aside) -> None:
        """All of one quarantined file. Raises Unavailable, Damaged."""
        recovery = await asyncio.to_thread(_recover, aside, self.box, self.suite)
        try:
            await self._put_back(recovery)
            lost = await self._conclude(aside, recovery)
            self.observe(FileEdge.LOSS_NAMED)
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
        at = to_microseconds(self.clock.now())

        def begin(on: Journal) -> None:
            for ended in recovery.ended.values():
                kept = recovery.anchors.get(ended.epoch)
                begin_former(on, self.box, self.suite, ended, kept, at)
            put_back_keys(on, recovery.keys, [], at)

        await self._write(begin)
        self.observe(FileEdge.FORMER_BEGUN)
        codes = iter(recovery.codes)
        while some := list(islice(codes, _SLAB_ROWS)):
            await self._write(partial(_put_back_codes, some, at))
        rows = recovery.rows()
        while slab := await asyncio.to_thread(_take, rows):
            await self._write(partial(_put_back_rows, slab))
            self.observe(FileEdge.ROWS_BACK)

    async def _conclude(self, aside: Aside, recovery: Recovery) -> list[Range]:
        """Name what is lost, to this file and to central, in one unit and once."""
        damage = aside.damage
        lost: list[Range] = []

        def conclude(on: Journal) -> None:
            lost[:] = find_lost(on, {each: recovery.start(each).seq for each in recovery.ended})
            if on.find_record(damage.record):
                return
            name_lost(on, lost, damage.record)
            held = sum(head.seq for head in recovery.ended.values())
            saved = held - sum(each.last - each.first + 1 for each in lost)
            for first in range(0, max(1, len(lost)), _RANGES_A_RECORD):
                now = self.clock.now()
                record = DamageRecord(
                    suite=self.suite.id,
                    lane=Lane.IDENTITY,
                    origin=self.origin(),
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
        await self.outbox.writer.submit(work, writes=True)


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
