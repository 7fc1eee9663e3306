"""Scans: what a box asks and what it reports, judged once by (box, id), in any order.

An ask repeated, a row after its ask, an ask after its row and a row twice are one scan: one
consumption, one verdict. Every method runs inside the caller's unit of work.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from central.cards.card import Judgement
from central.cards.service import Cards
from central.feed import ScanJudged
from central.hospital.service import Hospital
from central.patients.person import PersonId
from central.patients.service import Patients
from central.scans import store
from central.scans.birth import read_birth, read_doubt, read_record_id
from central.scans.conflicts import LetThrough, ScanConflicts
from central.scans.identity import build_identity
from shared.clock import to_microseconds
from shared.errors import Refused
from shared.ids import BoxId, RecordId
from shared.messages import (
    Identity,
    LateAnswerRecord,
    RefusalReply,
    RepeatRecord,
    Reply,
    ScanAsk,
    ScanRecord,
    ScanReply,
    Verdict,
)
from shared.reasons import Reason


class Scans:
    """Answers asks about codes and takes the records of scans."""

    def __init__(
        self,
        patients: Patients,
        cards: Cards,
        hospital: Hospital,
        tell: Callable[[ScanJudged], None] = lambda _: None,
        conflicts: ScanConflicts | None = None,
    ) -> None:
        """``tell`` hears of each scan once, when it is judged, before its unit is durable;
        ``conflicts`` looks at each record that its box let through."""
        self._patients = patients
        self._cards = cards
        self._hospital = hospital
        self._tell = tell
        self._conflicts = conflicts

    def answer(self, box: BoxId, ask: ScanAsk, at: datetime) -> Reply:
        """Central's verdict, with the person where the code is good; the same each time.

        RefusalReply: NOT_FOR_THIS_BOX, ASK_EXPIRED (nothing was consumed), REQUEST_MALFORMED
        (the id was used for another code). Raises Malformed for an id that is none.
        """
        id = read_record_id(ask.id)
        if ask.box != str(box):
            return _refusal(ask, Reason.NOT_FOR_THIS_BOX, at)
        token = self._cards.token_of(ask.code)
        known = judged = store.find_judged(id.bytes, str(box))
        if judged is None:
            if to_microseconds(at) >= ask.expires_at:
                return _refusal(ask, Reason.ASK_EXPIRED, at)
            judged = _judged(token, self._cards.judge(ask.code, box, id, at), at)
            place = store.Place(id.bytes, str(box), ask.counter, ask.operator, ask.drill)
            store.insert_asked(place, ask.medical_step, judged)
        elif judged.code_token != token:
            return _refusal(ask, Reason.REQUEST_MALFORMED, at)
        reply = ScanReply(
            id=ask.id,
            central_at=to_microseconds(at),
            verdict=Verdict(judged.verdict),
            reason=Reason(judged.reason) if judged.reason else None,
            identity=self._identify(judged, box),
        )
        if known is None:
            name = reply.identity.name if reply.identity else ""
            self._tell(ScanJudged(box, reply.verdict, reply.reason, at, name))
        return reply

    def record_scan(self, box: BoxId, id: RecordId, record: ScanRecord, at: datetime) -> None:
        """Keep a scan's record with central's last word on it, beside the box's.

        What was asked before keeps its verdict. What was not is judged at its time of birth, so
        that a code that was good when it was shown stays good; where that time cannot be trusted
        and matters, the verdict stays provisional. A scan that the box refused uses nothing up.
        Raises Refused (NOT_FOR_THIS_BOX; RECORD_POISON: the id has another code).
        """
        born_at = min(read_birth(box, record.origin), at)  # no record is younger than its arrival
        token = self._cards.token_of(record.code)
        known = judged = store.find_judged(id.bytes, str(box))
        if judged is not None and judged.code_token != token:
            raise Refused(Reason.RECORD_POISON, "one id for two codes")
        refused_there = record.verdict is Verdict.REFUSED
        if judged is None:
            judged = _judged(token, self._judge_late(box, id, record, born_at, at), at)
        if judged.consumed and not self._cards.report_use(record.code, box, id, at):
            judged = _judged(token, Judgement.refused(Reason.CODE_USED), at)
        report = store.Report(
            reported_at=to_microseconds(at),
            born_at=to_microseconds(born_at),
            code_class=record.code_class,
            verdict=record.verdict,
            reason=record.reason,
            decided_by=record.decided_by,
            differs=refused_there != (judged.verdict == Verdict.REFUSED),
        )
        origin = record.origin
        place = store.Place(id.bytes, str(box), origin.counter, origin.operator, origin.drill)
        store.save_reported(place, record.medical_step, judged, report)
        reason = Reason(judged.reason) if judged.reason else None
        if known is None:
            self._tell(ScanJudged(box, Verdict(judged.verdict), reason, at))
        if self._conflicts is not None and not refused_there:
            self._conflicts.look(LetThrough(box, id, record, born_at), reason, at)

    def _judge_late(
        self, box: BoxId, id: RecordId, record: ScanRecord, born_at: datetime, at: datetime
    ) -> Judgement:
        """Central's word on what it was never asked. Where the verdicts at both ends of the doubt
        differ, the code is held for this scan if it was good, and nobody has decided."""
        judge = partial(self._cards.judge, record.code, box, id, late=True)
        if record.verdict is Verdict.REFUSED:
            return judge(born_at, consume=False)
        doubt = read_doubt(record.origin)
        if not doubt:
            return judge(born_at)
        trace = self._cards.trace(record.code, born_at)
        issued_at = trace.issued_at if trace else None
        # Nobody shows a code before it was issued, nor after its record came.
        earliest = max(born_at - doubt, issued_at or born_at - doubt)
        latest = min(born_at + doubt, at)
        ends = [judge(end, consume=False) for end in (earliest, latest)]
        judgement = judge(born_at)
        certain = len({(end.verdict, end.reason) for end in ends}) == 1
        return judgement if certain else Judgement.uncertain(judgement)

    def record_repeat(self, box: BoxId, id: RecordId, record: RepeatRecord, at: datetime) -> None:
        """Keep that a code was shown again within seconds."""
        self._record_sequel(box, id, record, None, at)

    def record_late_answer(
        self, box: BoxId, id: RecordId, record: LateAnswerRecord, at: datetime
    ) -> None:
        """Keep that central's answer came after the box had judged alone."""
        self._record_sequel(box, id, record, record.reason, at)

    @staticmethod
    def _record_sequel(
        box: BoxId,
        id: RecordId,
        record: RepeatRecord | LateAnswerRecord,
        reason: Reason | None,
        at: datetime,
    ) -> None:
        sequel = store.Sequel(
            id=id.bytes,
            box=str(box),
            kind=str(record.__struct_config__.tag),
            first=read_record_id(record.first).bytes,
            verdict=record.verdict,
            reason=reason,
            born_at=to_microseconds(read_birth(box, record.origin)),
            reported_at=to_microseconds(at),
        )
        store.insert_sequel(sequel)

    def _identify(self, judged: store.Judged, box: BoxId) -> Identity | None:
        if judged.person is None:
            return None
        person = PersonId(UUID(bytes=judged.person))
        return build_identity(
            self._patients.read(person), self._hospital.identify(person, box.site)
        )


def _judged(token: bytes, judgement: Judgement, at: datetime) -> store.Judged:
    return store.Judged(
        code_token=token,
        verdict=judgement.verdict,
        reason=judgement.reason,
        person=judgement.person.bytes if judgement.person else None,
        consumed=judgement.consumed,
        judged_at=to_microseconds(at),
    )


def _refusal(ask: ScanAsk, reason: Reason, at: datetime) -> RefusalReply:
    return RefusalReply(id=ask.id, central_at=to_microseconds(at), reason=reason)
