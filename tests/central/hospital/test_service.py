"""Site patients and record numbers: unique by the database itself, allocated site by site."""

import peewee
import pytest

from central.hospital.service import NumberType, SitePatient
from shared.errors import Refused
from shared.messages import RecordNumber
from shared.reasons import Reason
from tests.central.people import AT, People, make_resident


def admit(people: People, number: int, site: str = "site1") -> SitePatient:
    person, _ = people.enrol(make_resident(number, "张三"))
    with people.database.unit():
        return people.hospital.admit(person.id, site, AT)


def test_admission_is_idempotent(people: People) -> None:
    """A person has one patient id and one outpatient number at a site, however often admitted."""
    person, _ = people.enrol()
    assert people.hospital.identify(person.id, "site1") is None
    with people.database.unit():
        first = people.hospital.admit(person.id, "site1", AT)
        assert people.hospital.admit(person.id, "site1", AT) == first
    assert people.hospital.identify(person.id, "site1") == first
    assert first == SitePatient("site1", "P00000001", (RecordNumber("outpatient", "00000001"),))
    assert people.hospital.find_person("P00000001", "site1") == person.id


def test_each_site_counts_for_itself(people: People) -> None:
    """Two people at one site get two numbers; a person at two sites has two patient ids."""
    assert admit(people, 1).patient_id == "P00000001"
    assert admit(people, 2).patient_id == "P00000002"
    assert admit(people, 1, "site2").patient_id == "P00000001"
    with pytest.raises(Refused) as refused:
        people.hospital.find_person("P00000002", "site2")
    assert refused.value.reason is Reason.NOT_FOUND


def test_a_number_given_back_is_given_again(people: People) -> None:
    """The count belongs to the unit of work: what is undone leaves no gap."""
    person, _ = people.enrol()

    def admit_in_vain() -> None:
        with people.database.unit():
            people.hospital.admit(person.id, "site1", AT)
            raise Refused(Reason.REQUEST_NOT_ALLOWED)

    with pytest.raises(Refused):
        admit_in_vain()
    assert people.hospital.identify(person.id, "site1") is None
    assert admit(people, 1).patient_id == "P00000001"


def test_many_typed_numbers_under_one_patient(people: People) -> None:
    """Inpatient and archive numbers stand beside the outpatient's; the same again is nothing."""
    patient = admit(people, 1)
    with people.database.unit():
        for _ in range(2):
            people.hospital.add_record_number(patient, NumberType.INPATIENT, "ZY-1", AT)
            people.hospital.add_record_number(patient, NumberType.ARCHIVE, "ZY-1", AT)
    person = people.hospital.find_person(patient.patient_id, "site1")
    known = people.hospital.identify(person, "site1")
    assert known is not None
    assert set(known.record_numbers) == {
        RecordNumber("outpatient", "00000001"),
        RecordNumber("inpatient", "ZY-1"),
        RecordNumber("archive", "ZY-1"),
    }


def test_a_number_belongs_to_one_patient_at_a_site(people: People) -> None:
    """The same number of the same type for another patient there is refused; elsewhere not."""
    first, second = admit(people, 1), admit(people, 2)
    elsewhere = admit(people, 2, "site2")
    with people.database.unit():
        people.hospital.add_record_number(first, NumberType.INPATIENT, "ZY-1", AT)
        with pytest.raises(Refused) as refused:
            people.hospital.add_record_number(second, NumberType.INPATIENT, "ZY-1", AT)
        people.hospital.add_record_number(elsewhere, NumberType.INPATIENT, "ZY-1", AT)
    assert refused.value.reason is Reason.RECORD_NUMBER_TAKEN


def test_allocation_steps_over_the_hospitals_own_numbers(people: People) -> None:
    """A number the hospital brought itself is not given to somebody else."""
    first = admit(people, 1)
    with people.database.unit():
        people.hospital.add_record_number(first, NumberType.OUTPATIENT, "00000002", AT)
    assert admit(people, 2).record_numbers == (RecordNumber("outpatient", "00000003"),)


def test_a_number_needs_a_patient(people: People) -> None:
    """A number under a patient id that the site never gave is refused by the database."""
    nobody = SitePatient("site1", "P99999999", ())
    with pytest.raises(Refused) as refused, people.database.unit():
        people.hospital.add_record_number(nobody, NumberType.ARCHIVE, "1", AT)
    assert refused.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO site_patient SELECT site, 'P2', person_id, 1, 0 FROM site_patient",
        "INSERT INTO site_patient SELECT site, patient_id, person_id, 0, 0 FROM site_patient",
        "INSERT INTO record_number SELECT site, type, number, patient_id, 0 FROM record_number",
        "INSERT INTO record_number VALUES ('site1', 'archive', '1', 'P2', 0)",
    ],
)
def test_the_database_itself_keeps_the_links_unique(people: People, statement: str) -> None:
    """A second active patient id, an id twice, a number twice, a number of nobody: all fail."""
    admit(people, 1)
    with pytest.raises(peewee.IntegrityError):
        people.database.execute(statement)


def test_a_former_patient_id_does_not_stand_in_the_way(people: People) -> None:
    """Only active ids are limited to one: a hospital's former id still means the person."""
    patient = admit(people, 1)
    person = people.hospital.find_person(patient.patient_id, "site1")
    people.database.execute("UPDATE site_patient SET active = 0")
    with people.database.unit():
        assert people.hospital.admit(person, "site1", AT).patient_id == "P00000002"
    assert people.hospital.find_person(patient.patient_id, "site1") == person
