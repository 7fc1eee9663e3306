"""A box's damaged queue file becomes a case: one for each file."""

from datetime import datetime

from central.cases.case import Evidence
from central.cases.kinds import CaseKind
from central.cases.service import Cases
from shared.ids import BoxId
from shared.messages import DamageRecord

_MOST_RANGES = 20
"""Named in the evidence; the ledger names all."""


class DamageCases:
    """Opens them, in the unit of work that takes the damage record."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def open(self, box: BoxId, record: DamageRecord, at: datetime) -> None:
        """What the box says is lost is the evidence, by epoch and sequence."""
        lost = [f"{each.epoch}:{each.first}–{each.last}" for each in record.lost]
        lost += [f"{each.epoch}:{each.seq + 1}–" for each in record.ended]
        more = f" … {len(lost)}" if len(lost) > _MOST_RANGES else ""
        named = ", ".join(lost[:_MOST_RANGES]) + more
        said = Evidence(
            at,
            f"找回 {record.saved} 行；丢失或可能丢失：{named}",
            f"{record.saved} rows are back; lost, or perhaps lost: {named}",
            box=box,
            counter=record.origin.counter,
        )
        self._cases.open(CaseKind.LEDGER_DAMAGED, f"{box} {record.damage.hex()}", [said], at)
