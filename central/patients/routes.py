"""The API's operations on persons. What is shown is masked, but for the audited act of unmasking.

Whoever works at a site sees the persons whom that site has admitted, and admits whom they register.
"""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from central.cards.service import Cards
from central.hospital.service import Hospital
from central.patients.person import Person, PersonId, Registration
from central.patients.search import PersonSearch
from central.patients.service import Patients
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.fields import PersonPath, Text
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.errors import Refused
from shared.messages import RecordNumber
from shared.reasons import Reason
from shared.residents import mask_document, mask_name

DocumentCode = Literal["01", "02", "03", "04", "05", "06", "07", "08", "99", "RO", "MC", "SC"]
"""The keys of ``DOCUMENT_TYPES``; a test holds them together."""
Number = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Phone = Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[0-9+() -]*$")]
Sex = Literal["0", "1", "2", "9"]

_DOCUMENT_REASONS = (
    Reason.DOCUMENT_NUMBER_MALFORMED,
    Reason.DOCUMENT_CHECK_CHARACTER,
    Reason.DOCUMENT_BIRTH_DATE,
    Reason.PERSON_MISMATCH,
)
_NAME_REASONS = (Reason.NAME_EMPTY, Reason.NAME_TOO_LONG, Reason.NAME_CONTROL_CHARACTER)


class DocumentView(msgspec.Struct, frozen=True):
    """A document; its number masked or in clear as the operation says."""

    type: str
    number: str


class SiteNumbers(msgspec.Struct, frozen=True):
    """A person as one site knows them."""

    site: str
    patient_id: str
    record_numbers: list[RecordNumber]


class PersonView(msgspec.Struct, frozen=True):
    """A person, masked."""

    id: UUID
    name: str
    sex: str  # GB/T 2261.1
    birth_year: int | None
    documents: list[DocumentView]
    sites: list[SiteNumbers]


class ClearPerson(msgspec.Struct, frozen=True):
    """A person in clear."""

    id: UUID
    name: str
    sex: str
    birth_date: date | None
    documents: list[DocumentView]
    phones: list[str]


class PersonsFound(msgspec.Struct, frozen=True):
    """At most 50, the first registered first."""

    items: list[PersonView]


class Registered(msgspec.Struct, frozen=True):
    """Whom a registration means, and whether they were known; their card."""

    person: PersonView
    found: bool
    card: UUID


class SearchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole document number, telephone number or name, also a former one."""

    text: Text


class RegisterRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resident as their document says."""

    document_type: DocumentCode
    document_number: Number
    name: Text
    sex: Sex = "0"
    phone: Phone = ""


class DocumentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more document of a person."""

    document_type: DocumentCode
    document_number: Number


class RenameRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's new name."""

    name: Text


class UnmaskRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the clear values are needed for; it stands in the audit."""

    why: Literal["treatment", "identity-check", "correction", "complaint", "emergency"]


class PersonRoutes:
    """Persons over HTTP."""

    def __init__(
        self, patients: Patients, search: PersonSearch, cards: Cards, hospital: Hospital
    ) -> None:
        self._patients = patients
        self._search = search
        self._cards = cards
        self._hospital = hospital

    def operations(self) -> list[AnyOperation]:
        """What can be done with persons."""
        return [
            Operation(
                id="searchPersons",
                method="POST",
                path="/persons/search",
                tag="persons",
                summary_zh="按证件号、手机号或姓名查找（不写在网址里）",
                summary_en="Find by document, telephone or name, which never stand in a URL",
                permission=Permission.PERSONS_READ,
                work=Work.LIST,
                body_shape=SearchRequest,
                answer=PersonsFound,
                run=self._find,
            ),
            Operation(
                id="registerPerson",
                method="POST",
                path="/persons",
                tag="persons",
                summary_zh="登记居民并开卡，已登记的找出来",
                summary_en="Register a resident and open their card, or find them",
                permission=Permission.PERSONS_WRITE,
                work=Work.WRITE,
                body_shape=RegisterRequest,
                answer=Registered,
                run=self._register,
                reasons=(*_DOCUMENT_REASONS, *_NAME_REASONS),
            ),
            Operation(
                id="readPerson",
                method="GET",
                path="/persons/{person}",
                tag="persons",
                summary_zh="读取一个人（脱敏）",
                summary_en="Read a person, masked",
                permission=Permission.PERSONS_READ,
                work=Work.POINT,
                path_shape=PersonPath,
                answer=PersonView,
                run=self._read,
                reasons=(Reason.PERSON_UNKNOWN,),
            ),
            Operation(
                id="unmaskPerson",
                method="POST",
                path="/persons/{person}/unmask",
                tag="persons",
                summary_zh="查看原文（记入审计）",
                summary_en="See the clear values; the audit keeps who and why",
                permission=Permission.PERSONS_UNMASK,
                work=Work.WRITE,
                path_shape=PersonPath,
                body_shape=UnmaskRequest,
                answer=ClearPerson,
                run=self._unmask,
                reasons=(Reason.PERSON_UNKNOWN,),
            ),
            Operation(
                id="renamePerson",
                method="POST",
                path="/persons/{person}/rename",
                tag="persons",
                summary_zh="改名，旧名仍能找到",
                summary_en="Record a change of name; former names still lead here",
                permission=Permission.PERSONS_WRITE,
                work=Work.WRITE,
                path_shape=PersonPath,
                body_shape=RenameRequest,
                answer=PersonView,
                run=self._rename,
                current=self._read,
                reasons=(Reason.PERSON_UNKNOWN, Reason.PERSON_MISMATCH, *_NAME_REASONS),
            ),
            Operation(
                id="addDocument",
                method="POST",
                path="/persons/{person}/documents",
                tag="persons",
                summary_zh="添加一个证件",
                summary_en="Add a document",
                permission=Permission.PERSONS_WRITE,
                work=Work.WRITE,
                path_shape=PersonPath,
                body_shape=DocumentRequest,
                answer=PersonView,
                run=self._add_document,
                current=self._read,
                reasons=(Reason.PERSON_UNKNOWN, *_DOCUMENT_REASONS),
            ),
        ]

    def _find(self, call: Call[Nothing, Nothing, SearchRequest]) -> PersonsFound:
        found = self._search.find(call.body.text, call.principal.site)
        return PersonsFound([self._view(person, call.principal) for person in found])

    def _read(self, call: Call[PersonPath, Nothing, Any]) -> PersonView:
        return self._view(self._person(call), call.principal)

    def _register(self, call: Call[Nothing, Nothing, RegisterRequest]) -> Registered:
        asked, actor = call.body, call.principal.actor
        registration = Registration(
            asked.document_type, asked.document_number, asked.name, asked.sex, asked.phone
        )
        person, found = self._patients.register(registration, call.at, actor)
        card = self._cards.open_account(person, call.at, actor)
        if call.principal.site is not None:
            self._hospital.admit(person.id, call.principal.site, call.at)
        return Registered(self._view(person, call.principal), found, card.id)

    def _unmask(self, call: Call[PersonPath, Nothing, UnmaskRequest]) -> ClearPerson:
        person = self._person(call)
        self._patients.note_unmasked(person.id, call.body.why, call.at, call.principal.actor)
        return ClearPerson(
            id=person.id,
            name=person.name,
            sex=person.sex,
            birth_date=person.birth_date,
            documents=[DocumentView(each.type, each.number) for each in person.documents],
            phones=self._patients.list_phones(person.id),
        )

    def _rename(self, call: Call[PersonPath, Nothing, RenameRequest]) -> PersonView:
        id, actor = self._person(call).id, call.principal.actor
        person = self._patients.rename(id, call.body.name, call.at, actor)
        self._cards.renew_ehc_id(person, call.at)
        return self._view(person, call.principal)

    def _add_document(self, call: Call[PersonPath, Nothing, DocumentRequest]) -> PersonView:
        id, asked, actor = self._person(call).id, call.body, call.principal.actor
        person = self._patients.add_document(
            id, asked.document_type, asked.document_number, call.at, actor
        )
        return self._view(person, call.principal)

    def _person(self, call: Call[PersonPath, Any, Any]) -> Person:
        """Raises Refused (PERSON_UNKNOWN), also for one whom the principal's site never saw."""
        id, site = PersonId(call.path.person), call.principal.site
        if site is not None and self._hospital.identify(id, site) is None:
            raise Refused(Reason.PERSON_UNKNOWN, str(id))
        return self._patients.read(id)

    def _view(self, person: Person, principal: Principal) -> PersonView:
        sites = self._hospital.list_sites(person.id)
        born = person.birth_date
        return PersonView(
            id=person.id,
            name=mask_name(person.name),
            sex=person.sex,
            birth_year=born.year if born else None,
            documents=[
                DocumentView(each.type, mask_document(each.number)) for each in person.documents
            ],
            sites=[
                SiteNumbers(each.site, each.patient_id, list(each.record_numbers))
                for each in sites
                if principal.sees(each.site)
            ],
        )
