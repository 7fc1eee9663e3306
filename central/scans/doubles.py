"""Registrations that may be of one person: each pair becomes a case. Merges nothing."""

from datetime import datetime

from central.cases.case import Evidence
from central.cases.kinds import CaseKind
from central.cases.service import Cases
from central.patients.person import Person, PersonId
from central.patients.service import Patients
from central.scans.birth import read_birth, read_record_id
from central.scans.store import Place
from shared.clock import from_microseconds
from shared.errors import Malformed
from shared.ids import BoxId, RecordId
from shared.messages import Record, RegistrationRecord, TemporaryRecord
from shared.reasons import Reason
from shared.residents import mask_document, mask_name

Claim = RegistrationRecord | TemporaryRecord
"""A record that says who somebody is."""


class PersonConflicts:
    """Opens cases of persons, in the unit of work that registers them or takes the record."""

    def __init__(self, patients: Patients, cases: Cases) -> None:
        self._patients = patients
        self._cases = cases

    def look_at_new(self, box: BoxId, place: Place, person: Person, at: datetime) -> None:
        """Whether somebody who was registered now is known under another document."""
        for other in self._patients.list_alike(person):
            zh, en = "新登记，证件不同", "Registered now, under another document"
            registered = Evidence(
                at,
                zh,
                en,
                box=box,
                record=read_record_id(place.id),
                person=person.id,
                counter=place.counter,
                operator=place.operator,
                private=_mask(person.name, person.document.number),
            )
            self._open(other, registered, f"{other.id} {person.id}", at)

    def look_at_refused(self, box: BoxId, id: RecordId, record: Claim, at: datetime) -> None:
        """A document was shown under a name that is not its owner's, and central refused."""
        try:
            owner = self._patients.find_owner(record.document_type, record.document_number, at)
        except Malformed:
            return
        if owner is None:
            return
        refused = Evidence(
            min(read_birth(box, record.origin), at),
            "同一证件、另一姓名；未登记",
            "The same document under another name; not registered",
            box=box,
            record=id,
            counter=record.origin.counter,
            operator=record.origin.operator,
            private=_mask(record.name, record.document_number),
        )
        self._open(self._patients.read(PersonId(owner)), refused, str(owner), at)

    def look_at_parked(
        self, box: BoxId, id: RecordId, record: Record, reason: Reason, at: datetime
    ) -> None:
        """A record that its feature refused; a temporary registration of a document that is
        somebody else's needs a person as much as one that central was asked for."""
        if reason is Reason.PERSON_MISMATCH and isinstance(record, Claim):
            self.look_at_refused(box, id, record, at)

    def _open(self, known: Person, reported: Evidence, subject: str, at: datetime) -> None:
        before = Evidence(
            _registered_at(known.id),
            "先前的登记",
            "The earlier registration",
            person=known.id,
            private=_mask(known.name, known.document.number),
        )
        self._cases.open(CaseKind.REGISTERED_TWICE, subject, [before, reported], at)


def _mask(name: str, number: str) -> str:
    return f"{mask_name(name)} {mask_document(number)}"


def _registered_at(id: PersonId) -> datetime:
    """A person's id is a UUIDv7 of the first registration (RFC 9562 §5.7)."""
    return from_microseconds((id.int >> 80) * 1000)
