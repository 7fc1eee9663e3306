"""Scans at central: whatever order asks and rows come in, one use, one consumption, one verdict."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from central.scans.model import ScanRow, ScanSequelRow
from shared.errors import Malformed, Refused
from shared.ids import BoxId, new_record_id
from shared.ledger import Lane
from shared.messages import (
    LateAnswerRecord,
    RecordNumber,
    RefusalReply,
    RepeatRecord,
    Reply,
    ScanAsk,
    ScanReply,
    Verdict,
)
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, OTHER_BOX, SAMPLE, People
from tests.central.scans.asking import make_ask, make_origin, make_record

SECOND = timedelta(seconds=1)


@pytest.fixture
def code(people: People) -> str:
    """A dynamic code of the sample person."""
    _, card = people.enrol()
    with people.database.unit():
        return people.cards.issue_dynamic(card, AT)


def ask(people: People, ask: ScanAsk, box: BoxId = BOX, after: timedelta = 0 * SECOND) -> Reply:
    with people.database.unit():
        return people.scans.answer(box, ask, AT + after)


def verdict_of(reply: Reply) -> tuple[Verdict, Reason | None]:
    assert isinstance(reply, ScanReply)
    return reply.verdict, reply.reason


def read_scan(people: People, id: bytes) -> tuple[str, str | None, str | None, bool | None]:
    """Central's verdict and reason, the box's verdict, whether they differ."""
    row = ScanRow.get(ScanRow.id == id)
    return row.verdict, row.reason, row.box_verdict, row.differs


def test_a_good_code_names_the_masked_person_and_the_sites_numbers(
    people: People, code: str
) -> None:
    """The counter is told who it is, masked, with the record numbers of its own site."""
    person = people.patients.find("01", SAMPLE.document_number, SAMPLE.name, AT)
    assert person is not None
    with people.database.unit():
        people.hospital.admit(person.id, BOX.site, AT)
    reply = ask(people, make_ask(code), after=SECOND)
    assert isinstance(reply, ScanReply)
    assert (reply.verdict, reply.reason) == (Verdict.ACCEPTED, None)
    assert reply.central_at == make_ask(code).born + 1_000_000
    assert reply.identity is not None
    assert reply.identity.name == "电***卡"
    assert reply.identity.document == "110***********006X"
    assert (reply.identity.sex, reply.identity.birth_date) == ("2", "2017-12-25")
    assert reply.identity.patient_id == "P00000001"
    assert reply.identity.record_numbers == (RecordNumber("outpatient", "00000001"),)


def test_another_sites_numbers_stay_there(people: People, code: str) -> None:
    """A site that never admitted the person is told the person and no number."""
    person = people.patients.find("01", SAMPLE.document_number, SAMPLE.name, AT)
    assert person is not None
    with people.database.unit():
        people.hospital.admit(person.id, BOX.site, AT)
    reply = ask(people, make_ask(code, box=OTHER_BOX), OTHER_BOX)
    assert isinstance(reply, ScanReply)
    assert reply.identity is not None
    assert (reply.identity.patient_id, reply.identity.record_numbers) == ("", ())


def test_a_refused_code_shows_nobody(people: People, code: str) -> None:
    """With a refusal goes a reason and no identity."""
    ask(people, make_ask(code, box=OTHER_BOX), OTHER_BOX)
    reply = ask(people, make_ask(code))
    assert isinstance(reply, ScanReply)
    assert (reply.verdict, reply.reason) == (Verdict.REFUSED, Reason.CODE_USED)
    assert reply.identity is None


def test_an_ask_repeated_is_one_use(people: People, code: str) -> None:
    """The same ask again, also after its time, gets the same answer and consumes once."""
    first = make_ask(code)
    replies = [ask(people, first, after=after * SECOND) for after in (0, 1, 30)]
    assert {verdict_of(reply) for reply in replies} == {(Verdict.ACCEPTED, None)}
    assert verdict_of(ask(people, make_ask(code, box=OTHER_BOX), OTHER_BOX)) == (
        Verdict.REFUSED,
        Reason.CODE_USED,
    )


def test_an_expired_ask_consumes_nothing(people: People, code: str) -> None:
    """An ask that arrives too late is refused; its code is still good for the next."""
    late = ask(people, make_ask(code), after=3 * SECOND)
    assert isinstance(late, RefusalReply)
    assert late.reason is Reason.ASK_EXPIRED
    assert ScanRow.select().count() == 0
    again = make_ask(code, at=AT + 4 * SECOND)
    assert verdict_of(ask(people, again, after=4 * SECOND)) == (Verdict.ACCEPTED, None)


def test_a_box_asks_for_itself(people: People, code: str) -> None:
    """An ask that names another box than the one that sent it is refused."""
    reply = ask(people, make_ask(code, box=OTHER_BOX), BOX)
    assert isinstance(reply, RefusalReply)
    assert reply.reason is Reason.NOT_FOR_THIS_BOX


def test_an_id_is_for_one_code(people: People, code: str) -> None:
    """The id of an answered ask with another code must not tell the first one's person."""
    first = make_ask(code)
    ask(people, first)
    other = make_ask("A" * 64 + ":1", id=new_record_id(AT))
    reply = ask(people, replace(other, id=first.id))
    assert isinstance(reply, RefusalReply)
    assert reply.reason is Reason.REQUEST_MALFORMED


