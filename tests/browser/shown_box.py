"""A box whose state a test sets, behind the real local API: what the counter page shows of it.

The API, its sessions, headers and live messages are the shipped ones; only what they tell is made
up. People are fictitious.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from playwright.async_api import BrowserContext, Page

from agent.api.server import LocalAccess, serve_api
from agent.api.sessions import Sessions
from agent.api.views import DeviceView, LinkView, StateView, UnsentView, view_account
from agent.counter.allowed import allow
from agent.counter.states import ScanState
from agent.counter.views import OperatorView, ScanView, advise
from shared.clock import Clock, SystemClock
from shared.devices import DeviceState
from shared.ids import new_record_id
from shared.ledger import Account
from shared.messages import CodeClass, DecidedBy, Identity, MedicalStep, RecordNumber, Verdict
from shared.reasons import Reason
from tests.agent.api.one_box import TOKEN, OneBox

PERSON = Identity(
    name="张*三",
    document="110***********006X",
    sex="1",
    birth_date="1971-12-25",
    patient_id="P0000000017",
    record_numbers=(RecordNumber("outpatient", "MZ2026001734"),),
)
OTHER_PERSON = Identity(
    name="买**·**逊",
    document="654***********0027",
    sex="2",
    birth_date="2019-03-02",
    patient_id="P0000000018",
    record_numbers=(),
)


def state(**changes: Any) -> StateView:
    """A counter at which all is well, with ``changes``."""
    now = datetime.now(UTC)
    view = StateView(
        box="renmin/box1",
        counter="3 号窗口",
        site="示范市人民医院",
        at=now,
        link=LinkView("up", now - timedelta(hours=3), monotonic_ms() - 10_800_000),
        account=view_account(Account(128, 128, 0, 0)),
        unsent=UnsentView(),
        scanner=DeviceView("Newland NLS-FR20", DeviceState.READY),
        printer=DeviceView("Zebra ZD421", DeviceState.READY),
        main=None,
    )
    return msgspec.structs.replace(view, **changes)


def monotonic_ms() -> int:
    """The box's monotonic clock."""
    return SystemClock().monotonic_ns() // 1_000_000


def scan(
    verdict: Verdict | None,
    reason: Reason | None = None,
    identity: Identity | None = None,
    age_seconds: int = 0,
    **changes: Any,
) -> ScanView:
    """One scan that is through, so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=age_seconds)
    view = ScanView(
        id=new_record_id(at).hex,
        at=at.isoformat(),
        state=ScanState.SHOWN,
        code_class=CodeClass.DYNAMIC,
        verdict=verdict,
        decided_by=DecidedBy.BOX if verdict is Verdict.PROVISIONAL else DecidedBy.CENTRAL,
        advice=advise(reason),
        identity=identity,
        scanned_ms=monotonic_ms() - age_seconds * 1000,
        allowed=allow(verdict, reason, MedicalStep.REGISTER),
    )
    return msgspec.structs.replace(view, **changes)


class ShownBox(OneBox):
    """Implements ``agent.api.routes.Box`` with what a test shows."""

    def __init__(self, shown: StateView | None = None) -> None:
        super().__init__()
        self.shown = shown or state()

    async def read_state(self) -> StateView:
        self.states_read += 1
        return msgspec.structs.replace(self.shown, at=datetime.now(UTC))

    def show(self, **changes: Any) -> None:
        """A new state, told to every open page."""
        self.shown = msgspec.structs.replace(self.shown, **changes)
        self.changes.tell(None)

    def show_scan(self, view: ScanView) -> None:
        """A scan, first in the list and in the main place; a refusal waits to be acknowledged."""
        refused = view.verdict is Verdict.REFUSED or view.state is ScanState.UNSAVED
        self.shown = msgspec.structs.replace(
            self.shown,
            main=view,
            recent=(view, *self.shown.recent)[:10],
            unacknowledged=((view,) if refused else ()) + self.shown.unacknowledged,
        )
        self.scans.tell(view)

    def show_operator(self, view: OperatorView) -> None:
        """Somebody comes or goes."""
        self.shown = msgspec.structs.replace(self.shown, operator=view)
        self.operators.tell(view)

    def acknowledge(self, scan_id: str) -> None:
        self.acknowledged.append(str(UUID(scan_id).hex))
        left = tuple(each for each in self.shown.unacknowledged if each.id != scan_id)
        self.show(unacknowledged=left)


@asynccontextmanager
async def serving(box: ShownBox, port: int = 0, clock: Clock | None = None) -> AsyncIterator[str]:
    """The box's API; gives its address."""
    clock = clock or SystemClock()
    async with serve_api(box, clock, LocalAccess(TOKEN, port)) as at:
        yield f"http://127.0.0.1:{at}"


async def open_page(context: BrowserContext, address: str, language: str = "zh") -> Page:
    """The counter page, let in, in a language, and told the box's state."""
    sessions = Sessions(TOKEN, SystemClock())
    await context.add_cookies(
        [{"name": sessions.cookie, "value": sessions.issue(), "url": address}]
    )
    page = await context.new_page()
    await page.add_init_script(f"localStorage.setItem('onecode.language', '{language}')")
    await page.goto(address)
    await page.wait_for_selector("#verdict:not([data-face='unknown'])")
    return page
