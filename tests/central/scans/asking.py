"""Asks and records as boxes make them, for these tests."""

from datetime import datetime, timedelta

from shared.clock import to_microseconds
from shared.ids import BoxId, RecordId, new_record_id
from shared.ledger import Lane
from shared.messages import (
    CodeClass,
    DecidedBy,
    MedicalStep,
    Origin,
    RegisterAsk,
    ScanAsk,
    ScanRecord,
    Verdict,
)
from shared.reasons import Reason
from tests.central.people import AT, BOX, SAMPLE


def make_ask(
    code: str, *, id: RecordId | None = None, box: BoxId = BOX, at: datetime = AT
) -> ScanAsk:
    """An ask born at ``at`` that is good for three seconds."""
    return ScanAsk(
        id=(id or new_record_id(at)).bytes,
        box=str(box),
        born=to_microseconds(at),
        expires_at=to_microseconds(at + timedelta(seconds=3)),
        counter="挂号1",
        code=code,
        medical_step=MedicalStep.REGISTER,
    )


def make_origin(
    *,
    box: BoxId = BOX,
    at: datetime = AT,
    offset_ms: int | None = 0,
    confidence_ms: int | None = 5,
) -> Origin:
    """A birth at ``at`` by the box's own clock, which was compared with central's lately."""
    return Origin(
        box=str(box),
        counter="挂号1",
        boot_id=bytes(16),
        wall_at=to_microseconds(at),
        monotonic_ns=1,
        offset_ms=offset_ms,
        offset_confidence_ms=confidence_ms,
    )


def make_record(
    code: str,
    *,
    origin: Origin | None = None,
    verdict: Verdict = Verdict.ACCEPTED,
    reason: Reason | None = None,
) -> ScanRecord:
    """The record of a scan."""
    return ScanRecord(
        lane=Lane.IDENTITY,
        origin=origin or make_origin(),
        code_class=CodeClass.EXTENDED,
        code=code,
        medical_step=MedicalStep.REGISTER,
        verdict=verdict,
        reason=reason,
        decided_by=DecidedBy.CENTRAL if verdict is Verdict.ACCEPTED else DecidedBy.BOX,
        asked=verdict is Verdict.ACCEPTED,
    )


def make_registration(
    *,
    id: RecordId | None = None,
    box: BoxId = BOX,
    name: str = SAMPLE.name,
    number: str = SAMPLE.document_number,
    at: datetime = AT,
) -> RegisterAsk:
    """An ask to register the standard's sample person, or another."""
    return RegisterAsk(
        id=(id or new_record_id(at)).bytes,
        box=str(box),
        born=to_microseconds(at),
        expires_at=to_microseconds(at + timedelta(seconds=5)),
        counter="挂号1",
        document_type="01",
        document_number=number,
        name=name,
        phone="13800000000",
    )
