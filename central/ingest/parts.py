"""Ingest put together: what answers asks, what takes batches, what proves the ledger."""

from typing import NamedTuple

from central.fleet.service import Fleet
from central.ingest.anchors import Anchors
from central.ingest.asks import AskDesk
from central.ingest.bodies import Bodies
from central.ingest.dispatch import Dispatcher
from central.ingest.inbox import NOBODY, Inbox, Told
from central.ingest.ledger import Ledger
from central.keys.service import Keys
from central.storage.database import Database


class Ingest(NamedTuple):
    """The parts of ingest over one database."""

    asks: AskDesk
    inbox: Inbox
    anchors: Anchors
    ledger: Ledger


def build_ingest(
    database: Database,
    keys: Keys,
    fleet: Fleet,
    dispatcher: Dispatcher,
    told: Told = NOBODY,
) -> Ingest:
    """Put the parts together; nothing is read or written yet."""
    inbox = Inbox(database, fleet, Bodies(keys), dispatcher, told)
    return Ingest(
        AskDesk(database, fleet, dispatcher),
        inbox,
        Anchors(keys, fleet),
        Ledger(database, fleet, inbox),
    )
