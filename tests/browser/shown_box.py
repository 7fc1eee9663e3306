"""A box whose state a test sets, behind the real local API: what the counter page shows of it.

The API, its sessions, headers and live messages are the shipped ones; only what they tell is made
up. People are fictitious.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from playwright.async_api import BrowserContext, Page, expect

from agent.api.server import LocalAccess, serve_api
from agent.api.sessions import Sessions
from agent.api.views import DeviceView, LinkView, ListsView, StateView, UnsentView, view_account
from agent.counter.allowed import allow
from agent.counter.form import IssueRequest
from agent.counter.operators import Operators
from agent.counter.policy import FixedPolicy
from agent.counter.states import ScanState
from agent.counter.views import IssueView, LabelView, OperatorView, ScanView, advise
from shared.badges import badge_digest
from shared.clock import SystemClock
from shared.desired import OperatorEntry
from shared.devices import DeviceState, PrintState
from shared.ids import new_record_id
from shared.lease import LeaseStep
from shared.ledger import Account
from shared.messages import (
    CodeClass,
    DecidedBy,
    Identity,
    MedicalStep,
    RecordNumber,
    RegistrationOutcome,
    Verdict,
)
from shared.passwords import verify_password
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


def monotonic_ms() -> int:
    """The box's monotonic clock."""
    return SystemClock().monotonic_ns() // 1_000_000


def since(state: str, seconds: int) -> LinkView:
    """A line that has been in a state for so long."""
    at = datetime.now(UTC) - timedelta(seconds=seconds)
    return LinkView(state, at, monotonic_ms() - seconds * 1000)


def state(**changes: Any) -> StateView:
    """A counter at which all is well, with ``changes``."""
    view = StateView(
        box="renmin/box1",
        counter="3 号窗口",
        site="示范市人民医院",
        at=datetime.now(UTC),
        link=since("up", 3 * 3600),
        account=view_account(Account(128, 128, 0, 0)),
        unsent=UnsentView(),
        scanner=DeviceView("Newland NLS-FR20", DeviceState.READY),
        printer=DeviceView("Zebra ZD421", DeviceState.READY),
        lists=ListsView(168, 37, 4215),
        main=None,
    )
    return msgspec.structs.replace(view, **changes)


def scan(
    verdict: Verdict | None,
    reason: Reason | None = None,
    identity: Identity | None = None,
    age_seconds: int = 0,
    lease: LeaseStep = LeaseStep.FULL,
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
        allowed=allow(verdict, reason, MedicalStep.REGISTER, lease),
    )
    return msgspec.structs.replace(view, **changes)


def past() -> tuple[ScanView, ...]:
    """Nine scans of the last quarter of an hour, newest first."""
    return (
        scan(Verdict.ACCEPTED, None, OTHER_PERSON, 190),
        scan(Verdict.ACCEPTED, None, PERSON, 241, again=True),
        scan(Verdict.ACCEPTED, None, PERSON, 244),
        scan(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, OTHER_PERSON, 310),
        scan(Verdict.REFUSED, Reason.CODE_OTHER_DOMAIN, None, 402),
        scan(None, None, None, 500, state=ScanState.HANDED_ON, code_class=None),
        scan(Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED, None, 611),
        scan(None, Reason.STORE_UNAVAILABLE, None, 700, state=ScanState.UNSAVED),
        scan(Verdict.ACCEPTED, None, PERSON, 893),
    )


def label(print_state: PrintState, reason: Reason | None = None, **changes: Any) -> LabelView:
    """The label of the person just registered."""
    view = LabelView(
        id="0198c0de000070008000000000000001",
        state=print_state,
        registration="0198c0de000070008000000000000009",
        number="0519",
        advice=advise(reason),
        name="张*三",
        record_number="MZ2026001734",
        at=datetime.now(UTC).isoformat(),
        printed_ms=monotonic_ms(),
        needs_answer=print_state is PrintState.UNKNOWN,
    )
    return msgspec.structs.replace(view, **changes)


class ShownBox(OneBox):
    """Implements ``agent.api.routes.Box`` with what a test shows."""

    def __init__(self, entries: tuple[OperatorEntry, ...] = ()) -> None:
        super().__init__()
        self.shown = state(recent=past())
        self.issued = IssueView("1", RegistrationOutcome.NEW, PERSON, label(PrintState.SENT))
        policy = FixedPolicy("3 号窗口", "示范市人民医院", entries=entries)
        self.operators = Operators(policy, SystemClock(), verify_password)
        self.operators.changes.subscribe(self.show_operator)

    async def read_state(self) -> StateView:
        self.states_read += 1
        return msgspec.structs.replace(self.shown, at=datetime.now(UTC))

    async def issue(self, request: IssueRequest) -> IssueView:
        self.requests.append(request)
        return self.issued

    def show(self, **changes: Any) -> None:
        """A new state, told to every open page."""
        self.shown = msgspec.structs.replace(self.shown, **changes)
        self.changes.tell(None)

    def show_scan(self, view: ScanView) -> None:
        """A scan, first in the list and in the main place; a refusal waits to be acknowledged."""
        refused = view.verdict is Verdict.REFUSED or view.state is ScanState.UNSAVED
        waiting = self.shown.unacknowledged
        self.shown = msgspec.structs.replace(
            self.shown,
            main=view,
            recent=(view, *self.shown.recent)[:10],
            unacknowledged=(view, *waiting) if refused else waiting,
        )
        self.scans.tell(view)

    def show_operator(self, view: OperatorView) -> None:
        """Somebody comes or goes."""
        self.shown = msgspec.structs.replace(self.shown, operator=view)
        self.operator_views.tell(view)

    def acknowledge(self, scan_id: str) -> None:
        self.acknowledged.append(scan_id)
        left = tuple(each for each in self.shown.unacknowledged if each.id != scan_id)
        self.show(unacknowledged=left)

    async def see_notices(self, ids: Sequence[str]) -> None:
        self.seen_notices.extend(ids)
        self.show(away=None)


def operator_entry(id: str, name: str, badge: str, pin: str) -> OperatorEntry:
    """Somebody who may sign in; ``pin`` as it is kept."""
    return OperatorEntry(id, name, "clerk", badge_digest(badge), pin)


@asynccontextmanager
async def serving(box: ShownBox, port: int = 0) -> AsyncIterator[str]:
    """The box's API; gives its address."""
    async with serve_api(box, SystemClock(), LocalAccess(TOKEN, port)) as at:
        yield f"http://127.0.0.1:{at}"


async def open_page(context: BrowserContext, address: str, language: str = "zh") -> Page:
    """The counter page, let in, in a language, and told the box's state."""
    sessions = Sessions(TOKEN, SystemClock())
    cookie = {"name": sessions.cookie, "value": sessions.issue(), "url": address}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    await context.add_init_script(
        f"if (location.protocol === 'http:') localStorage['onecode.language'] ??= '{language}'"
    )
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector("#verdict:not([data-face='unknown'])")
    return page


async def face(page: Page, name: str) -> None:
    """Wait until the verdict's place shows this."""
    await expect(page.locator("#verdict")).to_have_attribute("data-face", name)
