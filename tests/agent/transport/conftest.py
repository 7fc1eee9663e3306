"""A box's uplink on a line without sockets, over a real queue."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from agent.ports import Draft
from agent.transport.box_keys import BoxKeys
from agent.transport.downlink import DownlinkEvent
from agent.transport.edges import Edge
from agent.transport.uplink import CentralUplink
from shared.clock import ManualClock, to_microseconds
from shared.crypto import STD
from shared.ids import RecordId, new_record_id
from shared.ledger import Lane
from shared.messages import (
    CodeClass,
    DecidedBy,
    MedicalStep,
    Origin,
    ScanAsk,
    ScanRecord,
    Verdict,
)
from tests.agent.transport.peer import BOX, PAIR_KEY, Peer
from tests.fakes import NOON

PATIENCE_SECONDS = 20.0
SIGNING_KEY = STD.signing_key(bytes(range(32)))

E = TypeVar("E", bound=DownlinkEvent)


@dataclass
class Station:
    """One box's line and queue, and the peer at the other end."""

    peer: Peer
    clock: ManualClock
    outbox: SqliteOutbox
    uplink: CentralUplink
    edges: list[Edge] = field(default_factory=list)

    async def commit(self, code: str = "x") -> RecordId:
        """Put a scan's record into the queue."""
        id = new_record_id(self.clock.now())
        origin = Origin(str(BOX), "挂号1", bytes(16), to_microseconds(self.clock.now()), 1)
        record = ScanRecord(
            lane=Lane.USE,
            origin=origin,
            code_class=CodeClass.MALFORMED,
            code=code,
            medical_step=MedicalStep.OTHER,
            verdict=Verdict.REFUSED,
            reason=None,
            decided_by=DecidedBy.BOX,
            asked=False,
        )
        await self.outbox.commit(Draft(id, self.clock.now(), record))
        return id

    def scan_ask(self) -> ScanAsk:
        """An ask about a code that is nobody's."""
        now = self.clock.now()
        return ScanAsk(
            id=new_record_id(now).bytes,
            box=str(BOX),
            born=to_microseconds(now),
            expires_at=to_microseconds(now + timedelta(seconds=1)),
            counter="挂号1",
            code="x",
        )

    async def told(self, kind: type[E]) -> E:
        """The next event of a kind; others are passed over."""
        async for event in self.uplink.downlink.events():
            if isinstance(event, kind):
                return event
        raise AssertionError("events never end")


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    peer, clock, edges = Peer(), ManualClock(NOON), list[Edge]()
    public = STD.new_recipient_key().public_bytes
    async with open_outbox(tmp_path / "queue.db", BOX, 1, STD, public, clock) as outbox:
        uplink = CentralUplink(
            BoxKeys(BOX, PAIR_KEY, SIGNING_KEY, 1),
            outbox,
            clock,
            peer.open_connection,
            observe=edges.append,
            receipt_seconds=0.2,
            gather_seconds=0.05,
            retry_seconds=0.01,
            spread_seconds=0,
        )
        yield Station(peer, clock, outbox, uplink, edges)


@pytest.fixture
async def running(station: Station) -> AsyncIterator[Station]:
    """A station whose line is up; the test has a limit."""
    line = asyncio.create_task(station.uplink.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await station.uplink.wait_up()
        yield station
    line.cancel()
    await asyncio.wait((line,))
    assert line.cancelled()
