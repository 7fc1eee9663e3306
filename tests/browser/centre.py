"""A whole centre with its pages on a loopback port, and what happens at one: boxes that report,
scans, patients. Everything is real but the line: what a box would send is handed in at its end.
"""

import base64
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.async_api import Page, expect

from central.app import Central, open_central
from central.cards.card import Card
from central.config import BrokerConfig
from central.fleet.box import NewKeys, Place
from central.fleet.certificates import CertificateFacts
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from central.storage.reader import Reader
from central.storage.writer import Writer
from central.users.desk import Desk
from central.users.principal import Principal
from central.users.roles import PERMISSIONS, Role
from central.users.service import Users
from central.users.user import NewUser
from central.web.app import build_app
from central.web.places import add_pages
from central.web.server import open_listener
from shared.clock import SystemClock, to_microseconds
from shared.codec import statuses
from shared.crypto import STD
from shared.desired import DeviceReport, LeaseReport, RefusedDesired, Reported, reports
from shared.devices import DeviceState
from shared.ids import BoxId, new_record_id
from shared.lease import LeaseStep
from shared.messages import MedicalStep, ScanAsk, Status
from shared.pairing import Direction, PairKey
from shared.topics import REPORTED
from tests.central.people import SAMPLE

PASSWORD = "a quiet ward at night"
LOGIN = "operations"
READY = DeviceReport("串口扫码器", DeviceState.READY)


@dataclass
class Centre:
    """A running centre; with nothing in ``connected`` it has lost its line to the broker."""

    central: Central
    writer: Writer
    desk: Desk
    url: str
    connected: list[bool]

    async def add_user(
        self, role: Role = Role.OPERATIONS, login: str = LOGIN, site: str | None = None
    ) -> Principal:
        """A user who has chosen ``PASSWORD`` already."""
        user, once = await self.desk.add_user(NewUser(login, "值班员", role, site), "test")
        principal = Principal(user.id, user.name, role, site, "user", PERMISSIONS[role])
        await self.desk.change_password(principal, once, PASSWORD, "")
        return principal

    async def add_box(self, id: BoxId, counter: str = "1号窗口") -> None:
        """A box that has joined and was never heard of."""
        now = SystemClock().now()
        facts = CertificateFacts(
            serial=os.urandom(16).hex(),
            fingerprint=os.urandom(32),
            not_before=now,
            not_after=now + timedelta(days=365),
        )
        public = STD.new_signing_key().public_bytes
        keys = NewKeys(os.urandom(32), STD.id, public, facts)
        place = Place(id, counter, "虚构市第一医院")
        await self.writer.run(lambda: self.central.fleet.add_box(place, keys, now, "test"))

    async def send_status(self, box: BoxId, *, online: bool) -> None:
        """What a box, or its will, says of the line."""
        now = SystemClock().now()
        payload = statuses.encode(Status(online, to_microseconds(now)))
        presence = self.central.presence
        await self.writer.run(lambda: presence.take_status(box, payload, now))

    async def send_report(
        self,
        box: BoxId,
        *,
        pending: int = 0,
        waiting: timedelta = timedelta(),
        printer: DeviceReport = READY,
        refused: RefusedDesired | None = None,
        lease: LeaseReport | None = None,
        lost: int = 0,
    ) -> None:
        """What a box says of itself, sealed as it seals it."""
        now = SystemClock().now()
        report = Reported(
            box=str(box),
            at=to_microseconds(now),
            software="1.0.0",
            epoch=1,
            created=pending + lost,
            acknowledged=0,
            pending=pending,
            tombstoned=0,
            oldest_pending_at=to_microseconds(now - waiting) if pending else None,
            scanner=READY,
            printer=printer,
            certificate_until=to_microseconds(now + timedelta(days=300)),
            revision=0,
            refused=refused,
            lease=lease or LeaseReport(LeaseStep.FULL, None, 250_000, 12, to_microseconds(now)),
            lost=lost,
        )

        def take() -> None:
            key: PairKey = self.central.fleet.pair_key(box)
            sealed = key.seal(Direction.UP, box, REPORTED, reports.encode(report))
            self.central.presence.take_report(box, sealed, now)

        await self.writer.run(take)

    async def enrol(self, registration: Registration = SAMPLE) -> Card:
        """A person with a card."""
        now = SystemClock().now()

        def enrol() -> Card:
            person, _ = self.central.patients.register(registration, now, "test")
            self.central.hospital.admit(person.id, "site1", now)
            return self.central.cards.open_account(person, now, "test")

        return await self.writer.run(enrol)

    async def scan(self, box: BoxId, code: str, at: datetime | None = None) -> None:
        """A box asks what a code is worth."""
        now = at or SystemClock().now()
        ask = ScanAsk(
            id=new_record_id(now).bytes,
            box=str(box),
            counter="1号窗口",
            born=to_microseconds(now),
            expires_at=to_microseconds(now + timedelta(seconds=5)),
            code=code,
            medical_step=MedicalStep.REGISTER,
        )
        await self.writer.run(lambda: self.central.scans.answer(box, ask, now))

    async def link(self, card: Card, minutes: int = 60) -> str:
        """The address of a patient's page."""
        now = SystemClock().now()
        make = self.central.links.make
        link = await self.writer.run(lambda: make(card.id, now, "test", timedelta(minutes=minutes)))
        return f"{self.url}/me/{link.secret}"


def found_centre(directory: Path) -> None:
    """What ``onecode-central init`` makes."""
    found_central(directory, Foundation(BrokerConfig()), SystemClock().now(), "test")


def totp(secret: str, steps: int = 0) -> str:
    """What an authenticator shows now, or some steps of 30 s later (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    made = TOTP(key, 6, SHA1(), 30)
    return made.generate(int(time.time()) + 30 * steps).decode()


@asynccontextmanager
async def open_centre(directory: Path, port: int = 0) -> AsyncIterator[Centre]:
    """Serve the centre in ``directory``."""
    connected = [True]
    with open_central(directory) as central:
        async with Writer(central.database) as writer, Reader(central.database) as reader:
            app = build_app(
                central,
                central.users,
                writer,
                reader,
                is_connected=lambda: bool(connected),
                add_pages=add_pages,
            )
            users = Users(central.keys, central.audit, central.config.users, at_server=True)
            desk = Desk(users, central.keys, central.audit, writer, SystemClock())
            async with open_listener(app, "127.0.0.1", port) as url:
                yield Centre(central, writer, desk, url, connected)


async def sign_in(
    page: Page, centre: Centre, login: str = LOGIN, leads_to: str = "/console/boxes"
) -> None:
    """Through the form, as a person with a keyboard does it."""
    await page.goto(f"{centre.url}/console")
    await expect(page.locator("input[name=name]")).to_be_focused()
    await page.keyboard.type(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{centre.url}{leads_to}")
