"""Conflicts as they arrive: each becomes one case with both sides; nothing else does."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from central.cards.card import Card
from central.cases.case import Case, Evidence
from central.cases.kinds import CaseKind
from central.patients.person import Registration
from shared.ids import BoxId, RecordId, new_record_id
from shared.ledger import Lane
from shared.messages import (
    Origin,
    RegisterReply,
    RegistrationOutcome,
    RegistrationRecord,
    ScanReply,
    Verdict,
)
from shared.notices import Notice, NoticeKind
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, OTHER_BOX, SAMPLE, People, make_resident
from tests.central.scans.asking import make_ask, make_origin, make_record, make_registration

HOUR = timedelta(hours=1)
BACK = AT + 8 * HOUR
"""When the boxes are back, and every dynamic code has long expired."""


def issue(people: People, card: Card, at: datetime = AT) -> str:
    with people.database.unit():
        return people.cards.issue_dynamic(card, at, 60)


def ask(people: People, code: str, box: BoxId) -> tuple[RecordId, Verdict]:
    """A scan with a line: central is asked."""
    id = new_record_id(AT)
    with people.database.unit():
        reply = people.scans.answer(box, make_ask(code, id=id, box=box), AT)
    assert isinstance(reply, ScanReply)
    return id, reply.verdict


def come_back(
    people: People,
    code: str,
    box: BoxId = BOX,
    *,
    origin: Origin | None = None,
    verdict: Verdict = Verdict.PROVISIONAL,
    id: RecordId | None = None,
    at: datetime = BACK,
) -> RecordId:
    """The record of a scan that a box judged alone arrives late."""
    id = id or new_record_id(AT)
    record = make_record(code, origin=origin or make_origin(box=box), verdict=verdict)
    with people.database.unit():
        people.scans.record_scan(box, id, record, at)
    return id


def cases(people: People) -> list[Case]:
    return people.cases.list_undecided()


def one(people: People, kind: CaseKind) -> tuple[Case, list[Evidence]]:
    """The only case there is."""
    (case,) = cases(people)
    assert case.kind is kind
    return case, people.cases.list_evidence(case)


def verdict_of(people: People, id: RecordId) -> tuple[str, str | None]:
    row = people.database.execute("SELECT verdict, reason FROM scan WHERE id = ?", (id.bytes,))
    verdict, reason = row.fetchone()
    return verdict, reason


def told(people: People, box: BoxId) -> list[Notice]:
    return people.notices.list_waiting(box)


def test_one_code_at_two_boxes_that_were_away(people: People) -> None:
    """What reached central first is counted; the other stays as reported, and is a case."""
    person, card = people.enrol()
    code = issue(people, card)
    first = come_back(people, code, BOX)
    assert not cases(people)
    second = come_back(people, code, OTHER_BOX)
    case, (counted, later) = one(people, CaseKind.CODE_USED_TWICE)
    assert (counted.box, counted.record) == (BOX, first)
    assert (later.box, later.record) == (OTHER_BOX, second)
    assert {counted.person, later.person} == {person.id}
    assert case.boxes == (BOX, OTHER_BOX)
    assert verdict_of(people, first) == ("accepted", None)
    assert verdict_of(people, second) == ("refused", Reason.CODE_USED)
    for box, record in ((BOX, first), (OTHER_BOX, second)):
        (notice,) = told(people, box)
        assert (notice.kind, notice.record) == (NoticeKind.CASE_OPENED, record.bytes)
        assert notice.case == case.id.bytes


def test_used_online_then_shown_at_a_box_that_is_away(people: People) -> None:
    """The box without a line let it through in good faith: evidence says who was asked."""
    _, card = people.enrol()
    code = issue(people, card)
    asked, verdict = ask(people, code, BOX)
    assert verdict is Verdict.ACCEPTED
    come_back(people, code, OTHER_BOX)
    _, (counted, _) = one(people, CaseKind.CODE_USED_TWICE)
    assert counted.record == asked
    assert "central" in counted.en
    assert counted.counter == "挂号1"


def test_used_away_then_asked_online_is_refused_there(people: People) -> None:
    """The counter with a line hears that the code is used: nobody was let through twice."""
    _, card = people.enrol()
    code = issue(people, card)
    come_back(people, code, OTHER_BOX, at=AT)
    assert ask(people, code, BOX)[1] is Verdict.REFUSED
    assert not cases(people)


def test_the_same_row_again_is_the_same_case(people: People) -> None:
    """Records repeat until they are receipted, cases do not; a third box is evidence only."""
    _, card = people.enrol()
    code = issue(people, card)
    come_back(people, code, BOX)
    second = come_back(people, code, OTHER_BOX)
    come_back(people, code, OTHER_BOX, id=second)
    case, evidence = one(people, CaseKind.CODE_USED_TWICE)
    assert (case.evidence, len(evidence)) == (2, 2)
    come_back(people, code, BoxId("site3", "box1"))
    case, evidence = one(people, CaseKind.CODE_USED_TWICE)
    assert len(evidence) == 3
    assert len(told(people, OTHER_BOX)) == 1


def test_a_box_that_refused_is_no_conflict(people: People) -> None:
    """The same box knows its own use and refuses; so does one with a revocation list."""
    _, card = people.enrol()
    code = issue(people, card)
    come_back(people, code, BOX)
    come_back(people, code, BOX, verdict=Verdict.REFUSED)
    with people.database.unit():
        people.cards.cancel(card.id, AT - HOUR, CLERK)
    come_back(people, code, OTHER_BOX, verdict=Verdict.REFUSED)
    assert not cases(people)


@pytest.mark.parametrize("stop", ["suspend", "cancel"])
def test_a_card_stopped_while_a_box_was_away(people: People, stop: str) -> None:
    """Let through after the card was stopped: a case that says when, and by whom it was used."""
    person, card = people.enrol()
    with people.database.unit():
        code = people.cards.static_code(card)
        getattr(people.cards, stop)(card.id, AT - HOUR, CLERK)
    id = come_back(people, code)
    _, (stopped, used) = one(people, CaseKind.CARD_CANCELLED_MEANWHILE)
    assert (stopped.at, stopped.box) == (AT - HOUR, None)
    assert (used.record, used.person) == (id, person.id)
    assert verdict_of(people, id)[0] == "refused"


def test_a_card_stopped_after_it_was_used_is_no_conflict(people: People) -> None:
    """By the corrected time it was good when it was shown, whatever became of it since."""
    _, card = people.enrol()
    with people.database.unit():
        code = people.cards.static_code(card)
        people.cards.cancel(card.id, AT + HOUR, CLERK)
    id = come_back(people, code)
    assert verdict_of(people, id) == ("accepted", None)
    assert not cases(people)


def test_a_card_that_was_resumed_since_counts_as_it_stood(people: People) -> None:
    """Suspended when the box let it through, active when the record comes: not force-accepted."""
    _, card = people.enrol()
    with people.database.unit():
        code = people.cards.static_code(card)
        people.cards.suspend(card.id, AT - HOUR, CLERK)
        people.cards.resume(card.id, AT + HOUR, CLERK)
    id = come_back(people, code)
    assert verdict_of(people, id) == ("refused", Reason.CARD_SUSPENDED)
    one(people, CaseKind.CARD_CANCELLED_MEANWHILE)


@pytest.mark.parametrize("confidence_ms", [None, 3_600_000])
def test_a_time_that_cannot_be_trusted_is_not_believed(
    people: People, confidence_ms: int | None
) -> None:
    """In time or not depends on a clock that nobody compared: provisional, and a case; the code
    is held for this scan meanwhile."""
    _, card = people.enrol()
    code = issue(people, card)
    offset = None if confidence_ms is None else 0
    origin = make_origin(offset_ms=offset, confidence_ms=confidence_ms)
    id = come_back(people, code, origin=origin)
    assert verdict_of(people, id) == ("provisional", Reason.BIRTH_UNCERTAIN)
    one(people, CaseKind.LATE_RECORD)
    come_back(people, code, OTHER_BOX)
    kinds = {case.kind for case in cases(people)}
    assert kinds == {CaseKind.LATE_RECORD, CaseKind.CODE_USED_TWICE}


def test_the_scans_of_one_life_of_a_box_are_one_case(people: People) -> None:
    """Its clock is right or wrong for all of them: one person looks at it once."""
    _, card = people.enrol()
    for second in range(3):
        code = issue(people, card, AT + timedelta(seconds=second))
        come_back(people, code, origin=make_origin(offset_ms=None, at=AT + HOUR))
    case, _ = one(people, CaseKind.LATE_RECORD)
    assert case.evidence == 3


def test_a_verdict_that_does_not_depend_on_time_needs_no_case(people: People) -> None:
    """A static code of a card that never changed; a dynamic one whose record came in time; one
    that expired before any time it can have been shown at."""
    _, card = people.enrol()
    unknown = make_origin(offset_ms=None)
    with people.database.unit():
        static = people.cards.static_code(card)
    assert verdict_of(people, come_back(people, static, origin=unknown)) == ("accepted", None)
    fresh = come_back(people, issue(people, card), origin=unknown, at=AT + timedelta(seconds=30))
    assert verdict_of(people, fresh) == ("accepted", None)
    old = issue(people, card, AT - timedelta(days=2))
    stale = come_back(people, old, origin=unknown)
    assert verdict_of(people, stale) == ("refused", Reason.CODE_EXPIRED)
    assert not cases(people)


def test_one_person_under_two_documents(people: People) -> None:
    """The same name and telephone under another document: both stay, and a person decides."""
    person, _ = people.enrol(Registration("01", SAMPLE.document_number, SAMPLE.name, "2", "138"))
    ask = make_registration(number=make_resident(7, "").document_number)
    with people.database.unit():
        people.patients.register(
            Registration("01", SAMPLE.document_number, SAMPLE.name, "2", ask.phone), AT, CLERK
        )
        reply = people.registrations.answer_register(BOX, ask, AT)
    assert isinstance(reply, RegisterReply)
    assert not reply.found
    _, (before, now) = one(people, CaseKind.REGISTERED_TWICE)
    assert before.person == person.id
    assert now.person not in {None, person.id}
    assert (now.box, now.record) == (BOX, RecordId(UUID(bytes=ask.id)))
    assert "***" in now.private
    with people.database.unit():
        people.registrations.answer_register(BOX, ask, AT)
    assert len(cases(people)) == 1


def test_namesakes_are_no_conflict(people: People) -> None:
    """Many people have one name; only a telephone number or a birth date says more."""
    people.enrol(make_resident(1, "张伟"))
    with people.database.unit():
        ask = make_registration(name="张伟", number=make_resident(2, "").document_number)
        people.registrations.answer_register(BOX, ask, AT)
    assert not cases(people)


def test_a_document_under_another_name_is_a_case(people: People) -> None:
    """Central refused and registered nobody; the record says so, and somebody must find out."""
    person, _ = people.enrol()
    id = new_record_id(AT)
    record = RegistrationRecord(
        lane=Lane.IDENTITY,
        origin=make_origin(),
        document_type="01",
        document_number=SAMPLE.document_number,
        name="别的人",
        outcome=RegistrationOutcome.REFUSED,
        reason=Reason.PERSON_MISMATCH,
    )
    for _ in range(2):
        with people.database.unit():
            people.registrations.record_registration(BOX, id, record, BACK)
    case, (before, refused) = one(people, CaseKind.REGISTERED_TWICE)
    assert (before.person, refused.person) == (person.id, None)
    assert refused.private.startswith("别*人")
    assert case.boxes == (BOX,)
    raw = people.database.execute("SELECT group_concat(quote(private)) FROM case_evidence")
    assert "别" not in bytes.fromhex(raw.fetchone()[0].split("'")[1]).decode(errors="replace")
