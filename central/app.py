"""The composition root: one directory becomes a central that works. Plain constructors.

Command lines use it as ``with open_central(directory) as central, central.unit(): …``; the
server runs the same services in its writer's thread.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from central.audit.model import MODELS as AUDIT_MODELS
from central.audit.service import Audit
from central.cards.links import Links
from central.cards.model import MODELS as CARD_MODELS
from central.cards.service import Cards
from central.cases.acts import build_acts
from central.cases.model import MODELS as CASE_MODELS
from central.cases.service import Cases
from central.config import (
    CentralConfig,
    CentralFiles,
    read_central_config,
    read_passphrase,
)
from central.feed import Feed
from central.fleet.doors import read_door
from central.fleet.model import MODELS as FLEET_MODELS
from central.fleet.service import Fleet
from central.hospital.model import MODELS as HOSPITAL_MODELS
from central.hospital.service import Hospital
from central.ingest.damage import Damages
from central.ingest.damage_cases import DamageCases
from central.ingest.dispatch import Dispatcher
from central.ingest.forks import ForkCases
from central.ingest.inbox import Told
from central.ingest.ledger import Ledger
from central.ingest.model import MODELS as INGEST_MODELS
from central.ingest.parked import Parked
from central.ingest.parked_notices import ParkedNotices
from central.ingest.parts import Ingest, build_ingest
from central.keys.service import Keys, open_keys
from central.leases.model import MODELS as LEASE_MODELS
from central.leases.service import Leases
from central.lists.answering import ListDesk
from central.lists.model import MODELS as LIST_MODELS
from central.lists.service import Lists
from central.notices.model import MODELS as NOTICE_MODELS
from central.notices.service import Notices
from central.patients.model import MODELS as PATIENT_MODELS
from central.patients.service import Patients
from central.presence.model import MODELS as PRESENCE_MODELS
from central.presence.service import Presence
from central.scans.conflicts import ScanConflicts
from central.scans.doubles import PersonConflicts
from central.scans.model import MODELS as SCAN_MODELS
from central.scans.registration import Registrations
from central.scans.service import Scans
from central.scans.temporary import Temporaries
from central.settings.model import MODELS as SETTING_MODELS
from central.settings.service import Settings
from central.storage.database import Database, open_database
from central.storage.runner import migrate, read_migrations
from central.users.model import MODELS as USER_MODELS
from central.users.service import Users
from central.web.model import MODELS as WEB_MODELS
from shared.errors import Unavailable
from shared.lease import LeaseAsk
from shared.messages import (
    DamageRecord,
    LateAnswerRecord,
    ListAsk,
    PrintRecord,
    RegisterAsk,
    RegistrationRecord,
    RepeatRecord,
    ScanAsk,
    ScanRecord,
    TemporaryRecord,
)

MODELS = (
    *AUDIT_MODELS,
    *FLEET_MODELS,
    *PATIENT_MODELS,
    *CARD_MODELS,
    *HOSPITAL_MODELS,
    *SCAN_MODELS,
    *INGEST_MODELS,
    *SETTING_MODELS,
    *LIST_MODELS,
    *PRESENCE_MODELS,
    *NOTICE_MODELS,
    *CASE_MODELS,
    *LEASE_MODELS,
    *USER_MODELS,
    *WEB_MODELS,
)


@dataclass(frozen=True, slots=True)
class Central:
    """Everything that central is made of."""

    config: CentralConfig
    files: CentralFiles
    keys: Keys
    database: Database
    audit: Audit
    users: Users
    fleet: Fleet
    patients: Patients
    cards: Cards
    links: Links
    hospital: Hospital
    scans: Scans
    settings: Settings
    lists: Lists
    presence: Presence
    notices: Notices
    cases: Cases
    leases: Leases
    feed: Feed
    ingest: Ingest
    parked: Parked

    @property
    def ledger(self) -> Ledger:
        """What proves the boxes' accounts."""
        return self.ingest.ledger

    @contextmanager
    def unit(self) -> Iterator[None]:
        """One unit of work of a command, and the audit sealed behind it."""
        with self.database.unit():
            yield
        # What is done is durable: where a server holds the database, its own sealer comes to this.
        with suppress(Unavailable):
            self.audit.seal_pending()


@contextmanager
def open_central(directory: Path) -> Iterator[Central]:
    """Open what ``init`` made: keys first, then the database, migrated to this version.

    Raises Unavailable (CONFIG_MISSING, STORE_UNAVAILABLE), Refused (KEYS_LOCKED, STORE_NEWER),
    Malformed (CONFIG_MALFORMED), Damaged.
    """
    files = CentralFiles(directory)
    config = read_central_config(files)
    keys = open_keys(files.keys, read_passphrase(files))
    with ExitStack() as stack:
        database = open_database(config.database, directory)
        stack.callback(database.close)
        migrate(database, read_migrations())
        database.bind(MODELS)
        yield build_central(config, files, keys, database)


def build_central(
    config: CentralConfig, files: CentralFiles, keys: Keys, database: Database
) -> Central:
    """Put the services together over an opened database."""
    audit = Audit(database, keys.audit_mac)
    fleet = Fleet(keys, audit)
    patients, hospital = Patients(keys, audit), Hospital()
    cards = Cards(keys, audit, fleet.check_temporary)
    feed, presence, notices = Feed(), Presence(fleet), Notices(fleet)
    users = Users(keys, audit, config.users)
    settings = Settings(keys, audit, fleet, users.list_operators, presence.read_revision)
    lists = Lists(keys, cards, patients, hospital)
    leases = Leases(keys, audit, fleet)
    acts = build_acts(cards, fleet, partial(read_door, files, config))
    cases = Cases(keys, audit, notices, acts)
    conflicts = ScanConflicts(cards, cases)
    scans = Scans(patients, cards, hospital, feed.stage, conflicts)
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
    damages = Damages(audit, DamageCases(cases).open)
    goes_on = audit.for_patient()  # what boxes ask and report does not wait for the audit
    dispatcher = Dispatcher(
        asks={
            ScanAsk: goes_on(scans.answer),
            RegisterAsk: goes_on(registrations.answer_register),
            ListAsk: ListDesk(keys, lists).answer,
            LeaseAsk: goes_on(leases.answer),
        },
        records={
            ScanRecord: goes_on(scans.record_scan),
            RepeatRecord: goes_on(scans.record_repeat),
            LateAnswerRecord: goes_on(scans.record_late_answer),
            RegistrationRecord: goes_on(registrations.record_registration),
            TemporaryRecord: goes_on(temporaries.record),
            PrintRecord: goes_on(registrations.record_print),
            DamageRecord: goes_on(damages.note),
        },
    )
    waiting = ParkedNotices(notices)
    told = Told(ForkCases(cases).open, doubles.look_at_parked, waiting.parked, waiting.replayed)
    ingest = build_ingest(database, keys, fleet, dispatcher, told)
    return Central(
        config=config,
        files=files,
        keys=keys,
        database=database,
        audit=audit,
        users=users,
        fleet=fleet,
        patients=patients,
        cards=cards,
        links=Links(keys, audit),
        hospital=hospital,
        scans=scans,
        settings=settings,
        lists=lists,
        presence=presence,
        notices=notices,
        cases=cases,
        leases=leases,
        feed=feed,
        ingest=ingest,
        parked=Parked(ingest.ledger, audit),
    )
