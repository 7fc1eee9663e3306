"""Persons found by what somebody types: a name, a document's number, a telephone number."""

from dataclasses import replace

import pytest

from central.patients.search import PersonSearch
from tests.central.people import AT, CLERK, SAMPLE, People, make_resident


@pytest.mark.parametrize(
    "text", ["电子健康卡", " 11010020171225006x", "１３８ ００１３ ８０００", "电 子健康卡"]
)
def test_name_number_or_phone_find_the_person(people: People, text: str) -> None:
    """However it is written, each of the three leads to the person, once."""
    person, _ = people.enrol(replace(SAMPLE, phone="13800138000"))
    assert PersonSearch(people.keys, people.patients).find(text) == [person]


def test_one_name_finds_all_who_have_or_had_it(people: People) -> None:
    """Namesakes are listed by their ids; a former name still leads to its person."""
    first, _ = people.enrol(make_resident(1, "张伟"))
    second, _ = people.enrol(make_resident(2, "张伟"))
    with people.database.unit():
        renamed = people.patients.rename(second.id, "张炜", AT, CLERK)
    search = PersonSearch(people.keys, people.patients)
    assert search.find("张伟") == sorted([first, renamed], key=lambda person: person.id)
    assert search.find("张炜") == [renamed]


def test_a_site_finds_its_own_patients_only(people: People) -> None:
    """Who was never admitted at a site does not exist for whoever works there."""
    person, _ = people.enrol()
    with people.database.unit():
        people.hospital.admit(person.id, "site1", AT)
    search = PersonSearch(people.keys, people.patients)
    assert search.find(SAMPLE.name, "site1") == [person]
    assert search.find(SAMPLE.name, "site2") == []


@pytest.mark.parametrize("text", ["", "   ", "\x00", "x" * 5000, "%", "'; --", "无此人"])
def test_what_is_nobody_finds_nobody(people: People, text: str) -> None:
    """Nonsense is no error and no match."""
    people.enrol()
    assert PersonSearch(people.keys, people.patients).find(text) == []
