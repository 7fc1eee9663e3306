"""Registrations: found or new, once by (box, id), with the static code and the site's numbers."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from central.scans.model import LabelStateRow, RegistrationRow
from shared.clock import to_microseconds
from shared.devices import PrinterCondition, PrintState
from shared.ehc import StaticCode, parse_code
from shared.errors import Malformed, Refused
from shared.ids import BoxId, new_record_id
from shared.ledger import Lane
from shared.messages import (
    PrintRecord,
    RefusalReply,
    RegisterAsk,
    RegisterReply,
    RegistrationOutcome,
    RegistrationRecord,
    Reply,
)
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, OTHER_BOX, SAMPLE, People
from tests.central.scans.asking import make_origin, make_registration


def register(people: People, ask: RegisterAsk, box: BoxId = BOX, seconds: int = 0) -> Reply:
    """One unit of work, as the desk makes it: undone when the ask is refused."""
    at = AT + timedelta(seconds=seconds)
    try:
        with people.database.unit():
            return people.registrations.answer_register(box, ask, at)
    except Refused as refusal:
        return RefusalReply(id=ask.id, central_at=to_microseconds(at), reason=refusal.reason)


def refusal_of(reply: Reply) -> Reason:
    assert isinstance(reply, RefusalReply)
    return reply.reason


def make_record(outcome: RegistrationOutcome) -> RegistrationRecord:
    return RegistrationRecord(
        lane=Lane.IDENTITY,
        origin=make_origin(),
        document_type="01",
        document_number=SAMPLE.document_number,
        name=SAMPLE.name,
        outcome=outcome,
        reason=None,
    )


def make_print(label: bytes, state: PrintState, copy: int = 1) -> PrintRecord:
    return PrintRecord(
        lane=Lane.PRINT,
        origin=make_origin(),
        label=label,
        registration=new_record_id(AT).bytes,
        state=state,
        conditions=(PrinterCondition.NO_PAPER, PrinterCondition.HEAD_OPEN),
        copy=copy,
    )


def test_a_new_resident_gets_code_and_numbers(people: People) -> None:
    """The reply has the static code, the masked person and the numbers of the box's site."""
    reply = register(people, make_registration())
    assert isinstance(reply, RegisterReply)
    assert not reply.found
    assert isinstance(parse_code(reply.code), StaticCode)
    assert reply.identity.name == "电***卡"
    assert reply.identity.patient_id == "P00000001"
    assert [number.type for number in reply.identity.record_numbers] == ["outpatient"]


def test_a_known_resident_is_found_with_the_same_code(people: People) -> None:
    """At another site: the same code, that site's own numbers, found."""
    first = register(people, make_registration())
    second = register(people, make_registration(box=OTHER_BOX), OTHER_BOX)
    assert isinstance(first, RegisterReply)
    assert isinstance(second, RegisterReply)
    assert (second.found, second.code) == (True, first.code)
    assert people.database.execute("SELECT count(*) FROM site_patient").fetchone()[0] == 2


def test_an_ask_repeated_gets_the_same_answer(people: People) -> None:
    """New stays new, and nobody is registered twice; also after the ask's time."""
    ask = make_registration()
    first, again = register(people, ask), register(people, ask, seconds=0)
    assert first == again
    late = register(people, ask, seconds=60)
    assert isinstance(late, RegisterReply)
    assert not late.found
    assert people.database.execute("SELECT count(*) FROM person").fetchone()[0] == 1


def test_refusals_have_their_reasons_and_register_nobody(people: People) -> None:
    """Late, of another box, no document, no name: a reason each, and no person."""
    number = SAMPLE.document_number
    assert refusal_of(register(people, make_registration(), seconds=5)) is Reason.ASK_EXPIRED
    assert refusal_of(register(people, make_registration(box=OTHER_BOX))) is Reason.NOT_FOR_THIS_BOX
    assert refusal_of(register(people, make_registration(name=" "))) is Reason.NAME_EMPTY
    wrong = make_registration(number=number[:-1] + "1")
    assert refusal_of(register(people, wrong)) is Reason.DOCUMENT_CHECK_CHARACTER
    assert people.database.execute("SELECT count(*) FROM person").fetchone()[0] == 0


