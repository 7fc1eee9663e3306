"""A box as far as settings and reports go: real line, queue, settings and reporter; no devices."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agent.config import BoxFiles, read_box_config
from agent.settings.effective import Effective
from agent.settings.reporting import Devices, Reporter
from agent.settings.service import Settings
from agent.transport.downlink import DesiredCame, Discarded
from agent.transport.mqtt import open_connection
from central.feed import FeedEvent
from central.presence.live import Live
from shared.clock import SystemClock
from shared.codec import statuses
from shared.desired import BoxSettings, DeviceReport, LeaseReport
from shared.devices import DeviceState
from shared.ids import BoxId
from shared.lease import LeaseStep
from shared.ledger import Account
from shared.messages import Status
from shared.reasons import Reason
from shared.topics import DESIRED
from tests.central.ingest.centre import Centre
from tests.central.ingest.wire import Box, Wire, running_box

SCANNER = DeviceReport("a scanner", DeviceState.READY)
PRINTER = DeviceReport("a printer", DeviceState.ABSENT)
LEASE = LeaseReport(LeaseStep.FULL, None, 3600, 1, None)
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)


class HurriedClock(SystemClock):
    """Five seconds between reports are half a second here."""

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() * 10


@dataclass
class LivingBox:
    """A box that takes settings and speaks of itself."""

    box: Box
    settings: Settings
    refuse: list[Exception] = field(default_factory=list)
    forged: list[Reason] = field(default_factory=list)

    async def read_account(self) -> Account:
        return await self.box.outbox.read_account()

    async def read_oldest_pending(self) -> datetime | None:
        return await self.box.outbox.read_oldest_pending()

    def read_lease(self) -> LeaseReport:
        return LEASE

    async def read_devices(self) -> Devices:
        return Devices(SCANNER, PRINTER)

    async def listen(self) -> None:
        """What ``RunningBox`` does."""
        async for event in self.box.uplink.downlink.events():
            if isinstance(event, DesiredCame):
                await self.settings.take(event.plaintext)
            elif isinstance(event, Discarded) and event.kind == DESIRED:
                self.forged.append(event.reason)
                self.settings.note_forged(event.reason)


@asynccontextmanager
async def living_box(files: BoxFiles) -> AsyncIterator[LivingBox]:
    """A box at work while the block lasts."""
    refuse: list[Exception] = []

    def check(_: Effective) -> None:
        if refuse:
            raise refuse[0]

    async with running_box(files) as box:
        settings = Settings(box.config, files.desired, check)
        settings.load()
        living = LivingBox(box, settings, refuse)
        reporter = Reporter(
            box=box.config.box_id,
            epoch=lambda: box.config.epoch,
            clock=HurriedClock(),
            line=box.uplink,
            facts=living,
            settings=settings,
            read_certificate_until=lambda: UNTIL,
            look_seconds=0.05,
        )
        tasks = [asyncio.create_task(living.listen()), asyncio.create_task(reporter.run())]
        try:
            yield living
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def want(wire: Wire, box: BoxId, settings: BoxSettings) -> None:
    """Set what a box should have, by a connection that is not the server's."""
    with wire.centre.database.unit():
        wire.centre.settings.set_box(box, settings, datetime.now(UTC), "test")


async def read_retained(files: BoxFiles) -> bytes:
    """What the broker keeps for a box on ``desired``, once it keeps something."""
    config = read_box_config(files)
    will = statuses.encode(Status(online=False, since=0))
    line = open_connection(config.broker, files, config.box_id, will)
    async with line as connection:
        async for message in connection.messages():
            if message.topic.endswith(f"/{DESIRED}"):
                return message.payload
    raise AssertionError("the connection never ends")


@asynccontextmanager
async def watching(centre: Centre) -> AsyncIterator["Watch"]:
    """Central's feed as it is told while the block lasts."""
    watch = Watch(centre)
    undo = centre.feed.subscribe(watch.note)
    try:
        yield watch
    finally:
        undo()


class Watch:
    """What central knows of boxes, looked at again with each change."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._changed = asyncio.Event()
        self.told: list[FeedEvent] = []

    def note(self, event: FeedEvent) -> None:
        self.told.append(event)
        self._changed.set()

    async def live(self, box: BoxId, wanted: Callable[[Live], bool]) -> Live:
        """A box, once it is as wanted."""
        while True:
            live = self._centre.presence.read(box)
            if live is not None and wanted(live):
                return live
            self._changed.clear()
            await self._changed.wait()
