"""Persons: found again by document and name, never merged wrongly, never in clear on the disk."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import peewee
import pytest

from central.patients.model import IndexRow, NameRow
from central.patients.person import PersonId, Registration
from shared.errors import Malformed, Refused
from shared.ids import new_record_id
from shared.reasons import Reason
from tests.central.people import AT, CLERK, SAMPLE, People, make_resident

LATER = AT + timedelta(days=30)


def test_register_is_idempotent(people: People) -> None:
    """The same document and name, however written, are found, not registered again."""
    with people.database.unit():
        first, found = people.patients.register(SAMPLE, AT, CLERK)
        again, found_again = people.patients.register(
            replace(SAMPLE, document_number=" 11010020171225006x", name="电 子健康卡"), AT, CLERK
        )
    assert (found, found_again) == (False, True)
    assert again == first
    assert (first.sex, str(first.birth_date)) == ("2", "2017-12-25")


def test_fifteen_digits_are_the_same_person(people: People) -> None:
    """A number of the first generation finds who registered with the eighteen of today."""
    with people.database.unit():
        old, _ = people.patients.register(Registration("01", "110105491231002", "王芳"), AT, CLERK)
        new, found = people.patients.register(
            Registration("01", "11010519491231002X", "王芳"), AT, CLERK
        )
    assert found
    assert new.id == old.id


def test_same_number_other_name_is_refused(people: People) -> None:
    """One resident id number with two names is for a person to decide: nothing is created."""
    with people.database.unit():
        people.patients.register(SAMPLE, AT, CLERK)
        with pytest.raises(Refused) as refused:
            people.patients.register(replace(SAMPLE, name="电子医保卡"), AT, CLERK)
    assert refused.value.reason is Reason.PERSON_MISMATCH
    assert people.database.execute("SELECT count(*) FROM person").fetchone()[0] == 1


def test_a_family_shares_its_household_book(people: People) -> None:
    """A household book's number with another name is another person."""
    with people.database.unit():
        mother, _ = people.patients.register(Registration("02", "440101888", "赵敏"), AT, CLERK)
        child, found = people.patients.register(Registration("02", "440101888", "张三"), AT, CLERK)
    assert not found
    assert mother.id != child.id


def test_a_number_that_runs_into_the_name_means_nobody_else(people: People) -> None:
    """The national index joins number and name without a mark between: one text for two people.

    The second is refused, and the first is neither found nor shown.
    """
    passport = Registration("03", "P1234567", "ADAM")
    shifted = replace(passport, document_number="P1234567A", name="DAM")
    with people.database.unit():
        people.patients.register(passport, AT, CLERK)
        with pytest.raises(Refused) as refused:
            people.patients.register(shifted, AT, CLERK)
    assert refused.value.reason is Reason.PERSON_MISMATCH
    assert people.patients.find("03", shifted.document_number, shifted.name, AT) is None
    assert people.patients.find("03", passport.document_number, passport.name, AT) is not None


@pytest.mark.parametrize(
    ("registration", "reason"),
    [
        (Registration("55", "1", "张三"), Reason.DOCUMENT_TYPE_UNKNOWN),
        (replace(SAMPLE, document_number="110100201712250061"), Reason.DOCUMENT_CHECK_CHARACTER),
        (replace(SAMPLE, document_number="1101"), Reason.DOCUMENT_NUMBER_MALFORMED),
        (replace(SAMPLE, name="  "), Reason.NAME_EMPTY),
        (replace(SAMPLE, name="张\x07三"), Reason.NAME_CONTROL_CHARACTER),
        (replace(SAMPLE, sex="male"), Reason.REQUEST_MALFORMED),
    ],
)
def test_bad_input_is_refused_with_its_reason(
    people: People, registration: Registration, reason: Reason
) -> None:
    """What is no document, name or sex creates nobody."""
    with people.database.unit(), pytest.raises(Malformed) as refused:
        people.patients.register(registration, AT, CLERK)
    assert refused.value.reason is reason


def test_a_birth_tomorrow_is_refused(people: People) -> None:
    """A birth date is compared with the day of registration in China."""
    before = AT.replace(year=2017)
    with people.database.unit(), pytest.raises(Malformed) as refused:
        people.patients.register(SAMPLE, before, CLERK)
    assert refused.value.reason is Reason.DOCUMENT_BIRTH_DATE


@pytest.mark.parametrize(
    "name", ["^XZ~JA", "<script>alert(1)</script>", 'O\'Brien "x"; --', "张三😀", "买买提·艾力"]
)
def test_hostile_names_come_back_intact(people: People, name: str) -> None:
    """A name is text, whatever a printer, a browser or a database would make of it."""
    with people.database.unit():
        person, _ = people.patients.register(make_resident(1, name), AT, CLERK)
    assert people.patients.read(person.id).name == name