def test_a_mismatch_is_refused(people: People) -> None:
    """The known number with another name: a person must look."""
    register(people, make_registration())
    assert refusal_of(register(people, make_registration(name="张三"))) is Reason.PERSON_MISMATCH


def test_an_id_is_for_one_resident(people: People) -> None:
    """The id of an answered registration with another resident is refused."""
    id = new_record_id(AT)
    register(people, make_registration(id=id))
    other = make_registration(id=id, name="张三")
    assert refusal_of(register(people, other)) is Reason.REQUEST_MALFORMED


def test_a_suspended_card_gives_no_label(people: People) -> None:
    """Registration finds the person, refuses the code by the card's reason, and keeps nothing."""
    _, card = people.enrol()
    with people.database.unit():
        people.cards.suspend(card.id, AT, CLERK)
    assert refusal_of(register(people, make_registration())) is Reason.CARD_SUSPENDED
    assert people.database.execute("SELECT count(*) FROM person_phone").fetchone()[0] == 0


def test_a_cancelled_card_is_issued_again(people: People) -> None:
    """A new ask with the document gives the same code; the repeat of an old ask does not."""
    old = make_registration()
    first = register(people, old)
    _, card = people.enrol()
    with people.database.unit():
        people.cards.cancel(card.id, AT, CLERK)
    assert refusal_of(register(people, old)) is Reason.CARD_CANCELLED
    again = register(people, make_registration())
    assert isinstance(first, RegisterReply)
    assert isinstance(again, RegisterReply)
    assert (again.found, again.code) == (True, first.code)


@pytest.mark.parametrize("row_first", [True, False])
def test_row_and_ask_meet_in_one_row(people: People, row_first: bool) -> None:
    """Ask and record of one registration are one row, in whichever order they come, twice too."""
    id = new_record_id(AT)
    record = make_record(RegistrationOutcome.UNANSWERED)

    def report() -> None:
        with people.database.unit():
            people.registrations.record_registration(BOX, id, record, AT)

    if row_first:
        report()
    reply = register(people, make_registration(id=id))
    report()
    assert isinstance(reply, RegisterReply)
    row = RegistrationRow.get()
    assert RegistrationRow.select().count() == 1
    assert (row.outcome, bool(row.found)) == ("unanswered", False)
    assert row.person is not None
    assert register(people, make_registration(id=id)) == reply


def test_each_state_of_a_label_is_a_row(people: People) -> None:
    """SENT, then CONFIRMED: two rows of one label; the same row again is none."""
    label, sent, confirmed = (new_record_id(AT) for _ in range(3))
    for _ in range(2):
        with people.database.unit():
            for id, state in ((sent, PrintState.SENT), (confirmed, PrintState.CONFIRMED)):
                people.registrations.record_print(BOX, id, make_print(label.bytes, state), AT)
    rows = LabelStateRow.select().where(LabelStateRow.label == label.bytes)
    assert {row.state for row in rows} == {"sent", "confirmed"}
    assert rows[0].conditions == "no-paper,head-open"


@pytest.mark.parametrize(("label", "copy"), [(b"x", 1), (bytes(16), 1), (None, 0), (None, 2**63)])
def test_a_label_that_is_none_is_malformed(people: People, label: bytes | None, copy: int) -> None:
    """A label's id is a UUIDv7, and copies are counted from one."""
    record = make_print(label or new_record_id(AT).bytes, PrintState.SENT, copy)
    with pytest.raises(Malformed), people.database.unit():
        people.registrations.record_print(BOX, new_record_id(AT), record, AT)


def test_no_resident_is_in_the_files(people: People, tmp_path: Path) -> None:
    """After ask and record the files hold no name, number, phone or code."""
    id = new_record_id(AT)
    reply = register(people, make_registration(id=id))
    with people.database.unit():
        record = make_record(RegistrationOutcome.NEW)
        people.registrations.record_registration(BOX, id, record, AT)
    assert isinstance(reply, RegisterReply)
    assert sqlite3.connect(tmp_path / "central.db").execute("SELECT 1 FROM person").fetchone()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (SAMPLE.name, SAMPLE.document_number, "13800000000", reply.code[:64]):
        assert secret.encode() not in stored
