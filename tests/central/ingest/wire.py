"""A centre, a real Mosquitto and real boxes over mutual TLS, in one event loop."""

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from agent.config import BoxConfig, BoxFiles, read_box_config
from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from agent.ports import Draft
from agent.transport.downlink import DownlinkEvent
from agent.transport.edges import Observe as BoxObserve
from agent.transport.edges import ignore as ignore_box
from agent.transport.mqtt import open_connection as open_box_connection
from agent.transport.uplink import CentralUplink, open_uplink
from central.config import BrokerConfig, CentralFiles
from central.fleet.box import Place
from central.fleet.broker import build_broker_config, build_roles
from central.fleet.certificates import Authority, Identity, create_authority
from central.fleet.enrolment import Enrolment
from central.ingest.edges import Observe, ignore
from central.ingest.runner import run_ingest
from central.storage.writer import Writer
from shared.clock import SystemClock, to_microseconds
from shared.config import write_secret
from shared.crypto import STD
from shared.ids import BoxId, RecordId, new_record_id
from shared.ledger import Account
from shared.messages import ScanAsk, ScanRecord
from shared.topics import build_topic
from tests.broker import Broker, free_ports
from tests.central.ingest.boxes import scan_record
from tests.central.ingest.centre import Centre

E = TypeVar("E", bound=DownlinkEvent)

HOST = "127.0.0.1"
PATIENCE_SECONDS = 20.0


@dataclass
class Wire:
    """A broker that is up, and who may use it."""

    centre: Centre
    broker: Broker
    box_authority: Identity

    def add_box(self, id: BoxId) -> BoxFiles:
        """Let a box join, as ``onecode-central box add`` does; its directory."""
        files = BoxFiles(self.centre.files.directory / "boxes" / str(id))
        place = Place(id, counter=f"counter {id.box}", site_name="市人民医院")
        enrolment = Enrolment(
            self.centre.fleet,
            self.centre.keys,
            Authority(self.box_authority),
            self.centre.config,
        )
        with self.centre.database.unit():
            enrolment.add_box(place, files.directory, datetime.now(UTC), "test")
        return files


def prepare_broker(files: CentralFiles) -> tuple[BrokerConfig, Broker, Identity]:
    """Write a broker's certificates and configuration; no box is admitted yet."""
    now = datetime.now(UTC)
    files.pki.mkdir(parents=True)
    files.broker_data.mkdir(parents=True)
    box_ca, central_ca = create_authority("boxes", now), create_authority("central", now)
    server = Authority(box_ca).issue_server([HOST], now)
    central = Authority(central_ca).issue_central(now)
    for path, content in (
        (files.box_ca, box_ca.certificate),
        (files.central_ca, central_ca.certificate),
        (files.server, server.certificate),
        (files.server_key, server.key),
        (files.central, central.certificate),
        (files.central_key, central.key),
    ):
        path.write_bytes(content)
    write_secret(files.box_ca_key, box_ca.key)
    files.revoked.write_bytes(Authority(box_ca).build_revocation_list(1, [], now))
    config = BrokerConfig(HOST, *free_ports(2))
    files.broker_config.write_text(build_broker_config(files, config, HOST, getpass.getuser()))
    files.broker_roles.write_text(build_roles([]))
    ports = [config.box_port, config.central_port]
    return config, Broker(files.broker_config, ports, files.directory / "broker.log"), box_ca


@asynccontextmanager
async def serving(centre: Centre, observe: Observe = ignore) -> AsyncIterator[asyncio.Task[None]]:
    """A central process that serves while the block lasts."""
    subscribed = asyncio.Event()
    async with Writer(centre.database) as writer:
        task = asyncio.create_task(
            run_ingest(centre, writer, ready=subscribed.set, observe=observe)
        )
        waiting = asyncio.create_task(subscribed.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait((task,))


@dataclass
class Box:
    """A box's queue and line, without counter and devices."""

    files: BoxFiles
    config: BoxConfig
    outbox: SqliteOutbox
    uplink: CentralUplink

    async def commit(self, record: ScanRecord | None = None) -> RecordId:
        """Put one scan's record into the queue."""
        id = new_record_id(datetime.now(UTC))
        record = record or scan_record(self.config.box_id)
        await self.outbox.commit(Draft(id, datetime.now(UTC), record))
        return id

    async def told(self, kind: type[E]) -> E:
        """The next event of a kind; others are passed over."""
        async for event in self.uplink.downlink.events():
            if isinstance(event, kind):
                return event
        raise AssertionError("events never end")

    async def publish(self, kind: str, payload: bytes) -> None:
        """Send any bytes under the box's own certificate, on a connection beside its line."""
        line = open_box_connection(self.config.broker, self.files, self.config.box_id, b"")
        async with line as connection:
            await connection.publish(build_topic(self.config.box_id, kind), payload, qos=1)

    def scan_ask(self, ttl: timedelta = timedelta(seconds=5)) -> ScanAsk:
        """An ask about a code that is nobody's."""
        now = datetime.now(UTC)
        return ScanAsk(
            id=new_record_id(now).bytes,
            box=self.config.box,
            born=to_microseconds(now),
            expires_at=to_microseconds(now + ttl),
            counter="挂号1",
            code="x",
        )


@asynccontextmanager
async def running_box(files: BoxFiles, observe: BoxObserve = ignore_box) -> AsyncIterator[Box]:
    """A box whose line is kept while the block lasts."""
    config = read_box_config(files)
    clock = SystemClock()
    async with open_outbox(
        files.queue,
        config.box_id,
        config.epoch,
        STD,
        bytes.fromhex(config.central_public),
        clock,
    ) as outbox:
        uplink = open_uplink(config, files, outbox, clock, observe, receipt_seconds=0.5)
        line = asyncio.create_task(uplink.run())
        try:
            yield Box(files, config, outbox, uplink)
        finally:
            line.cancel()
            await asyncio.wait((line,))


async def prove_both(wire: Wire, box: Box, count: int) -> None:
    """Created, acknowledged and received are ``count`` on both sides, and nothing is wrong."""
    assert await box.outbox.read_account() == Account(count, count, 0, 0)
    (report,) = wire.centre.ingest.ledger.verify(box.config.box_id)
    assert report.account == Account(count, count, 0, 0)
    assert report.holds
