"""A label as data: what a registration's answer puts on it."""

from datetime import UTC, datetime, timedelta, timezone

from msgspec.structs import replace

from agent.counter.labels import build_label
from agent.counter.policy import FixedPolicy
from shared.ids import new_record_id
from shared.messages import RecordNumber, RegisterReply
from tests.factories import IDENTITY, STATIC_TEXT

AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SITE = "示范市第一人民医院"
POLICY = FixedPolicy("c1", SITE)
REPLY = RegisterReply(id=bytes(16), central_at=0, found=False, code=STATIC_TEXT, identity=IDENTITY)


def test_label_of_a_registration() -> None:
    """The static code, the masked name and the outpatient number, as the answer gave them; the
    label's id is the given one."""
    id = new_record_id(AT)
    label = build_label(id, REPLY, POLICY, AT, copy=2)
    assert (label.id, label.copy, label.site) == (id, 2, SITE)
    assert (label.code, label.name) == (STATIC_TEXT, IDENTITY.name)
    assert label.record_number == "M00000001"


def test_without_outpatient_number_the_patient_id_stands() -> None:
    """A person who has only an inpatient number here gets this site's patient id printed."""
    inpatient = replace(IDENTITY, record_numbers=(RecordNumber("inpatient", "Z1"),))
    label = build_label(new_record_id(AT), replace(REPLY, identity=inpatient), POLICY, AT)
    assert label.record_number == IDENTITY.patient_id


def test_the_date_is_the_counters_day() -> None:
    """The date is the local day of the moment, whatever zone the moment is written in."""
    late = datetime(2026, 11, 22, 23, 30, tzinfo=timezone(timedelta(hours=8)))
    dates = {
        build_label(new_record_id(AT), REPLY, POLICY, at).date
        for at in (late, late.astimezone(UTC))
    }
    assert dates == {late.astimezone().date().isoformat()}


def test_paper_and_language_are_the_counters() -> None:
    """As its settings are at the moment of printing."""
    policy = FixedPolicy("c1", SITE, language="en", label="51x25")
    label = build_label(new_record_id(AT), REPLY, policy, AT)
    assert (label.template, label.language) == ("51x25", "en")
