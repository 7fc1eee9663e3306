"""A box for the queue's tests: records to commit, the queue opened as the agent opens it."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.offline_queue.bounds import DEFAULT_BOUNDS, Bounds
from agent.offline_queue.journal import ignore_edge
from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from agent.offline_queue.states import Edge
from agent.ports import Draft
from shared.crypto import STD
from shared.devices import PrintState
from shared.ids import BoxId, new_record_id
from shared.ledger import Lane
from shared.messages import (
    CodeClass,
    DecidedBy,
    MedicalStep,
    Origin,
    PrintRecord,
    ScanRecord,
    Verdict,
)
from tests.factories import STATIC_TEXT

BOX = BoxId("hospital-1", "box-1")
CENTRAL = STD.recipient_key(bytes(range(32)))
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORIGIN = Origin(box=str(BOX), counter="counter-1", boot_id=bytes(16), wall_at=0, monotonic_ns=0)


def scan_draft(
    number: int = 0, consumed: bytes | None = None, lane: Lane = Lane.USE, code: str = STATIC_TEXT
) -> Draft:
    """A scan, born ``number`` seconds after noon."""
    at = NOON + timedelta(seconds=number)
    record = ScanRecord(
        lane=lane,
        origin=ORIGIN,
        code_class=CodeClass.STATIC,
        code=code,
        medical_step=MedicalStep.REGISTER,
        verdict=Verdict.PROVISIONAL,
        reason=None,
        decided_by=DecidedBy.BOX,
        asked=False,
    )
    return Draft(new_record_id(at), at, record, consumed)


def print_draft() -> Draft:
    """A label's outcome."""
    record = PrintRecord(
        lane=Lane.PRINT,
        origin=ORIGIN,
        label=bytes(16),
        registration=bytes(16),
        state=PrintState.SENT,
    )
    return Draft(new_record_id(NOON), NOON, record)


@asynccontextmanager
async def opened(
    path: Path,
    box: BoxId = BOX,
    epoch: int = 1,
    observe: Callable[[Edge], None] = ignore_edge,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> AsyncIterator[SqliteOutbox]:
    """The queue, as the agent opens it."""
    public = CENTRAL.public_bytes
    async with open_outbox(path, box, epoch, STD, public, None, observe, bounds) as outbox:
        yield outbox


@contextmanager
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection to the file, with the schema's checks off."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        yield connection