def test_an_id_of_another_form_is_malformed(people: People, code: str) -> None:
    """An ask whose id is not sixteen bytes of a UUIDv7 is no ask."""
    for id in (b"short", bytes(16)):
        with pytest.raises(Malformed):
            ask(people, replace(make_ask(code), id=id))


def test_row_after_its_ask(people: People, code: str) -> None:
    """The row keeps the verdict that was answered, and closes the box's window to move the use."""
    id = new_record_id(AT)
    ask(people, make_ask(code, id=id))
    with people.database.unit():
        people.scans.record_scan(BOX, id, make_record(code), AT + 3600 * SECOND)
    assert read_scan(people, id.bytes) == ("accepted", None, "accepted", False)
    assert verdict_of(ask(people, make_ask(code), after=SECOND)) == (
        Verdict.REFUSED,
        Reason.CODE_USED,
    )


def test_ask_after_its_row(people: People, code: str) -> None:
    """An ask that the broker held back finds the row's verdict, and consumes nothing again."""
    id = new_record_id(AT)
    with people.database.unit():
        people.scans.record_scan(BOX, id, make_record(code), AT + SECOND)
    held_back = make_ask(code, id=id)
    assert verdict_of(ask(people, held_back, after=2 * SECOND)) == (Verdict.ACCEPTED, None)
    assert ScanRow.select().count() == 1


def test_row_twice(people: People, code: str) -> None:
    """A row repeated after a lost receipt changes nothing."""
    id = new_record_id(AT)
    for minutes in (1, 9):
        with people.database.unit():
            people.scans.record_scan(BOX, id, make_record(code), AT + timedelta(minutes=minutes))
    assert read_scan(people, id.bytes) == ("accepted", None, "accepted", False)
    assert ScanRow.get().reported_at == make_ask(code, at=AT + timedelta(minutes=1)).born


def test_a_code_good_when_shown_stays_good(people: People, code: str) -> None:
    """A record of an outage is judged at its birth, by the box's clock and its measured offset."""
    id = new_record_id(AT)
    origin = make_origin(at=AT - timedelta(hours=2), offset_ms=2 * 3600 * 1000 + 30_000)
    record = make_record(code, origin=origin, verdict=Verdict.PROVISIONAL)
    with people.database.unit():
        people.scans.record_scan(BOX, id, record, AT + timedelta(days=2))
    assert read_scan(people, id.bytes) == ("accepted", None, "provisional", False)


def test_a_code_expired_when_shown_is_refused(people: People, code: str) -> None:
    """What a box let through provisionally and was not good differs, for a person to see."""
    id = new_record_id(AT)
    origin = make_origin(at=AT + timedelta(minutes=5))
    record = make_record(code, origin=origin, verdict=Verdict.PROVISIONAL)
    with people.database.unit():
        people.scans.record_scan(BOX, id, record, AT + timedelta(days=2))
    assert read_scan(people, id.bytes) == ("refused", "code-expired", "provisional", True)


def test_a_birth_in_the_future_counts_as_arrival(people: People, code: str) -> None:
    """A clock that runs ahead cannot make a good code expire: no record is younger than its row."""
    id = new_record_id(AT)
    origin = make_origin(at=AT + timedelta(days=1))
    record = make_record(code, origin=origin, verdict=Verdict.PROVISIONAL)
    with people.database.unit():
        people.scans.record_scan(BOX, id, record, AT + 10 * SECOND)
    assert read_scan(people, id.bytes)[0] == "accepted"


def test_two_boxes_with_one_code_in_one_batch(people: People, code: str) -> None:
    """The first stands; the other's provisional yes differs from central's CODE_USED."""
    first, other = new_record_id(AT), new_record_id(AT)
    with people.database.unit():
        for box, id in ((BOX, first), (OTHER_BOX, other)):
            record = make_record(code, origin=make_origin(box=box), verdict=Verdict.PROVISIONAL)
            people.scans.record_scan(box, id, record, AT + SECOND)
    assert read_scan(people, first.bytes) == ("accepted", None, "provisional", False)
    assert read_scan(people, other.bytes) == ("refused", "code-used", "provisional", True)


def test_two_boxes_may_mint_one_id(people: People, code: str) -> None:
    """(box, id) is the key: one box's record never stands for another's."""
    id = new_record_id(AT)
    assert verdict_of(ask(people, make_ask(code, id=id)))[0] is Verdict.ACCEPTED
    assert verdict_of(ask(people, make_ask(code, id=id, box=OTHER_BOX), OTHER_BOX)) == (
        Verdict.REFUSED,
        Reason.CODE_USED,
    )


