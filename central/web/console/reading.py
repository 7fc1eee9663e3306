"""What the console shows, read from central: boxes, scans, one box, persons with their cards.

Runs in the reader's thread. Whoever looks sees their own site only, where they have one; names
and numbers are masked here, before anything leaves.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from central.app import Central
from central.cards.card import Card
from central.cases.case import Case
from central.cases.seeing import is_seen
from central.fleet.states import BoxState
from central.hospital.service import SitePatient
from central.ingest.account import Accounts, BoxAccount
from central.ingest.proof import BoxReport
from central.patients.person import Person, PersonId
from central.patients.search import PersonSearch
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.console import store
from central.web.console.boxes import BoxLine, Device
from shared.clock import from_microseconds
from shared.desired import DeviceReport, Reported, reports
from shared.errors import Refused
from shared.ids import parse_box_id
from shared.messages import MedicalStep, Verdict
from shared.reasons import Reason, Words
from shared.residents import mask_document, mask_name

MOST_SCANS = 50
_MOST_PARKED = 100


@dataclass(frozen=True, slots=True)
class ScanLine:
    """One scan in one row."""

    id: str
    box: str
    counter: str
    at: datetime
    verdict: Verdict
    reason: Reason | None
    box_verdict: Verdict | None  # the box's own, where it differs
    step: MedicalStep
    name: str
    drill: bool


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate of a box."""

    serial: str
    ends_at: datetime
    revoked: bool


@dataclass(frozen=True, slots=True)
class ParkedLine:
    """A row in custody that could not be interpreted, and why."""

    epoch: int
    seq: int
    words: Words


