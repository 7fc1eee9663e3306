"""The routes of the local API below ``/api/v1``. Thin: parse, call, answer.

What changes something answers with what became of it; open pages are told of it besides.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import msgspec
from aiohttp import web

from agent.api.events import Events, Watched
from agent.api.forms import (
    AnswerForm,
    IssueForm,
    PinForm,
    ReceiptForm,
    ReprintForm,
    ScanForm,
    SeenForm,
    TypedForm,
)
from agent.api.patience import read_body
from agent.api.sessions import Tickets
from agent.api.views import SettledView, TicketView, view_account
from agent.counter.form import IssueRequest, check_form, parse_request
from agent.counter.form_drafts import FormDrafts
from agent.counter.operators import Operators
from agent.counter.printing import ReprintReason
from agent.counter.views import IssueView, LabelView, ScanView
from agent.ports import FrameScanned
from shared.clock import Clock
from shared.errors import Malformed, Refused
from shared.ledger import Account
from shared.reasons import Reason

MAX_REQUEST_BYTES = 16 * 1024

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Box(Watched, Protocol):
    """What the API needs of the running agent."""

    @property
    def operators(self) -> Operators: ...

    async def scan(self, frame: FrameScanned) -> ScanView: ...

    async def issue(self, request: IssueRequest) -> IssueView: ...

    async def reprint(self, label_id: str, reason: ReprintReason, text: str) -> LabelView: ...

    async def answer_label(self, label_id: str, out: bool) -> LabelView: ...

    async def read_account(self) -> Account: ...

    def acknowledge(self, scan_id: str) -> None: ...

    async def see_notices(self, ids: Sequence[str]) -> None: ...

    def recent(self) -> list[ScanView]: ...

    def labels(self) -> list[LabelView]: ...


def build_routes(box: Box, clock: Clock, events: Events) -> list[web.RouteDef]:
    """What every way in offers."""
    routes: dict[tuple[str, str], Handler] = {
        ("GET", "events"): events.serve,
        **_list_looks(box),
        **_list_acts(box, clock),
        **_list_issuing(box, clock),
        **_list_labels(box),
        **_list_operators(box),
    }
    return [web.route(method, f"/api/v1/{path}", act) for (method, path), act in routes.items()]


def build_ticket_route(tickets: Tickets) -> web.RouteDef:
    """``/api/v1/tickets``: a way in for a browser of this machine."""

    async def post_ticket(request: web.Request) -> web.Response:
        ticket = tickets.give()
        return _answer(
            TicketView(ticket, f"http://{request.headers['Host']}/enter?ticket={ticket}")
        )

    return web.post("/api/v1/tickets", post_ticket)


def build_receipt_route(take: Callable[[bytes], Awaitable[int]]) -> web.RouteDef:
    """``/api/v1/queue/receipts``: central's receipts that came by hand, for this machine alone."""

    async def post_receipt(request: web.Request) -> web.Response:
        form = await _read(request, ReceiptForm)
        return _answer(SettledView(await take(form.sealed)))

    return web.post("/api/v1/queue/receipts", post_receipt)


def _list_looks(box: Box) -> dict[tuple[str, str], Handler]:
    async def get_state(_: web.Request) -> web.Response:
        return _answer(await box.read_state())

    async def get_verdicts(_: web.Request) -> web.Response:
        return _answer(box.recent())

    async def get_account(_: web.Request) -> web.Response:
        return _answer(view_account(await box.read_account()))

    return {
        ("GET", "state"): get_state,
        ("GET", "verdicts"): get_verdicts,
        ("GET", "account"): get_account,
    }


def _list_acts(box: Box, clock: Clock) -> dict[tuple[str, str], Handler]:
    async def post_scan(request: web.Request) -> web.Response:
        form = await _read(request, ScanForm)
        return _answer(await box.scan(FrameScanned(form.text.encode(), clock.now())))

    async def post_taken(request: web.Request) -> web.Response:
        box.documents.take(request.match_info["id"])
        return _answer({})

    async def post_acknowledge(request: web.Request) -> web.Response:
        box.acknowledge(request.match_info["id"])
        return _answer(await box.read_state())

    async def post_seen(request: web.Request) -> web.Response:
        form = await _read(request, SeenForm)
        await box.see_notices(form.ids)
        return _answer(await box.read_state())

    return {
        ("POST", "notices/seen"): post_seen,
        ("POST", "scan"): post_scan,
        ("POST", "verdicts/{id}/acknowledge"): post_acknowledge,
        ("POST", "documents/{id}/taken"): post_taken,
    }


def _list_issuing(box: Box, clock: Clock) -> dict[tuple[str, str], Handler]:
    drafts: FormDrafts[TypedForm] = FormDrafts(box.operators, clock)

    async def post_issue(request: web.Request) -> web.Response:
        form = await _read(request, IssueForm)
        checked = parse_request(
            document_type=form.document_type,
            number=form.number,
            name=form.name,
            sex=form.sex,
            phone=form.phone,
        )
        view = await box.issue(checked)
        if view.identity is not None:
            drafts.wipe(form.draft)
        return _answer(view)

    async def post_issue_check(request: web.Request) -> web.Response:
        form = await _read(request, TypedForm)
        if form.draft:
            drafts.keep(form.draft, form)
        found = check_form(
            document_type=form.document_type,
            number=form.number,
            name=form.name,
            sex=form.sex,
            today=clock.now().astimezone().date(),
        )
        box.operators.act()
        return _answer(found)

    async def get_draft(request: web.Request) -> web.Response:
        form = drafts.find(request.match_info["name"])
        if form is None:
            raise Refused(Reason.NOT_FOUND, "no such draft")
        return _answer(form)

    async def delete_draft(request: web.Request) -> web.Response:
        drafts.wipe(request.match_info["name"])
        return _answer({})

    return {
        ("POST", "issue"): post_issue,
        ("POST", "issue/check"): post_issue_check,
        ("GET", "issue/drafts/{name}"): get_draft,
        ("DELETE", "issue/drafts/{name}"): delete_draft,
    }


def _list_labels(box: Box) -> dict[tuple[str, str], Handler]:
    async def get_labels(_: web.Request) -> web.Response:
        return _answer(box.labels())

    async def post_reprint(request: web.Request) -> web.Response:
        form = await _read(request, ReprintForm)
        return _answer(await box.reprint(request.match_info["id"], form.reason, form.text))

    async def post_answer(request: web.Request) -> web.Response:
        form = await _read(request, AnswerForm)
        return _answer(await box.answer_label(request.match_info["id"], form.out))

    return {
        ("GET", "labels"): get_labels,
        ("POST", "labels/{id}/reprint"): post_reprint,
        ("POST", "labels/{id}/answer"): post_answer,
    }


def _list_operators(box: Box) -> dict[tuple[str, str], Handler]:
    async def post_pin(request: web.Request) -> web.Response:
        form = await _read(request, PinForm)
        await box.operators.sign_in(form.pin, form.who)
        return _answer(box.operators.view())

    async def post_cancel(_: web.Request) -> web.Response:
        box.operators.cancel()
        return _answer(box.operators.view())

    async def post_sign_out(_: web.Request) -> web.Response:
        box.operators.sign_out()
        return _answer(box.operators.view())

    return {
        ("POST", "operator/pin"): post_pin,
        ("POST", "operator/cancel"): post_cancel,
        ("POST", "operator/sign-out"): post_sign_out,
    }


async def _read(request: web.Request, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(await read_body(request), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(Reason.REQUEST_MALFORMED) from error


def _answer(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
