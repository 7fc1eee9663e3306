"""The deterministic index of persons: one document and one name mean one person.

Merges nothing and guesses nothing: what contradicts is refused with a reason, for a person to
decide. Every method runs inside the caller's unit of work. ``mindex_id``, names and numbers reach
the store only as tokens and sealed values.
"""

from datetime import datetime

from central.audit.service import Audit
from central.keys.service import Keys
from central.patients import store
from central.patients.person import Person, PersonId, Registration
from shared.clock import to_microseconds
from shared.ehc.derivation import CHINA
from shared.errors import Malformed, Refused
from shared.ids import new_record_id
from shared.reasons import Reason
from shared.residents import (
    RESIDENT_ID,
    Document,
    normalise_name,
    normalise_number,
    parse_document,
)

_NAME = "person_name.name"
_NUMBER = "person_document.number"
_PHONE = "person_phone.number"
_MOST_ALIKE = 20
_SEXES = frozenset({"0", "1", "2", "9"})


class Patients:
    """Registers and finds persons."""

    def __init__(self, keys: Keys, audit: Audit) -> None:
        self._keys = keys
        self._audit = audit

    def register(self, registration: Registration, at: datetime, actor: str) -> tuple[Person, bool]:
        """The person this document and name mean, and whether they were known already.

        Raises Malformed (DOCUMENT_…, NAME_…) for what is not a document or a name, and Refused
        (PERSON_MISMATCH) for a resident id number that is registered under another name, or for
        a document and name that the national index cannot tell from somebody else's.
        """
        document = _parse_document(registration.document_type, registration.document_number, at)
        name = normalise_name(registration.name)
        if registration.sex not in _SEXES:
            raise Malformed(Reason.REQUEST_MALFORMED, "sex is 0, 1, 2 or 9")
        sex = document.sex if document.sex != "0" else registration.sex
        known = self._find(document, name)
        person = known or self._create(document, name, sex, at)
        if known is None:
            self._audit.write("person.register", str(person.id), actor, at, type=document.type)
        elif known.sex == "0" != sex:
            store.update_sex(known.id, sex)
            person = self.read(known.id)
        self._keep_phone(person.id, registration.phone, at)
        return person, known is not None

    def read(self, id: PersonId) -> Person:
        """The person with this id. Raises Refused (PERSON_UNKNOWN), Damaged."""
        return self._open(id, _read_sealed(id))

    def find(self, document_type: str, number: str, name: str, at: datetime) -> Person | None:
        """The person whom a document and a name, also a former name, mean. Raises Malformed."""
        return self._find(_parse_document(document_type, number, at), normalise_name(name))

    def find_owner(self, document_type: str, number: str, at: datetime) -> PersonId | None:
        """Who has this document, under whatever name. Raises Malformed."""
        document = _parse_document(document_type, number, at)
        owner = store.find_document_owner(document.type, self._document_token(document))
        return None if owner is None else PersonId(owner)

    def list_alike(self, person: Person) -> list[Person]:
        """Who may be the same person under another document: the same name, and the same
        telephone number or the same date of birth. Two resident id numbers of one name without a
        shared telephone number are two persons.
        """
        alike = []
        token = self._keys.token("name", person.name)
        for id, shares_phone in store.list_alike(person.id, token, _MOST_ALIKE):
            other = self.read(PersonId(id))
            both_resident = {each.document.type for each in (person, other)} == {RESIDENT_ID}
            same_birth = person.birth_date is not None and person.birth_date == other.birth_date
            if shares_phone or (same_birth and not both_resident):
                alike.append(other)
        return alike

    def list_names(self, id: PersonId) -> list[str]:
        """Every name the person has had here, oldest first; the last one is current."""
        return [self._keys.open(_NAME, sealed) for sealed, _, _ in store.list_names(id)]

    def list_phones(self, id: PersonId) -> list[str]:
        """Every telephone number that was given for the person, the last given first."""
        return [self._keys.open(_PHONE, sealed) for sealed in store.list_phones(id)]

    def note_unmasked(self, id: PersonId, why: str, at: datetime, actor: str) -> None:
        """Enter in the audit that someone saw the person's clear values, and for what."""
        self._audit.write("person.unmask", str(id), actor, at, why=why)

    def add_document(
        self, id: PersonId, type: str, number: str, at: datetime, actor: str
    ) -> Person:
        """Give a person one more document; the same again changes nothing.

        Raises Malformed, and Refused (PERSON_MISMATCH) when the document with the person's name
        is somebody else, when the resident id number is somebody else's, or when the person
        would have two of them.
        """
        document = _parse_document(type, number, at)
        sealed = _read_sealed(id)
        person = self._open(id, sealed)
        if document in person.documents:
            return person
        self._refuse_another(id, document, person.name)
        if document.type == RESIDENT_ID and any(
            each.type == RESIDENT_ID for each in person.documents
        ):
            raise Refused(Reason.PERSON_MISMATCH, "a person has one resident id number")
        self._insert_document(id, document, person.name, sealed.name_id, at)
        self._audit.write("person.add-document", str(id), actor, at, type=document.type)
        return self.read(id)

    def rename(self, id: PersonId, name: str, at: datetime, actor: str) -> Person:
        """Record a change of name. Former names and index entries still lead to the person.

        Raises Malformed (NAME_…), and Refused (PERSON_MISMATCH) when one of the person's
        documents with the new name is somebody else.
        """
        name = normalise_name(name)
        sealed = _read_sealed(id)
        person = self._open(id, sealed)
        if name == person.name:
            return person
        for document in person.documents:
            self._refuse_another(id, document, name)
        moment = to_microseconds(at)
        store.end_index(id, moment)
        name_id = self._insert_name(id, name, at)
        for row, document in zip(sealed.documents, person.documents, strict=True):
            token = self._index_token(document, name)
            store.save_index(token, id, row.id, name_id, moment)
        self._audit.write("person.rename", str(id), actor, at)
        return self.read(id)

    def _find(self, document: Document, name: str) -> Person | None:
        owner = store.find_by_index(self._index_token(document, name))
        person = self.read(PersonId(owner)) if owner else None
        # mindex_id runs number and name together, so P1 + "AB" and P1A + "B" are one entry.
        return person if person and document in person.documents else None

    def _create(self, document: Document, name: str, sex: str, at: datetime) -> Person:
        id = PersonId(new_record_id(at))
        self._refuse_another(id, document, name)
        store.insert_person(id, sex, to_microseconds(at))
        name_id = self._insert_name(id, name, at)
        self._insert_document(id, document, name, name_id, at)
        return Person(id, name, sex, (document,))

    def _open(self, id: PersonId, sealed: store.SealedPerson) -> Person:
        documents = tuple(
            Document(each.type, self._keys.open(_NUMBER, each.number)) for each in sealed.documents
        )
        return Person(id, self._keys.open(_NAME, sealed.name), sealed.sex, documents)

    def _refuse_another(self, id: PersonId, document: Document, name: str) -> None:
        # Only a resident id number is one person's alone: a household book has one for a whole
        # family, and two countries may number their passports alike.
        owner = store.find_by_index(self._index_token(document, name))
        if owner is None and document.type == RESIDENT_ID:
            owner = store.find_document_owner(document.type, self._document_token(document))
        if owner is not None and owner != id:
            raise Refused(Reason.PERSON_MISMATCH, "the document is registered for somebody else")

    def _insert_name(self, id: PersonId, name: str, at: datetime) -> int:
        sealed, token = self._keys.seal(_NAME, name), self._keys.token("name", name)
        return store.insert_name(id, sealed, token, to_microseconds(at))

    def _insert_document(
        self, id: PersonId, document: Document, name: str, name_id: int, at: datetime
    ) -> None:
        moment = to_microseconds(at)
        sealed = self._keys.seal(_NUMBER, document.number)
        token = self._document_token(document)
        document_id = store.insert_document(id, document.type, sealed, token, moment)
        store.save_index(self._index_token(document, name), id, document_id, name_id, moment)

    def _keep_phone(self, id: PersonId, phone: str, at: datetime) -> None:
        if number := normalise_number(phone):
            sealed, token = self._keys.seal(_PHONE, number), self._keys.token("phone", number)
            store.save_phone(id, token, sealed, to_microseconds(at))

    def _index_token(self, document: Document, name: str) -> bytes:
        derived = self._keys.derive(document.type, document.number, name)
        return self._keys.token("mindex", derived.mindex_id)

    def _document_token(self, document: Document) -> bytes:
        return self._keys.token("document", f"{document.type}:{document.number}")


def _read_sealed(id: PersonId) -> store.SealedPerson:
    sealed = store.read_person(id)
    if sealed is None:
        raise Refused(Reason.PERSON_UNKNOWN, str(id))
    return sealed


def _parse_document(type: str, number: str, at: datetime) -> Document:
    return parse_document(type, number, today=at.astimezone(CHINA).date())