@dataclass(frozen=True, slots=True)
class BoxView:
    """One box, whole."""

    line: BoxLine
    report: Reported | None
    wanted: int  # the revision of the configuration that was last composed for it
    certificates: tuple[CertificateLine, ...]


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person and their card, masked."""

    id: str
    name: str
    document_type: str
    document: str
    sex: str
    birth_year: str
    card: Card | None
    sites: tuple[SitePatient, ...]


class Reading:
    """Reads for one who may."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._accounts = Accounts()
        self._search = PersonSearch(central.keys, central.patients)

    def list_boxes(self, principal: Principal) -> list[BoxLine]:
        """Every box that the principal sees."""
        return [_box_line(stored) for stored in store.list_boxes(principal.site)]

    def list_sites(self, principal: Principal) -> list[tuple[str, str]]:
        """Id and name of the sites with boxes."""
        return store.list_sites(principal.site)

    def read_box(self, principal: Principal, id: str) -> BoxView:
        """One box. Raises Refused (NOT_FOUND)."""
        stored = store.find_box(id)
        if stored is None:
            raise Refused(Reason.NOT_FOUND, "box")
        principal.check_site(stored.site)
        box = parse_box_id(stored.id)
        return BoxView(
            line=_box_line(stored),
            report=_read_report(stored.report),
            wanted=self._central.settings.read_revision(box),
            certificates=tuple(
                CertificateLine(serial, from_microseconds(ends), revoked)
                for serial, ends, revoked in store.list_certificates(id)
            ),
        )

    def count_account(self, id: str) -> BoxAccount:
        """The box's account as central counts it."""
        return self._accounts.read(parse_box_id(id))

    def prove_account(self, principal: Principal, id: str) -> tuple[BoxReport, list[ParkedLine]]:
        """The box's account, proved from central's ledger now; and what is parked.

        Raises Refused (NOT_FOUND).
        """
        box = parse_box_id(id)
        principal.check_site(box.site)
        [report] = self._central.ledger.verify(box)
        parked = self._central.ledger.list_parked(box, limit=_MOST_PARKED)
        return report, [
            ParkedLine(each.epoch, each.row.seq, Reason(each.reason).words) for each in parked
        ]

    def list_waiting_cases(self, principal: Principal, most: int) -> list[Case]:
        """The ``most`` urgent cases that wait for a person; none for one who may not see them."""
        if not principal.may(Permission.CASES_READ):
            return []
        found = self._central.cases.list_undecided(principal.site, most)
        return [case for case in found if is_seen(case, principal)]

    def list_scans(self, principal: Principal) -> list[ScanLine]:
        """The newest scans."""
        return [self._scan_line(each) for each in store.list_scans(principal.site, MOST_SCANS)]

    def find_persons(self, principal: Principal, text: str) -> list[PersonLine]:
        """Whom a name, a number or a phone means, masked."""
        found = self._search.find(text, principal.site)
        return [self._person_line(person, principal) for person in found]

    def read_person(self, principal: Principal, id: PersonId) -> Person:
        """A person in clear. Raises Refused (PERSON_UNKNOWN), also where the site has not
        admitted them."""
        person = self._central.patients.read(id)
        if principal.site and self._central.hospital.identify(id, principal.site) is None:
            raise Refused(Reason.PERSON_UNKNOWN)
        return person

    def read_masked_name(self, id: PersonId) -> str:
        """Whom a case is about, as lists show them. Raises Refused (PERSON_UNKNOWN)."""
        return mask_name(self._central.patients.read(id).name)

    def mask(self, person: Person, principal: Principal) -> PersonLine:
        """A person as lists show them."""
        return self._person_line(person, principal)

    def _person_line(self, person: Person, principal: Principal) -> PersonLine:
        born = person.birth_date
        sites = self._central.hospital.list_sites(person.id)
        return PersonLine(
            id=str(person.id),
            name=mask_name(person.name),
            document_type=person.document.type,
            document=mask_document(person.document.number),
            sex=person.sex,
            birth_year=str(born.year) if born else "",
            card=self._find_card(person.id),
            sites=tuple(each for each in sites if principal.sees(each.site)),
        )

    def _find_card(self, person: PersonId) -> Card | None:
        try:
            return self._central.cards.read_of(person)
        except Refused:
            return None

    def _scan_line(self, stored: store.StoredScan) -> ScanLine:
        name = ""
        if stored.person is not None:
            person = self._central.patients.read(PersonId(UUID(bytes=stored.person)))
            name = mask_name(person.name)
        differs = stored.box_verdict is not None and stored.box_verdict != stored.verdict
        return ScanLine(
            id=stored.id.hex(),
            box=stored.box,
            counter=stored.counter,
            at=from_microseconds(stored.born_at or stored.judged_at),
            verdict=Verdict(stored.verdict),
            reason=Reason(stored.reason) if stored.reason else None,
            box_verdict=Verdict(stored.box_verdict) if differs and stored.box_verdict else None,
            step=MedicalStep(stored.medical_step),
            name=name,
            drill=bool(stored.drill),
        )


def _read_report(data: bytes | None) -> Reported | None:
    return reports.decode(data) if data is not None else None


def _box_line(stored: store.StoredBox) -> BoxLine:
    report = _read_report(stored.report)
    until = stored.certificate_until
    oldest = report.oldest_pending_at if report else None
    return BoxLine(
        id=stored.id,
        site=stored.site,
        site_name=stored.site_name,
        counter=stored.counter,
        state=BoxState(stored.state),
        online=None if stored.online is None else bool(stored.online),
        since=None if stored.since is None else from_microseconds(stored.since),
        unsent=report.pending if report else 0,
        oldest_unsent_at=None if oldest is None else from_microseconds(oldest),
        scanner=_device(report.scanner) if report else None,
        printer=_device(report.printer) if report else None,
        software=report.software if report else "",
        certificate_until=None if until is None else from_microseconds(until),
        refused=report.refused.reason if report and report.refused else None,
        heard_at=None if stored.heard_at is None else from_microseconds(stored.heard_at),
    )


def _device(report: DeviceReport) -> Device:
    return Device(report.name, report.state, report.conditions)
