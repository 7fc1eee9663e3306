"""A centre with real keys, database and fleet; its features are a notebook the tests read."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from central.audit.model import MODELS as AUDIT
from central.audit.service import Audit
from central.cards.model import MODELS as CARDS
from central.cards.service import Cards
from central.config import BrokerConfig, CentralConfig, CentralFiles
from central.feed import Feed
from central.fleet.model import MODELS as FLEET
from central.fleet.service import Fleet
from central.hospital.model import MODELS as HOSPITALS
from central.hospital.service import Hospital
from central.ingest.damage import Damages
from central.ingest.dispatch import Dispatcher
from central.ingest.model import MODELS as LEDGER
from central.ingest.parts import Ingest, build_ingest
from central.keys.service import Keys
from central.keys.store import new_contents
from central.lists.model import MODELS as LISTS
from central.lists.service import Lists
from central.notices.model import MODELS as NOTICES
from central.notices.service import Notices
from central.patients.model import MODELS as PATIENTS
from central.patients.service import Patients
from central.presence.model import MODELS as PRESENCE
from central.presence.service import Presence
from central.settings.model import MODELS as SETTINGS
from central.settings.service import Settings
from central.storage.database import Database, open_database
from central.storage.runner import migrate, read_migrations
from shared.clock import to_microseconds
from shared.errors import Damaged, Refused, Unavailable
from shared.ids import BoxId, RecordId
from shared.messages import (
    DamageRecord,
    PrintRecord,
    Record,
    RegisterAsk,
    Reply,
    ScanAsk,
    ScanRecord,
    ScanReply,
    Verdict,
)
from shared.reasons import Reason

PEOPLE = (*PATIENTS, *CARDS, *HOSPITALS, *LISTS)
AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
CODE_KID = 7


@dataclass
class Notebook:
    """Handlers that write down what they get, in the same unit of work, and fail when told."""

    audit: Audit
    refuse: Reason | None = None
    error: type[Refused] | type[Damaged] = Refused
    full_disks: int = 0
    crash_on: set[bytes] = field(default_factory=set)

    def answer(self, box: BoxId, ask: ScanAsk, at: datetime) -> Reply:
        self.audit.write("test.ask", ask.id.hex(), str(box), at)
        self._fail()
        return ScanReply(
            id=ask.id,
            central_at=to_microseconds(at),
            verdict=Verdict.ACCEPTED,
            reason=None,
            identity=None,
        )

    def record(self, box: BoxId, id: RecordId, record: Record, at: datetime) -> None:
        self.audit.write("test.record", id.hex, str(box), at)
        if id.bytes in self.crash_on:
            raise ZeroDivisionError
        self._fail()

    def _fail(self) -> None:
        if self.full_disks:
            self.full_disks -= 1
            raise Unavailable(Reason.STORE_UNAVAILABLE)
        if self.refuse is not None:
            raise self.error(self.refuse)


@dataclass
class Centre:
    """What the ingest runner needs of central, and what the tests look at."""

    files: CentralFiles
    config: CentralConfig
    database: Database
    keys: Keys
    audit: Audit
    fleet: Fleet
    ingest: Ingest
    settings: Settings
    presence: Presence
    notices: Notices
    lists: Lists
    feed: Feed
    notebook: Notebook

    def noted(self, act: str) -> Counter[str]:
        """How often each id was written down, of what is durable."""
        cursor = self.database.execute("SELECT subject FROM audit_row WHERE act = ?", (act,))
        return Counter(row[0] for row in cursor)


@contextmanager
def open_centre(directory: Path, broker: BrokerConfig | None = None) -> Iterator[Centre]:
    """A fresh centre in ``directory``."""
    database = open_database("sqlite:///central.db", directory)
    migrate(database, read_migrations())
    database.bind((*AUDIT, *FLEET, *LEDGER, *SETTINGS, *PRESENCE, *NOTICES, *PEOPLE))
    keys = Keys(new_contents(CODE_KID))
    audit = Audit(database, keys.audit_mac)
    fleet = Fleet(keys, audit)
    notebook = Notebook(audit)
    dispatcher = Dispatcher(
        {ScanAsk: notebook.answer, RegisterAsk: notebook.answer},
        {
            ScanRecord: notebook.record,
            PrintRecord: notebook.record,
            DamageRecord: Damages(audit).note,
        },
    )
    ingest = build_ingest(database, keys, fleet, dispatcher)
    config = CentralConfig(broker=broker or BrokerConfig())
    try:
        presence = Presence(fleet)
        yield Centre(
            files=CentralFiles(directory),
            config=config,
            database=database,
            keys=keys,
            audit=audit,
            fleet=fleet,
            ingest=ingest,
            settings=Settings(keys, audit, fleet, read_revision=presence.read_revision),
            presence=presence,
            notices=Notices(fleet),
            lists=Lists(keys, Cards(keys, audit), Patients(keys, audit), Hospital()),
            feed=Feed(),
            notebook=notebook,
        )
    finally:
        database.close()
