"""The API put together: every feature's operations, below one root."""

from functools import partial

from central.app import Central
from central.audit.routes import AuditRoutes
from central.cards.routes import CardRoutes
from central.cases.routes import CaseRoutes
from central.fleet.box_routes import BoxRoutes
from central.fleet.doors import read_door
from central.fleet.estate import Estate
from central.fleet.routes import EstateRoutes
from central.ingest.account import Accounts
from central.ingest.parked_routes import ParkedRoutes
from central.ingest.routes import AccountRoutes
from central.leases.routes import LeaseRoutes
from central.patients.routes import PersonRoutes
from central.patients.search import PersonSearch
from central.scans.listing import ScanList
from central.scans.routes import ScanRoutes
from central.settings.routes import SettingRoutes
from central.users.hashing import Hashing
from central.users.routes import UserRoutes
from central.users.token_routes import TokenRoutes
from central.web.operations import AnyOperation

ROOT = "/api/v1"


def list_operations(central: Central) -> list[AnyOperation]:
    """Every operation there is."""
    patients, cards, hospital = central.patients, central.cards, central.hospital
    search = PersonSearch(central.keys, patients)
    accounts = Accounts()
    door = partial(read_door, central.files, central.config)
    features = (
        PersonRoutes(patients, search, cards, hospital),
        CardRoutes(cards, hospital),
        ScanRoutes(ScanList()),
        EstateRoutes(Estate(central.audit)),
        BoxRoutes(central.fleet, central.presence, accounts, door),
        SettingRoutes(central.settings),
        LeaseRoutes(central.leases),
        AccountRoutes(accounts, central.ledger, central.fleet),
        CaseRoutes(central.cases),
        ParkedRoutes(central.parked),
        AuditRoutes(central.audit),
        UserRoutes(central.users, central.fleet.has_site, Hashing()),
        TokenRoutes(central.users.tokens, central.fleet.has_site),
    )
    return [operation for feature in features for operation in feature.operations()]
