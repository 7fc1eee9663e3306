"""What the API sees of a box, answering at once; and the API served for a test."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp

from agent.api.server import LocalAccess, serve_api
from agent.api.views import DeviceView, LinkView, StateView, view_account
from agent.counter.changes import Listeners, Undo
from agent.counter.documents import Documents
from agent.counter.form import IssueRequest
from agent.counter.operators import Operators
from agent.counter.policy import FixedPolicy
from agent.counter.printing import ReprintReason
from agent.counter.states import ScanState
from agent.counter.views import IssueView, LabelView, OperatorView, ScanView
from agent.ports import FrameScanned
from shared.clock import Clock
from shared.devices import DeviceState, PrintState
from shared.errors import Refused, Unavailable
from shared.ledger import Account
from shared.messages import RegistrationOutcome
from shared.passwords import verify_password
from shared.reasons import Reason
from tests.fakes import noon_clock

TOKEN = "a-token-for-tests"


class OneBox:
    """Implements ``agent.api.routes.Box``."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.requests: list[IssueRequest] = []
        self.acknowledged: list[str] = []
        self.seen_notices: list[str] = []
        self.changes: Listeners[None] = Listeners()
        self.scans: Listeners[ScanView] = Listeners()
        self.operator_views: Listeners[OperatorView] = Listeners()
        self.operators = Operators(FixedPolicy("window 3", ""), noon_clock(), verify_password)
        self.documents = Documents(None, self.operators, noon_clock())
        self.states_read = 0

    async def scan(self, frame: FrameScanned) -> ScanView:
        self.frames.append(frame.data)
        return ScanView(id="1", at="", state=ScanState.SHOWN)

    async def issue(self, request: IssueRequest) -> IssueView:
        if request.phone:
            raise Unavailable(Reason.ISSUE_NEEDS_CENTRAL)
        self.requests.append(request)
        return IssueView(id="1", outcome=RegistrationOutcome.NEW)

    async def read_account(self) -> Account:
        return Account(3, 2, 1, 0)

    async def read_state(self) -> StateView:
        self.states_read += 1
        return StateView(
            box="site1/box7",
            counter="window 3",
            at=datetime(2026, 1, 1, tzinfo=UTC),
            link=LinkView("up", datetime(2026, 1, 1, tzinfo=UTC)),
            account=view_account(await self.read_account()),
            scanner=DeviceView("scanner", DeviceState.READY),
            printer=DeviceView("printer", DeviceState.ABSENT),
            main=None,
        )

    def acknowledge(self, scan_id: str) -> None:
        if scan_id != "1":
            raise Refused(Reason.NOT_FOUND)
        self.acknowledged.append(scan_id)

    async def see_notices(self, ids: Sequence[str]) -> None:
        self.seen_notices.extend(ids)

    def recent(self) -> list[ScanView]:
        return []

    def labels(self) -> list[LabelView]:
        return []

    async def reprint(self, label_id: str, reason: ReprintReason, text: str) -> LabelView:
        if text:
            raise Refused(Reason.PRINT_ANSWER_NEEDED)
        return LabelView(label_id, PrintState.SENT, reprint_reason=reason)

    async def answer_label(self, label_id: str, out: bool) -> LabelView:
        return LabelView(label_id, PrintState.CONFIRMED if out else PrintState.UNKNOWN)

    def subscribe(self, callback: Callable[[None], None]) -> Undo:
        return self.changes.subscribe(callback)

    def subscribe_scans(self, callback: Callable[[ScanView], None]) -> Undo:
        return self.scans.subscribe(callback)

    def subscribe_operator(self, callback: Callable[[OperatorView], None]) -> Undo:
        return self.operator_views.subscribe(callback)


@asynccontextmanager
async def serving(
    box: OneBox,
    token: str | None = TOKEN,
    host: str | None = None,
    *,
    clock: Clock | None = None,
    frame_ancestors: tuple[str, ...] = (),
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the served API, its paths relative to ``/api/v1/``; without a token a browser."""
    headers = ({"Authorization": f"Bearer {token}"} if token is not None else {}) | (
        {"Host": host} if host else {}
    )
    access = LocalAccess(TOKEN, frame_ancestors=frame_ancestors)
    async with serve_api(box, clock or noon_clock(), access) as port:
        base = f"http://127.0.0.1:{port}/api/v1/"
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address that is no name
        async with aiohttp.ClientSession(base, headers=headers, cookie_jar=jar) as session:
            yield session
