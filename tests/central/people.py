"""Central's persons, cards, scans and hospital on a real database with real keys, for tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from central.audit.model import MODELS as AUDIT
from central.audit.service import Audit
from central.cards.card import Card
from central.cards.model import MODELS as CARDS
from central.cards.service import Cards
from central.cases.acts import build_acts
from central.cases.model import MODELS as CASES
from central.cases.service import Cases
from central.fleet.box import NewKeys, Place
from central.fleet.certificates import CertificateFacts
from central.fleet.doors import Door
from central.fleet.model import MODELS as FLEET
from central.fleet.service import Fleet
from central.hospital.model import MODELS as HOSPITAL
from central.hospital.service import Hospital
from central.keys.service import Keys
from central.keys.store import new_contents
from central.notices.model import MODELS as NOTICES
from central.notices.service import Notices
from central.patients.model import MODELS as PATIENTS
from central.patients.person import Person, Registration
from central.patients.service import Patients
from central.scans.conflicts import ScanConflicts
from central.scans.doubles import PersonConflicts
from central.scans.model import MODELS as SCANS
from central.scans.registration import Registrations
from central.scans.service import Scans
from central.scans.temporary import Temporaries
from central.storage.database import Database, open_database
from central.storage.runner import migrate, read_migrations
from shared.crypto import STD, SigningKey
from shared.ids import BoxId
from shared.residents import check_character

AT = datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)
BOX = BoxId("site1", "box1")
OTHER_BOX = BoxId("site2", "box9")
CLERK = "test"
CODE_KID = 7
SAMPLE = Registration("01", "11010020171225006X", "电子健康卡")
"""The national standard's own sample person."""


@dataclass(frozen=True)
class People:
    """The four features put together as central does."""

    database: Database
    keys: Keys
    patients: Patients
    cards: Cards
    hospital: Hospital
    scans: Scans
    registrations: Registrations
    fleet: Fleet
    temporaries: Temporaries
    notices: Notices
    cases: Cases

    def add_box(self, id: BoxId, key: SigningKey) -> int:
        """Let a box join with this signing key, or another machine of a known one; its number."""
        facts = CertificateFacts(os.urandom(8).hex(), os.urandom(32), AT, AT)
        keys = NewKeys(os.urandom(32), STD.id, key.public_bytes, facts)
        place = Place(id, counter=f"counter {id.box}", site_name="市人民医院")
        with self.database.unit():
            known = self.fleet.is_known(id)
            join = self.fleet.replace_machine if known else self.fleet.add_box
            return join(place, keys, AT, CLERK).number

    def enrol(self, registration: Registration = SAMPLE) -> tuple[Person, Card]:
        """Register a person and open their card."""
        with self.database.unit():
            person, _ = self.patients.register(registration, AT, CLERK)
            return person, self.cards.open_account(person, AT, CLERK)


@contextmanager
def open_people(directory: Path) -> Iterator[People]:
    """A fresh central of its own in ``directory``."""
    database = open_database("sqlite:///central.db", directory)
    migrate(database, read_migrations())
    database.bind((*AUDIT, *FLEET, *PATIENTS, *CARDS, *HOSPITAL, *SCANS, *NOTICES, *CASES))
    keys = Keys(new_contents(CODE_KID))
    audit = Audit(database, keys.audit_mac)
    fleet = Fleet(keys, audit)
    patients, hospital = Patients(keys, audit), Hospital()
    cards = Cards(keys, audit, fleet.check_temporary)
    notices = Notices(fleet)
    door = Door("central.example", 8443, bytes(32))
    cases = Cases(keys, audit, notices, build_acts(cards, fleet, lambda: door))
    conflicts = ScanConflicts(cards, cases)
    scans = Scans(patients, cards, hospital, conflicts=conflicts)
    doubles = PersonConflicts(patients, cases)
    registrations = Registrations(keys, patients, cards, hospital, doubles)
    temporaries = Temporaries(
        keys=keys,
        fleet=fleet,
        patients=patients,
        cards=cards,
        hospital=hospital,
        notices=notices,
        conflicts=doubles,
        card_conflicts=conflicts,
    )
    try:
        yield People(
            database,
            keys,
            patients,
            cards,
            hospital,
            scans,
            registrations,
            fleet,
            temporaries,
            notices,
            cases,
        )
    finally:
        database.close()


def make_resident(number: int, name: str) -> Registration:
    """A made-up resident: a valid number for each ``number`` below 1,000."""
    body = f"11010019900101{number:03d}"
    return Registration("01", body + check_character(body), name)
