"""When a box speaks of itself, and what it says."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.settings.reporting import Devices, Glance, Reporter, is_due
from agent.settings.service import Settings
from shared.clock import ManualClock, to_microseconds
from shared.desired import DeviceReport, LeaseReport, RefusedDesired, Reported, reports
from shared.devices import DeviceState
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.lease import LeaseStep
from shared.ledger import Account
from shared.reasons import Reason
from shared.version import VERSION
from tests.agent.settings.centre import BOX, CONFIG, announce
from tests.fakes import NOON

PATIENCE_SECONDS = 20.0
READY = DeviceReport("scanner", DeviceState.READY)
GONE = DeviceReport("scanner", DeviceState.ABSENT)
PRINTER = DeviceReport("printer", DeviceState.FAULTY, ("no-paper",))
LEASE = LeaseReport(LeaseStep.FULL, None, 3600, 7, to_microseconds(NOON))


def glance(
    created: int = 5,
    pending: int = 0,
    *,
    scanner: DeviceReport = READY,
    revision: int = 1,
    refused: RefusedDesired | None = None,
    link_since: datetime = NOON,
) -> Glance:
    """A box at a glance."""
    account = Account(created, created - pending, pending, 0)
    return Glance(link_since, account, Devices(scanner, PRINTER), revision, refused)


SAID = glance()


@pytest.mark.parametrize(
    "now",
    [
        glance(scanner=GONE),
        glance(revision=2),
        glance(refused=RefusedDesired(2, Reason.SETTING_UNKNOWN, "volume")),
        glance(6, 1),
        glance(link_since=NOON + timedelta(seconds=9)),
    ],
)
def test_what_a_person_should_see_is_said_soon(now: Glance) -> None:
    """A device, the settings, a new line, the first unsent row: as soon as five seconds allow."""
    assert is_due(SAID, 5.0, None, now)
    assert not is_due(SAID, 4.9, now, now)


def test_counts_wait_for_a_second_of_quiet() -> None:
    """Under steady scanning a box does not speak for each scan; after the last one it does."""
    busy, busier = glance(8, 3), glance(9, 3)
    said = glance(7, 3)
    assert not is_due(said, 30.0, busy, busier)
    assert is_due(said, 30.0, busier, busier)


def test_silence_lasts_a_minute_at_most() -> None:
    """The first report goes at once, an unchanged one after a minute."""
    assert is_due(None, 0.0, None, SAID)
    assert not is_due(SAID, 59.9, SAID, SAID)
    assert is_due(SAID, 60.0, SAID, SAID)
    assert is_due(glance(7, 3), 60.0, glance(8, 3), glance(9, 3))


@dataclass
class Box:
    """Facts and a line in a test's hand."""

    clock: ManualClock
    account: Account = field(default_factory=lambda: Account(3, 1, 2, 0))
    unreadable: bool = False
    broken: bool = False
    link_since: datetime = NOON
    said: asyncio.Queue[Reported] = field(default_factory=asyncio.Queue)

    async def read_account(self) -> Account:
        if self.unreadable:
            raise Unavailable(Reason.STORE_UNAVAILABLE)
        return self.account

    async def read_oldest_pending(self) -> datetime | None:
        return NOON - timedelta(minutes=3)

    def read_lease(self) -> LeaseReport:
        return LEASE

    async def read_devices(self) -> Devices:
        return Devices(READY, PRINTER)

    async def wait_up(self) -> None:
        return

    async def report(self, plaintext: bytes) -> None:
        if self.broken:
            raise Unavailable(Reason.LINK_DOWN)
        self.said.put_nowait(reports.decode(plaintext))


async def test_a_report_says_how_the_box_is(tmp_path: Path) -> None:
    """Account, devices, settings at work, certificate; after a lost line or a busy disk again."""
    clock = ManualClock(NOON)
    box = Box(clock, unreadable=True, broken=True)
    settings = Settings(CONFIG, tmp_path / "desired", lambda _: None)
    await settings.take(announce(7))
    reporter = Reporter(
        box=BoxId(*BOX.split("/")),
        epoch=lambda: 2,
        clock=clock,
        line=box,
        facts=box,
        settings=settings,
        read_certificate_until=lambda: NOON + timedelta(days=90),
        look_seconds=0.001,
    )
    running = asyncio.create_task(reporter.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.sleep(0)
        box.unreadable = box.broken = False
        assert await box.said.get() == Reported(
            box=BOX,
            at=to_microseconds(NOON),
            software=VERSION,
            epoch=2,
            created=3,
            acknowledged=1,
            pending=2,
            tombstoned=0,
            oldest_pending_at=to_microseconds(NOON - timedelta(minutes=3)),
            scanner=READY,
            printer=PRINTER,
            certificate_until=to_microseconds(NOON + timedelta(days=90)),
            revision=7,
            lease=LEASE,
        )
        box.account = Account(4, 3, 0, 0, lost=1)
        clock.advance(timedelta(seconds=5))
        said = await box.said.get()
        assert (said.pending, said.lost) == (0, 1)
    running.cancel()
    await asyncio.wait((running,))
    assert box.said.empty()
