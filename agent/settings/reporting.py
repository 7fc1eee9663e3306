"""What the box says of itself, when something has changed and now and then.

At once when a device, the settings or the emptiness of the queue changed, after a second of quiet
when only counts did, once a minute in any case; never closer than five seconds, and only while
the line is up. Knows neither broker nor device: it is given ways to look and a way to say.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from agent.settings.service import Settings
from shared.clock import Clock, to_microseconds
from shared.desired import DeviceReport, LeaseReport, RefusedDesired, Reported, reports
from shared.errors import Damaged, Unavailable
from shared.ids import BoxId
from shared.lease import LeaseStep
from shared.ledger import Account
from shared.version import VERSION

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LEAST_SECONDS = 5.0
MOST_SECONDS = 60.0


class Devices(NamedTuple):
    """The box's devices as they are."""

    scanner: DeviceReport
    printer: DeviceReport


class Glance(NamedTuple):
    """What is looked at each second: cheap to know."""

    link_since: datetime
    account: Account
    devices: Devices
    revision: int
    refused: RefusedDesired | None
    lease: tuple[LeaseStep, int] | None = None  # step and revision


class ReportLine(Protocol):
    """The line to central, as far as reports go."""

    @property
    def link_since(self) -> datetime:
        """When the line went to the state it is in."""
        ...

    async def wait_up(self) -> None: ...

    async def report(self, plaintext: bytes) -> None:
        """Raises Unavailable."""
        ...


class Facts(Protocol):
    """What the box knows of itself. Each may raise Unavailable or Damaged."""

    async def read_account(self) -> Account: ...

    async def read_oldest_pending(self) -> datetime | None: ...

    async def read_devices(self) -> Devices: ...

    def read_lease(self) -> LeaseReport: ...


def is_due(said: Glance | None, age_seconds: float, before: Glance | None, now: Glance) -> bool:
    """Whether it is time to speak: ``said`` was reported ``age_seconds`` ago, ``before`` seen at
    the look before this one. Pure.
    """
    if said is None or age_seconds >= MOST_SECONDS:
        return True
    if age_seconds < LEAST_SECONDS or now == said:
        return False
    quiet = before is not None and before.account == now.account
    return quiet or _urgent(now) != _urgent(said)


def _urgent(glance: Glance) -> tuple[object, ...]:
    empty = glance.account.pending == 0
    return glance.link_since, glance.devices, glance.revision, glance.refused, empty


class Reporter:
    """Reports while ``run`` runs."""

    def __init__(  # noqa: PLR0913 - of whom, by which clock and line
        self,
        *,
        box: BoxId,
        epoch: Callable[[], int],
        clock: Clock,
        line: ReportLine,
        facts: Facts,
        settings: Settings,
        read_certificate_until: Callable[[], datetime | None],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """``read_certificate_until`` reads a file."""
        self._box = box
        self._epoch = epoch
        self._clock = clock
        self._line = line
        self._facts = facts
        self._settings = settings
        self._read_certificate_until = read_certificate_until
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Report for ever; what cannot be read or said now is tried at the next look."""
        said: Glance | None = None
        before: Glance | None = None
        said_ns = 0
        while True:
            await self._line.wait_up()
            try:
                now = await self._glance()
                age_seconds = (self._clock.monotonic_ns() - said_ns) / 1e9
                if is_due(said, age_seconds, before, now):
                    await self._line.report(reports.encode(await self._build(now)))
                    said, said_ns = now, self._clock.monotonic_ns()
                before = now
            except (Unavailable, Damaged) as error:
                _log.debug("no report now: %s", error)
            await asyncio.sleep(self._look_seconds)

    async def _glance(self) -> Glance:
        lease = self._facts.read_lease()
        return Glance(
            self._line.link_since,
            await self._facts.read_account(),
            await self._facts.read_devices(),
            self._settings.effective.revision,
            self._settings.refused,
            (lease.step, lease.revision),
        )

    async def _build(self, glance: Glance) -> Reported:
        oldest = await self._facts.read_oldest_pending()
        until = await asyncio.to_thread(self._read_certificate_until)
        account = glance.account
        return Reported(
            box=str(self._box),
            at=to_microseconds(self._clock.now()),
            software=VERSION,
            epoch=self._epoch(),
            created=account.created,
            acknowledged=account.acknowledged,
            pending=account.pending,
            tombstoned=account.tombstoned,
            oldest_pending_at=None if oldest is None else to_microseconds(oldest),
            scanner=glance.devices.scanner,
            printer=glance.devices.printer,
            certificate_until=None if until is None else to_microseconds(until),
            revision=glance.revision,
            refused=glance.refused,
            lease=self._facts.read_lease(),
            lost=account.lost,
        )
