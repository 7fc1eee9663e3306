"""What a box tells of a damaged queue file: which sequences are lost, which epochs have ended.

The ledger then counts them as lost where central does not hold them, and no longer as open gaps;
what arrives after all is received as any row. A person must look: ``on_damage`` says to whom.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from central.audit.service import Audit
from central.ingest import damage_store as store
from shared.clock import to_microseconds
from shared.ids import BoxId, RecordId
from shared.messages import DamageRecord

END = (1 << 63) - 1
"""The last sequence of an epoch's tail that nobody knows the length of."""

OnDamage = Callable[[BoxId, DamageRecord, datetime], None]


def tell_nobody(_box: BoxId, _record: DamageRecord, _at: datetime) -> None:
    """Where no case is opened."""


class Damages:
    """Takes damage records. Used inside the caller's unit of work."""

    def __init__(self, audit: Audit, on_damage: OnDamage = tell_nobody) -> None:
        self._audit = audit
        self._on_damage = on_damage

    def note(self, box: BoxId, id: RecordId, record: DamageRecord, at: datetime) -> None:
        """Keep what is lost; told twice, it is lost once."""
        told = [(each.epoch, each.first, each.last) for each in record.lost]
        told += [(each.epoch, each.seq + 1, END) for each in record.ended]
        for epoch in sorted({each[0] for each in told}):
            ranges = store.list_ranges(box, epoch)
            ranges += [(first, last) for number, first, last in told if number == epoch]
            store.replace_ranges(box, epoch, merge(ranges), id.bytes, to_microseconds(at))
        lost = sum(each.last - each.first + 1 for each in record.lost)
        self._audit.write(
            "ledger.damaged", str(box), str(box), at, lost=lost, saved=record.saved, record=id.hex
        )
        self._on_damage(box, record, at)


def merge(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same sequences as ranges in order that neither overlap nor touch; empty ones left out."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if last < first:
            continue
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
