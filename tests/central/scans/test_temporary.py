"""Temporary registrations: one person, one code that leads to them for ever, nothing forced."""

from dataclasses import replace
from datetime import timedelta

import pytest

from central.cards.card import Judgement
from central.cards.model import TemporaryCodeRow
from central.scans.model import RegistrationRow, ScanRow
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.ehc import build_code, sign_temporary, temporary_serial
from shared.errors import Refused
from shared.ids import BoxId, RecordId, new_record_id
from shared.ledger import Lane
from shared.messages import (
    RegisterReply,
    ScanReply,
    TemporaryRecord,
    Verdict,
)
from shared.notices import NoticeKind
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, OTHER_BOX, SAMPLE, People
from tests.central.scans.asking import make_ask, make_origin, make_record, make_registration

KEY = STD.signing_key(bytes(range(32)))
OTHER_KEY = STD.signing_key(bytes(range(1, 33)))


@pytest.fixture
def number(people: People) -> int:
    """Two boxes have joined; the number of the first."""
    number = people.add_box(BOX, KEY)
    people.add_box(OTHER_BOX, OTHER_KEY)
    return number


def make_code(number: int, id: RecordId, kid: int = 1) -> str:
    return build_code(sign_temporary(KEY, number, kid, temporary_serial(id)))


def make_temporary(code: str, *, name: str = SAMPLE.name, box: BoxId = BOX) -> TemporaryRecord:
    return TemporaryRecord(
        lane=Lane.IDENTITY,
        origin=make_origin(box=box),
        document_type="01",
        document_number=SAMPLE.document_number,
        name=name,
        sex="0",
        phone="13800000000",
        code=code,
        asked=True,
    )


def report(people: People, id: RecordId, record: TemporaryRecord, box: BoxId = BOX) -> None:
    with people.database.unit():
        people.temporaries.record(box, id, record, AT)


def judge(people: People, code: str) -> Judgement:
    with people.database.unit():
        return people.cards.judge(code, OTHER_BOX, new_record_id(AT), AT)


