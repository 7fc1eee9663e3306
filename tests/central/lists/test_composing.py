"""What central composes for boxes: whatever changes, whoever changes it, and what a page costs."""

from datetime import timedelta

import msgspec
import pytest

from central.hospital.service import NumberType
from central.lists import store
from central.lists.answering import MOST_PERSONS
from central.patients.person import Registration
from shared.crypto import STD
from shared.errors import Refused
from shared.ids import new_record_id
from shared.lists import (
    NO_DIGEST,
    START,
    ListedPerson,
    PersonsPage,
    Position,
    RevokedPage,
    card_token,
    element,
    end_of,
    open_page,
    set_digest,
    sign_page,
)
from shared.messages import ListAsk, ListName
from shared.reasons import Reason
from tests.central.lists.centre import ListCentre
from tests.central.people import BOX, CLERK, SAMPLE, make_resident

HIGHEST = 200 * 1024


def persons(centre: ListCentre, site: str = BOX.site) -> list[ListedPerson]:
    """All that the boxes of a site are told."""
    page = centre.desk._page(centre.lists.read_head(ListName.PERSONS, site), START)
    assert isinstance(page, PersonsPage)
    assert page.next is None
    return list(page.persons)


def revoked(centre: ListCentre, since: Position = START) -> RevokedPage:
    page = centre.desk._page(centre.head(ListName.REVOKED), since)
    assert isinstance(page, RevokedPage)
    return page


def test_a_person_is_told_anew_with_every_change(centre: ListCentre) -> None:
    """A name, a document, a number, a code: each makes a new revision, and nothing else does."""
    person, card = centre.admit(SAMPLE)
    people, at = centre.people, centre.clock.now()
    centre.compose()
    before = centre.head(ListName.PERSONS)
    centre.compose()
    assert centre.head(ListName.PERSONS) == before

    def change(act: str) -> None:
        with people.database.unit():
            if act == "name":
                people.patients.rename(person.id, "电子卡", at, CLERK)
                people.cards.renew_ehc_id(people.patients.read(person.id), at)
            elif act == "document":
                people.patients.add_document(person.id, "03", "G12345678", at, CLERK)
            else:
                patient = people.hospital.identify(person.id, BOX.site)
                assert patient is not None
                people.hospital.add_record_number(patient, NumberType.INPATIENT, "Z-9", at)

    for act in ("name", "document", "number"):
        change(act)
        centre.compose()
        after = centre.head(ListName.PERSONS)
        assert after.revision > before.revision
        assert after.count == 1
        before = after
    (listed,) = persons(centre)
    assert listed.identity is not None
    assert listed.identity.name == "电*卡"
    assert {each.number for each in listed.identity.record_numbers} >= {"Z-9"}
    ehc_ids = people.cards.list_names(card.id)
    assert len(ehc_ids) == 2
    assert set(listed.tokens) == {card_token(centre.keys.list_key, each) for each in ehc_ids}


def test_a_person_who_left_a_site_is_taken_back_there(centre: ListCentre) -> None:
    """Its boxes are told to forget; another site's keep them."""
    person, _ = centre.admit(SAMPLE)
    with centre.people.database.unit():
        centre.people.hospital.admit(person.id, "site2", centre.clock.now())
    centre.compose()
    centre.people.database.execute("UPDATE site_patient SET active = 0 WHERE site = 'site1'")
    centre.compose()
    (gone,) = persons(centre)
    assert gone.identity is None
    assert gone.tokens
    assert persons(centre, "site2")[0].identity is not None


def test_an_id_that_a_suspended_card_gets_is_revoked_too(centre: ListCentre) -> None:
    """A changed name gives another code: it is no way around."""
    person, card = centre.admit(SAMPLE)
    centre.suspend(card)
    centre.compose()
    people, at = centre.people, centre.clock.now()
    with people.database.unit():
        people.patients.rename(person.id, "电子卡", at, CLERK)
        people.cards.renew_ehc_id(people.patients.read(person.id), at)
    centre.compose()
    assert len(revoked(centre).added) == 2
    assert centre.head(ListName.REVOKED).count == 2


def test_the_digest_is_of_the_set_and_not_of_its_history(centre: ListCentre) -> None:
    """Suspended, resumed, cancelled, issued again: the sum is that of what is left."""
    cards = [centre.admit(make_resident(number, "张三"))[1] for number in range(3)]
    for card in cards:
        centre.suspend(card)
    centre.compose()
    centre.resume(cards[0])
    centre.cancel(cards[1])
    centre.compose()
    page = revoked(centre)
    assert {card.reason for card in page.added} == {
        Reason.CARD_SUSPENDED,
        Reason.CARD_CANCELLED,
    }
    digest = set_digest(NO_DIGEST, (element(each.token, each.reason) for each in page.added))
    assert page.head.digest == digest
    assert page.head.count == len(page.added) == 2
    for card in cards[1:]:
        with centre.people.database.unit():
            person = centre.people.patients.read(card.person)
            centre.people.cards.open_account(person, centre.clock.now(), CLERK)
    centre.resume(cards[2])
    centre.compose()
    assert centre.head(ListName.REVOKED).digest == NO_DIGEST
    assert centre.head(ListName.REVOKED).count == 0
    assert not revoked(centre).added


def test_a_state_changed_back_at_once_makes_no_revision(centre: ListCentre) -> None:
    """What boxes would be told is what it was."""
    card = centre.admit(SAMPLE)[1]
    centre.compose()
    before = centre.head(ListName.REVOKED)
    centre.suspend(card)
    centre.resume(card)
    centre.compose()
    assert centre.head(ListName.REVOKED) == before


