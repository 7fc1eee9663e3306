"""The links EHC ↔ patient id (EMPI) ↔ record numbers, site by site.

Knows persons by id only, and nothing of HL7, FHIR or a HIS: adapters will bring a hospital's
own numbers through ``add_record_number``; until then a site's numbers are counted here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import peewee

from central.hospital import store
from central.patients.person import PersonId
from shared.clock import to_microseconds
from shared.errors import Refused
from shared.messages import RecordNumber
from shared.reasons import Reason


class NumberType(StrEnum):
    """The kinds of record numbers (shared.messages.RecordNumber)."""

    OUTPATIENT = "outpatient"
    INPATIENT = "inpatient"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class SitePatient:
    """A person as one site knows them."""

    site: str
    patient_id: str
    record_numbers: tuple[RecordNumber, ...]


class Hospital:
    """Who is who at each site. Every method runs inside the caller's unit of work."""

    def identify(self, person: PersonId, site: str) -> SitePatient | None:
        """The person as this site knows them; None before they were admitted there."""
        patient_id = store.find_active(person, site)
        if patient_id is None:
            return None
        numbers = store.list_numbers(patient_id, site)
        return SitePatient(
            site, patient_id, tuple(RecordNumber(type, number) for type, number in numbers)
        )

    def admit(self, person: PersonId, site: str, at: datetime) -> SitePatient:
        """The person as this site knows them, from now on: the same each time it is called.

        A new patient gets a patient id and an outpatient number, counted by site.
        """
        if known := self.identify(person, site):
            return known
        patient_id = self._allocate_patient(person, site, at)
        number = self._allocate_outpatient_number(patient_id, site, at)
        return SitePatient(site, patient_id, (RecordNumber(NumberType.OUTPATIENT, number),))

    def add_record_number(
        self, patient: SitePatient, type: NumberType, number: str, at: datetime
    ) -> None:
        """Tie one more number to a patient; the same again changes nothing.

        Raises Refused (RECORD_NUMBER_TAKEN) when it is another patient's at this site.
        """
        owner = store.find_number_owner(type, number, patient.site)
        if owner == patient.patient_id:
            return
        if owner is not None:
            raise Refused(Reason.RECORD_NUMBER_TAKEN, f"{type} number at {patient.site}")
        try:
            store.insert_number(type, number, patient.site, patient.patient_id, to_microseconds(at))
        except peewee.IntegrityError as error:
            raise Refused(Reason.NOT_FOUND, "patient id") from error

    def find_person(self, patient_id: str, site: str) -> PersonId:
        """Whom a site means by a patient id. Raises Refused (NOT_FOUND)."""
        person = store.find_person(patient_id, site)
        if person is None:
            raise Refused(Reason.NOT_FOUND, f"patient id at {site}")
        return PersonId(person)

    def list_sites(self, person: PersonId) -> list[SitePatient]:
        """The person as each site knows them that has admitted them."""
        sites = store.list_sites(person)
        return [known for site in sites if (known := self.identify(person, site))]

    @staticmethod
    def _allocate_patient(person: PersonId, site: str, at: datetime) -> str:
        while True:
            patient_id = f"P{store.take_next('patient', site):08d}"
            if store.find_person(patient_id, site) is None:
                store.insert_patient(patient_id, site, person, to_microseconds(at))
                return patient_id

    @staticmethod
    def _allocate_outpatient_number(patient_id: str, site: str, at: datetime) -> str:
        # A hospital may have brought numbers of its own that our count has not reached yet.
        type = NumberType.OUTPATIENT
        while True:
            number = f"{store.take_next(type, site):08d}"
            if store.find_number_owner(type, number, site) is None:
                store.insert_number(type, number, site, patient_id, to_microseconds(at))
                return number