def count(people: People, table: str) -> int:
    return int(people.database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_the_record_registers_and_the_code_resolves(people: People, number: int) -> None:
    """The person, their card, their numbers at the box's site; at another box the temporary code
    is accepted, as their static code is."""
    id = new_record_id(AT)
    code = make_code(number, id)
    report(people, id, make_temporary(code))
    judged = judge(people, code)
    assert (judged.verdict, judged.consumed) == (Verdict.ACCEPTED, False)
    with people.database.unit():
        reply = people.scans.answer(BOX, make_ask(code), AT)
    assert isinstance(reply, ScanReply)
    assert reply.identity is not None
    assert (reply.identity.name, reply.identity.patient_id) == ("电***卡", "P00000001")
    assert judge(people, people.cards.static_code(people.enrol()[1])).person == judged.person
    row = RegistrationRow.get()
    assert (row.outcome, bool(row.found)) == ("temporary", False)


def test_the_box_is_told_once(people: People, number: int) -> None:
    """Which record, and that the real label can be printed; nobody's name."""
    id = new_record_id(AT)
    for _ in range(2):
        report(people, id, make_temporary(make_code(number, id)))
    (notice,) = people.notices.list_waiting(BOX)
    assert (notice.kind, notice.record) == (NoticeKind.TEMPORARY_RESOLVED, id.bytes)
    assert "print the real label" in notice.en
    assert SAMPLE.name not in notice.zh


def test_a_record_twice_is_once(people: People, number: int) -> None:
    """Replayed after it was parked, say."""
    id = new_record_id(AT)
    for _ in range(2):
        report(people, id, make_temporary(make_code(number, id)))
    assert [count(people, table) for table in ("person", "temporary_code", "registration")] == [
        1
    ] * 3


@pytest.mark.parametrize("asked_first", [True, False])
def test_the_lost_answer_and_the_record_are_one_registration(
    people: People, number: int, asked_first: bool
) -> None:
    """Central registered before its answer was lost, or the question came late: one person, one
    row, and the repeated question has the same answer."""
    id = new_record_id(AT)
    ask, record = make_registration(id=id), make_temporary(make_code(number, id))
    if not asked_first:
        report(people, id, record)
    with people.database.unit():
        first = people.registrations.answer_register(BOX, ask, AT)
    if asked_first:
        report(people, id, record)
    with people.database.unit():
        assert people.registrations.answer_register(BOX, ask, AT) == first
    assert isinstance(first, RegisterReply)
    assert not first.found
    assert (count(people, "person"), count(people, "registration")) == (1, 1)
    assert judge(people, record.code).verdict is Verdict.ACCEPTED


def test_two_boxes_that_met_one_person_lead_to_one(people: People, number: int) -> None:
    """Both alone, both gave a code: each leads to the same person."""
    first, second = new_record_id(AT), new_record_id(AT)
    here = make_code(number, first)
    there = build_code(sign_temporary(OTHER_KEY, number + 1, 1, temporary_serial(second)))
    report(people, first, make_temporary(here))
    report(people, second, make_temporary(there, box=OTHER_BOX), OTHER_BOX)
    assert judge(people, here).person == judge(people, there).person
    assert count(people, "person") == 1


def test_what_was_shown_before_the_record_is_resolved_by_it(people: People, number: int) -> None:
    """Another box asked, and one reported a scan, before the giving box was back: PROVISIONAL with
    its reason; then the person, without anybody asking again."""
    id = new_record_id(AT)
    code = make_code(number, id)
    ask, reported = make_ask(code, box=OTHER_BOX), new_record_id(AT)
    record = make_record(code, origin=make_origin(box=OTHER_BOX), verdict=Verdict.REFUSED)
    with people.database.unit():
        reply = people.scans.answer(OTHER_BOX, ask, AT)
        people.scans.record_scan(OTHER_BOX, reported, record, AT)
    assert isinstance(reply, ScanReply)
    assert (reply.verdict, reply.reason) == (Verdict.PROVISIONAL, Reason.CODE_TEMPORARY_UNKNOWN)
    report(people, id, make_temporary(code))
    rows = {row.id: row for row in ScanRow.select()}
    assert {(row.verdict, row.reason) for row in rows.values()} == {("accepted", None)}
    assert all(row.person for row in rows.values())
    assert (rows[ask.id].differs, bool(rows[reported.bytes].differs)) == (None, True)


def test_a_code_that_is_not_the_records_is_refused(people: People, number: int) -> None:
    """Another's serial, another's key, another box's number, no temporary code at all: the record
    registers nobody."""
    id, other = new_record_id(AT), new_record_id(AT)
    forged = sign_temporary(OTHER_KEY, number, 1, temporary_serial(id))
    theirs = sign_temporary(OTHER_KEY, number + 1, 1, temporary_serial(id))
    for text in (
        make_code(number, other),
        build_code(forged),
        build_code(theirs),
        "A" * 64 + ":0:" + "D" * 32 + ":" + "A" * 22,
    ):
        with pytest.raises(Refused) as caught:
            report(people, id, make_temporary(text))
        assert caught.value.reason in {Reason.CODE_FORGED, Reason.CODE_EXTENSION_MALFORMED}
    assert count(people, "person") == count(people, "temporary_code") == 0


def test_a_contradiction_is_refused_and_can_be_replayed(people: People, number: int) -> None:
    """The number is registered under another name: nothing of the record stays, so that it waits
    parked for a person; after their correction the same record is good."""
    person, _ = people.enrol(replace(SAMPLE, name="张三"))
    id = new_record_id(AT)
    record = make_temporary(make_code(number, id))
    with pytest.raises(Refused) as caught:
        report(people, id, record)
    assert caught.value.reason is Reason.PERSON_MISMATCH
    judged = judge(people, record.code)
    assert (judged.verdict, judged.reason) == (Verdict.PROVISIONAL, Reason.CODE_TEMPORARY_UNKNOWN)
    with people.database.unit():
        people.patients.rename(person.id, SAMPLE.name, AT, CLERK)
    report(people, id, record)
    assert judge(people, record.code).person == person.id


def test_an_id_that_was_asked_for_another_is_poison(people: People, number: int) -> None:
    """One id, two residents: no record makes the second one of the first."""
    id = new_record_id(AT)
    with people.database.unit():
        people.registrations.answer_register(BOX, make_registration(id=id), AT)
    with pytest.raises(Refused) as caught:
        report(people, id, make_temporary(make_code(number, id), name="张三"))
    assert caught.value.reason is Reason.RECORD_POISON


@pytest.mark.parametrize(
    ("act", "reason"),
    [("suspend", Reason.CARD_SUSPENDED), ("cancel", Reason.CARD_CANCELLED)],
)
def test_a_card_that_was_stopped_meanwhile_stays_stopped(
    people: People, number: int, act: str, reason: Reason
) -> None:
    """A late record issues no card again; its code says why it is not good, and is good when the
    card is."""
    _, card = people.enrol()
    with people.database.unit():
        getattr(people.cards, act)(card.id, AT, CLERK)
    id = new_record_id(AT)
    code = make_code(number, id)
    report(people, id, make_temporary(code))
    assert judge(people, code).reason is reason
    notices = {notice.kind: notice for notice in people.notices.list_waiting(BOX)}
    told = notices[NoticeKind.TEMPORARY_RESOLVED]
    assert told.reason == reason
    assert reason.words.next_en in told.en
    assert NoticeKind.CASE_OPENED in notices
    with people.database.unit():
        if act == "suspend":
            people.cards.resume(card.id, AT, CLERK)
        else:
            people.cards.open_account(people.patients.read(card.person), AT, CLERK)
    assert judge(people, code).verdict is Verdict.ACCEPTED


def test_a_code_of_a_former_machine_resolves_for_ever(people: People, number: int) -> None:
    """Another machine joins under the box's name, then the box is revoked."""
    id = new_record_id(AT)
    code = make_code(number, id)
    people.add_box(BOX, STD.new_signing_key())
    report(people, id, make_temporary(code))
    with people.database.unit():
        people.fleet.revoke(BOX, "stolen", AT + timedelta(days=1), CLERK)
    assert judge(people, code).verdict is Verdict.ACCEPTED


def test_the_code_is_kept_as_token_and_sealed(people: People, number: int) -> None:
    """Whoever reads the table can print no label."""
    id = new_record_id(AT)
    code = make_code(number, id)
    report(people, id, make_temporary(code))
    row = TemporaryCodeRow.get()
    assert (row.box, row.id, row.kept_at) == (str(BOX), id.bytes, to_microseconds(AT))
    assert code.encode() not in bytes(row.token) + bytes(row.text)
    assert people.keys.open("temporary_code.text", row.text) == code