def test_a_changed_name_keeps_the_link_to_the_old_one(people: People) -> None:
    """After a rename old and new name lead to the same person; the entry of the old is former."""
    person, _ = people.enrol()
    with people.database.unit():
        renamed = people.patients.rename(person.id, "电子健康码", LATER, CLERK)
    assert (renamed.id, renamed.name) == (person.id, "电子健康码")
    for name in ("电子健康卡", "电子健康码"):
        found = people.patients.find("01", SAMPLE.document_number, name, LATER)
        assert found is not None
        assert found.id == person.id
    assert people.patients.list_names(person.id) == ["电子健康卡", "电子健康码"]
    assert [
        row.former_since_at is None for row in IndexRow.select().order_by(IndexRow.made_at)
    ] == [
        False,
        True,
    ]


def test_a_former_name_taken_back_is_current_again(people: People) -> None:
    """Marrying and divorcing makes three names in the history and two index entries."""
    person, _ = people.enrol()
    with people.database.unit():
        people.patients.rename(person.id, "电子健康码", LATER, CLERK)
        people.patients.rename(person.id, SAMPLE.name, LATER + timedelta(days=1), CLERK)
    assert people.patients.read(person.id).name == SAMPLE.name
    assert (NameRow.select().count(), IndexRow.select().count()) == (3, 2)
    assert IndexRow.select().where(IndexRow.former_since_at.is_null()).count() == 1


def test_rename_never_steps_on_somebody_else(people: People) -> None:
    """A new name that with a shared document already means another person is refused."""
    with people.database.unit():
        mother, _ = people.patients.register(Registration("02", "440101888", "赵敏"), AT, CLERK)
        people.patients.register(Registration("02", "440101888", "张三"), AT, CLERK)
        with pytest.raises(Refused) as refused:
            people.patients.rename(mother.id, "张三", LATER, CLERK)
    assert refused.value.reason is Reason.PERSON_MISMATCH
    assert people.patients.read(mother.id).name == "赵敏"


def test_a_second_document_finds_the_same_person(people: People) -> None:
    """A passport added to a person finds them at the next registration."""
    person, _ = people.enrol()
    with people.database.unit():
        both = people.patients.add_document(person.id, "03", "E12345678", LATER, CLERK)
        people.patients.add_document(person.id, "03", "e12345678", LATER, CLERK)
        found, known = people.patients.register(
            Registration("03", "E12345678", SAMPLE.name), LATER, CLERK
        )
    assert known
    assert found == both
    assert [document.type for document in both.documents] == ["01", "03"]
    assert both.document.number == SAMPLE.document_number


def test_documents_that_would_merge_two_people_are_refused(people: People) -> None:
    """Another's resident id number, a second one, or another's passport: each is a veto."""
    sample, _ = people.enrol()
    other, _ = people.enrol(make_resident(2, SAMPLE.name))
    people.enrol(Registration("03", "E12345678", SAMPLE.name))
    free = make_resident(3, SAMPLE.name).document_number
    with people.database.unit():
        for type, number in (
            ("01", other.document.number),
            ("01", free),
            ("03", "E12345678"),
        ):
            with pytest.raises(Refused) as refused:
                people.patients.add_document(sample.id, type, number, LATER, CLERK)
            assert refused.value.reason is Reason.PERSON_MISMATCH


def test_the_database_itself_keeps_one_owner_of_a_resident_id(people: People) -> None:
    """A second owner, or a second number, fails even past the service."""
    sample, _ = people.enrol()
    other, _ = people.enrol(make_resident(2, "李四"))
    token = people.database.execute(
        "SELECT token FROM person_document WHERE person_id = ?", (sample.id.bytes,)
    ).fetchone()[0]
    insert = (
        "INSERT INTO person_document (person_id, type, number, token, added_at)"
        " VALUES (?, '01', x'00', ?, 0)"
    )
    for person, value in ((other, token), (sample, b"another")):
        with pytest.raises(peewee.IntegrityError):
            people.database.execute(insert, (person.id.bytes, value))


def test_sex_is_learnt_once_and_phones_are_kept(people: People) -> None:
    """What a later registration adds is kept; what is known is not overwritten."""
    passport = Registration("03", "E12345678", "John Smith")
    with people.database.unit():
        people.patients.register(passport, AT, CLERK)
        known, _ = people.patients.register(
            replace(passport, sex="1", phone="13800000000"), AT, CLERK
        )
        people.patients.register(replace(passport, sex="2", phone="138 0000 0000"), AT, CLERK)
    assert known.sex == people.patients.read(known.id).sex == "1"
    assert people.database.execute("SELECT count(*) FROM person_phone").fetchone()[0] == 1


def test_an_unknown_person_is_refused(people: People) -> None:
    """An id that resolves to nobody says so."""
    with pytest.raises(Refused) as refused:
        people.patients.read(PersonId(new_record_id(AT)))
    assert refused.value.reason is Reason.PERSON_UNKNOWN


def test_nothing_personal_is_in_the_files(people: People, tmp_path: Path) -> None:
    """Neither the database nor its write-ahead log holds a name, number, phone or index."""
    with people.database.unit():
        people.patients.register(replace(SAMPLE, phone="13800000000"), AT, CLERK)
    mindex_id = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert sqlite3.connect(tmp_path / "central.db").execute("SELECT 1 FROM person").fetchone()
    for secret in (SAMPLE.name, SAMPLE.document_number, "20171225", "13800000000", mindex_id):
        assert secret.encode() not in stored
    assert bytes.fromhex(mindex_id) not in stored
