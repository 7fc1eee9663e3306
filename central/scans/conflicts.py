"""What a box did alone and central sees differently: each becomes evidence of a case.

Looks at records after they were judged and kept; changes none of them.
"""

from dataclasses import dataclass
from datetime import datetime

from central.cards.service import Cards
from central.cards.states import CardState
from central.cards.tracing import CodeTrace, CodeUse
from central.cases.case import Evidence
from central.cases.kinds import CaseKind
from central.cases.service import Cases
from central.scans import store
from shared.ids import BoxId, RecordId
from shared.messages import ScanRecord, TemporaryRecord
from shared.reasons import Reason

_STOPPED = {
    CardState.SUSPENDED: ("中心挂失了这张卡", "Central suspended the card"),
    CardState.CANCELLED: ("中心注销了这张卡", "Central cancelled the card"),
}


@dataclass(frozen=True, slots=True)
class LetThrough:
    """A record of a scan that its box did not refuse, or of a temporary code that it gave;
    ``born_at`` is on central's clock."""

    box: BoxId
    id: RecordId
    record: ScanRecord | TemporaryRecord
    born_at: datetime


class ScanConflicts:
    """Opens cases of scans, in the unit of work that takes their records."""

    def __init__(self, cards: Cards, cases: Cases) -> None:
        self._cards = cards
        self._cases = cases

    def look(self, scan: LetThrough, reason: Reason | None, at: datetime) -> None:
        """Open what ``reason``, central's on this scan, calls for; most call for nothing."""
        match reason:
            case Reason.CODE_USED:
                self._used_twice(scan, at)
            case Reason.CARD_SUSPENDED | Reason.CARD_CANCELLED:
                self._stopped_card(scan, "离线放行了这张卡", "Let the card through alone", at)
            case Reason.BIRTH_UNCERTAIN:
                self._uncertain_birth(scan, at)

    def look_at_given(self, given: LetThrough, at: datetime) -> None:
        """Whether a temporary code was given to somebody whose card was stopped already."""
        trace = self._trace(given)
        if trace is not None and trace.state in _STOPPED:
            zh, en = "离线登记并发了临时码", "Registered alone and gave a temporary code"
            self._stopped_card(given, zh, en, at)

    def _used_twice(self, scan: LetThrough, at: datetime) -> None:
        trace = self._trace(scan)
        if trace is None or trace.use is None:
            return
        later = _evidence(
            scan, trace, "离线放行；后到中心", "Let through alone; reached central later"
        )
        counted = self._counted(trace, trace.use)
        subject = self._cards.token_of(scan.record.code).hex()
        self._cases.open(CaseKind.CODE_USED_TWICE, subject, [counted, later], at)

    def _stopped_card(self, scan: LetThrough, zh: str, en: str, at: datetime) -> None:
        trace = self._trace(scan)
        if trace is None:
            return
        evidence = [_evidence(scan, trace, zh, en)]
        if trace.state in _STOPPED and trace.since is not None:
            zh, en = _STOPPED[trace.state]
            evidence.insert(0, Evidence(trace.since, zh, en, person=trace.person))
        subject = str(trace.card)
        self._cases.open(CaseKind.CARD_CANCELLED_MEANWHILE, subject, evidence, at)

    def _uncertain_birth(self, scan: LetThrough, at: datetime) -> None:
        """One case for each life of a box: its clock is right or wrong for all that it said."""
        origin = scan.record.origin
        if origin.offset_ms is None or origin.offset_confidence_ms is None:
            zh, en = "终端开机后从未对过时钟", "The box's clock was not compared since it started"
        else:
            seconds = origin.offset_confidence_ms // 1000
            zh, en = f"终端时钟可能差 {seconds} 秒", f"The box's clock may be {seconds} s off"
        said = _evidence(scan, self._trace(scan), zh, en)
        subject = f"{scan.box} {origin.boot_id.hex()}"
        self._cases.open(CaseKind.LATE_RECORD, subject, [said], at)

    def _trace(self, scan: LetThrough) -> CodeTrace | None:
        return self._cards.trace(scan.record.code, scan.born_at)

    def _counted(self, trace: CodeTrace, use: CodeUse) -> Evidence:
        found = store.find_place(use.record.bytes, str(use.box))
        asked = found is not None and found[1]
        how = ("联网放行", "Let through by central") if asked else ("离线放行", "Let through alone")
        return Evidence(
            use.at,
            f"{how[0]}；先到中心，已计入",
            f"{how[1]}; reached central first and is counted",
            box=use.box,
            record=use.record,
            person=trace.person,
            counter=found[0].counter if found else "",
            operator=found[0].operator if found else "",
        )


def _evidence(scan: LetThrough, trace: CodeTrace | None, zh: str, en: str) -> Evidence:
    origin = scan.record.origin
    return Evidence(
        scan.born_at,
        zh,
        en,
        box=scan.box,
        record=scan.id,
        person=trace.person if trace else None,
        counter=origin.counter,
        operator=origin.operator,
    )