def test_who_comes_after_a_day_is_among_the_latest(centre: ListCentre) -> None:
    """A scan at the site makes a person recent again, at most once a day."""
    people = centre.people
    first, card = centre.admit(SAMPLE)
    centre.compose()
    centre.admit(make_resident(1, "张三"))
    centre.compose()
    order = [row.id for row in store.list_persons(BOX.site, 0, b"", 9)]
    assert order[0] == first.id.bytes

    def scan(after: timedelta) -> list[bytes]:
        centre.clock.advance(after)
        at = centre.clock.now()
        with people.database.unit():
            people.database.execute(
                "INSERT INTO scan (id, box, code_token, person, verdict, consumed, judged_at,"
                " counter, operator, medical_step, drill)"
                " VALUES (?, ?, x'', ?, 'accepted', 0, ?, '', '', '', 0)",
                (
                    new_record_id(at).bytes,
                    str(BOX),
                    card.person.bytes,
                    int(at.timestamp() * 1e6),
                ),
            )
        centre.compose()
        return [row.id for row in store.list_persons(BOX.site, 0, b"", 9)]

    assert scan(timedelta(hours=1)) == order
    assert scan(timedelta(days=1)) == order[::-1]


def test_no_page_is_larger_than_a_broker_likes(centre: ListCentre) -> None:
    """The longest names and numbers there are, a full page of them."""
    site = BOX.site
    name = "阿" * 40
    with centre.people.database.unit():
        for number in range(250):
            body = f"P{number:029d}"
            registration = Registration("03", body, name)
            person, _ = centre.people.patients.register(registration, centre.clock.now(), CLERK)
            centre.people.cards.open_account(person, centre.clock.now(), CLERK)
            patient = centre.people.hospital.admit(person.id, site, centre.clock.now())
            for kind in (NumberType.INPATIENT, NumberType.ARCHIVE):
                centre.people.hospital.add_record_number(
                    patient, kind, f"{number:032d}", centre.clock.now()
                )
    centre.compose()
    page = centre.desk._page(centre.head(ListName.PERSONS), START)
    assert page.next is not None
    signed = sign_page(centre.keys.sign_announcement, page)
    assert len(msgspec.msgpack.encode(signed)) < HIGHEST


@pytest.mark.parametrize("most", [0, 3])
def test_a_page_costs_its_own_rows(centre: ListCentre, most: int) -> None:
    """Every query of a page goes by an index, in the order of the index."""
    revoked = (
        "SELECT token, reason, revision FROM list_revoked WHERE (revision, token) > (?, ?)"
        " ORDER BY revision, token LIMIT ?"
    )
    persons = (
        "SELECT person_id, entry, revision FROM list_person"
        " WHERE site = ? AND (revision, person_id) > (?, ?)"
        " ORDER BY revision, person_id LIMIT ?"
    )
    queries = [(revoked, (0, b"", most)), (persons, (BOX.site, 0, b"", most))]
    for query, values in queries:
        plan = centre.people.database.execute("EXPLAIN QUERY PLAN " + query, values).fetchall()
        text = " ".join(row[3] for row in plan)
        assert "SEARCH" in text
        assert "TEMP B-TREE" not in text


async def test_a_revision_that_cannot_be_is_refused(centre: ListCentre) -> None:
    """A box cannot drive the numbers to their end."""
    centre.compose()
    at = centre.clock.now()
    ask = ListAsk(
        id=new_record_id(at).bytes,
        box=str(BOX),
        born=0,
        expires_at=0,
        counter="",
        list=ListName.REVOKED,
        revision=1 << 61,
    )
    with pytest.raises(Refused) as caught:
        centre.desk.answer(BOX, ask, at)
    assert caught.value.reason is Reason.LIST_OLDER
    assert MOST_PERSONS == 100_000


def test_what_is_damaged_keeps_nobody_else_out(centre: ListCentre) -> None:
    """A sealed column that does not open is one person's alone: here as on a page."""
    broken, card = centre.admit(SAMPLE)
    for number in range(2):
        centre.suspend(centre.admit(make_resident(number, "张三"))[1])
    centre.suspend(card)
    database = centre.people.database
    where = (broken.id.bytes,)
    database.execute("UPDATE person_name SET name = x'00' WHERE person_id = ?", where)
    database.execute("UPDATE card_ehc_id SET ehc_id = x'00' WHERE card_id = ?", (card.id.bytes,))
    centre.compose()
    assert len(persons(centre)) == 2
    assert len(revoked(centre).added) == 2
    assert centre.lists.count_due() == (0, 0)
    database.execute(
        "UPDATE list_person SET entry = x'00' WHERE person_id ="
        " (SELECT person_id FROM list_person LIMIT 1)"
    )
    assert len(persons(centre)) == 1


def test_only_the_latest_are_told_where_there_are_very_many(
    centre: ListCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the start, a box is spared whom it would forget at once."""
    monkeypatch.setattr("central.lists.answering.MOST_PERSONS", 2)
    for number in range(4):
        centre.admit(make_resident(number, "张三"))
        centre.compose()
    assert len(persons(centre)) == 2
    head = centre.head(ListName.PERSONS)
    page = centre.desk._page(head, end_of(head.revision))
    assert isinstance(page, PersonsPage)
    assert not page.persons


async def test_a_page_is_signed_for_its_purpose(centre: ListCentre) -> None:
    """By the announcements key, over the very bytes that travel."""
    centre.compose()
    page = centre.desk._page(centre.head(ListName.KEYS), START)
    signed = sign_page(centre.keys.sign_announcement, page)
    key = STD.verify_key(centre.keys.announcements_public)
    assert open_page(key, signed) == page
    forged = msgspec.structs.replace(signed, body=signed.body + b"\0")
    with pytest.raises(Refused):
        open_page(key, forged)