def test_crash_between_ask_and_commit(people: People, code: str) -> None:
    """The same patient again at the same box: same verdict, and the use is the new record's."""
    lost, again = new_record_id(AT), new_record_id(AT)
    assert verdict_of(ask(people, make_ask(code, id=lost)))[0] is Verdict.ACCEPTED
    assert verdict_of(ask(people, make_ask(code, id=again)))[0] is Verdict.ACCEPTED
    with people.database.unit():
        people.scans.record_scan(BOX, again, make_record(code), AT + SECOND)
    assert read_scan(people, again.bytes) == ("accepted", None, "accepted", False)
    used = people.database.execute("SELECT used_id FROM issued_code").fetchall()
    assert used == [(again.bytes,)]


def test_a_lost_record_that_comes_after_all_has_no_use(people: People, code: str) -> None:
    """Of two records with one code only one ends as accepted, also when the use had moved."""
    lost, again = new_record_id(AT), new_record_id(AT)
    for id in (lost, again):
        ask(people, make_ask(code, id=id))
    for id in (lost, again):
        with people.database.unit():
            people.scans.record_scan(BOX, id, make_record(code), AT + SECOND)
    assert read_scan(people, lost.bytes) == ("refused", "code-used", "accepted", True)
    assert read_scan(people, again.bytes) == ("accepted", None, "accepted", False)


def test_a_scan_the_box_refused_uses_nothing_up(people: People, code: str) -> None:
    """A second showing that the box refused by itself does not take the use from the first."""
    first, second = new_record_id(AT), new_record_id(AT)
    ask(people, make_ask(code, id=first))
    refused = make_record(code, verdict=Verdict.REFUSED, reason=Reason.CODE_USED)
    with people.database.unit():
        people.scans.record_scan(BOX, second, refused, AT + SECOND)
        people.scans.record_scan(BOX, first, make_record(code), AT + SECOND)
    assert read_scan(people, first.bytes) == ("accepted", None, "accepted", False)


def test_a_suspension_after_the_answer_changes_nothing(people: People, code: str) -> None:
    """The record of an answered ask keeps its answer; a new ask is refused."""
    _, card = people.enrol()
    id = new_record_id(AT)
    ask(people, make_ask(code, id=id))
    with people.database.unit():
        people.cards.suspend(card.id, AT, CLERK)
        people.scans.record_scan(BOX, id, make_record(code), AT + SECOND)
    assert read_scan(people, id.bytes)[0] == "accepted"
    assert verdict_of(ask(people, make_ask(code)))[1] is Reason.CARD_SUSPENDED


def test_a_row_of_another_box_or_code_is_refused(people: People, code: str) -> None:
    """A record that names another box, or an asked id with another code, is parked with why."""
    id = new_record_id(AT)
    ask(people, make_ask(code, id=id))
    stolen = make_record(code, origin=make_origin(box=OTHER_BOX))
    swapped = make_record("A" * 64 + ":1")
    for record, reason in ((stolen, Reason.NOT_FOR_THIS_BOX), (swapped, Reason.RECORD_POISON)):
        with pytest.raises(Refused) as refused, people.database.unit():
            people.scans.record_scan(BOX, id, record, AT)
        assert refused.value.reason is reason


@pytest.mark.parametrize("wall_at", [2**63 - 1, -(2**63), 2**64 - 1])
def test_an_impossible_time_is_malformed(people: People, code: str, wall_at: int) -> None:
    """A birth that is no date is refused, and breaks nothing."""
    origin = make_origin()
    broken = type(origin)(
        box=origin.box, counter="", boot_id=b"", wall_at=wall_at, monotonic_ns=0, offset_ms=2**62
    )
    with pytest.raises(Malformed), people.database.unit():
        people.scans.record_scan(BOX, new_record_id(AT), make_record(code, origin=broken), AT)


def test_what_came_later_names_the_first(people: People) -> None:
    """A repeat and a late answer are rows of their own, each once."""
    first, repeat, late = (new_record_id(AT) for _ in range(3))
    again = RepeatRecord(
        lane=Lane.USE, origin=make_origin(), first=first.bytes, verdict=Verdict.ACCEPTED
    )
    answer = LateAnswerRecord(
        lane=Lane.USE,
        origin=make_origin(),
        first=first.bytes,
        verdict=Verdict.REFUSED,
        reason=Reason.CODE_USED,
    )
    for _ in range(2):
        with people.database.unit():
            people.scans.record_repeat(BOX, repeat, again, AT)
            people.scans.record_late_answer(BOX, late, answer, AT)
    rows = ScanSequelRow.select().where(ScanSequelRow.first == first.bytes)
    assert {(row.kind, row.verdict, row.reason) for row in rows} == {
        ("scan-again", "accepted", None),
        ("scan-answered-late", "refused", "code-used"),
    }


def test_no_code_and_no_person_is_in_the_files(people: People, code: str, tmp_path: Path) -> None:
    """After ask and row, neither the database nor its log holds the code or the person."""
    id = new_record_id(AT)
    ask(people, make_ask(code, id=id))
    with people.database.unit():
        people.scans.record_scan(BOX, id, make_record(code), AT)
    assert sqlite3.connect(tmp_path / "central.db").execute("SELECT 1 FROM scan").fetchone()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (*code.split(":")[::2], SAMPLE.name, SAMPLE.document_number):
        assert secret.encode() not in stored
