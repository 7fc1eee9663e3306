"""The routes of the local API: state, verdicts, account, issue, scan. Thin: parse, call, answer."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import msgspec
from aiohttp import web

from agent.api.events import Events, Watched
from agent.api.patience import read_body
from agent.api.sessions import Tickets
from agent.api.views import TicketView, view_account
from agent.counter.issuing import IssueRequest, parse_request
from agent.counter.views import IssueView, ScanView
from agent.ports import FrameScanned
from shared.clock import Clock
from shared.errors import Malformed
from shared.ledger import Account
from shared.reasons import Reason

MAX_REQUEST_BYTES = 16 * 1024

T = TypeVar("T")


class IssueForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a clerk types to register a resident."""

    document_type: str
    number: str
    name: str
    sex: str = "0"
    phone: str = ""


class ScanForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code typed or pasted instead of scanned."""

    text: str


class Box(Watched, Protocol):
    """What the API needs of the running agent."""

    async def scan(self, frame: FrameScanned) -> ScanView: ...

    async def issue(self, request: IssueRequest) -> IssueView: ...

    async def read_account(self) -> Account: ...

    def acknowledge(self, scan_id: str) -> None: ...

    def recent(self) -> list[ScanView]: ...


def build_routes(box: Box, clock: Clock, tickets: Tickets, events: Events) -> list[web.RouteDef]:
    """All routes under ``/api/v1``."""

    async def get_state(_: web.Request) -> web.Response:
        return _answer(await box.read_state())

    async def get_verdicts(_: web.Request) -> web.Response:
        return _answer(box.recent())

    async def get_account(_: web.Request) -> web.Response:
        return _answer(view_account(await box.read_account()))

    async def post_issue(request: web.Request) -> web.Response:
        form = _parse(await read_body(request), IssueForm)
        checked = parse_request(
            document_type=form.document_type,
            number=form.number,
            name=form.name,
            sex=form.sex,
            phone=form.phone,
        )
        return _answer(await box.issue(checked))

    async def post_scan(request: web.Request) -> web.Response:
        form = _parse(await read_body(request), ScanForm)
        return _answer(await box.scan(FrameScanned(form.text.encode(), clock.now())))

    async def post_acknowledge(request: web.Request) -> web.Response:
        box.acknowledge(request.match_info["id"])
        return _answer(await box.read_state())

    async def post_ticket(request: web.Request) -> web.Response:
        ticket = tickets.give()
        return _answer(
            TicketView(ticket, f"http://{request.headers['Host']}/enter?ticket={ticket}")
        )

    routes: list[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = [
        ("GET", "state", get_state),
        ("GET", "verdicts", get_verdicts),
        ("GET", "account", get_account),
        ("POST", "issue", post_issue),
        ("POST", "scan", post_scan),
        ("POST", "verdicts/{id}/acknowledge", post_acknowledge),
        ("POST", "tickets", post_ticket),
        ("GET", "events", events.serve),
    ]
    return [web.route(method, f"/api/v1/{path}", handler) for method, path, handler in routes]


def _parse(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(Reason.REQUEST_MALFORMED) from error


def _answer(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
