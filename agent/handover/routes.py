"""What a paired workstation asks for, and how a client pairs.

POST /api/v1/pair               {"code", "name"} → {"id", "token"}; while a window is open
GET  /api/v1/handover           WebSocket: scan, handed-on and beat, as of ``/api/v1/events``
GET  /api/v1/handover/results   the same by asking: ?after=<next of the last answer>
                                &wait_seconds=0…25 → {"next", "messages": [...]}
GET  /api/v1/handover/last      {"scan": the last scan that is through, or null}
"""

import asyncio
from typing import Protocol

import msgspec
from aiohttp import ClientConnectionResetError, WSMsgType, web

from agent.api.forms import Form
from agent.api.patience import read_body
from agent.counter.states import ScanState
from agent.counter.views import ScanView
from agent.handover.access import WORKSTATION
from agent.handover.mailbox import Post
from shared.errors import Malformed, Refused
from shared.reasons import Reason

LONGEST_WAIT_SECONDS = 25.0
BEAT_SECONDS = 2.0
_SEND_SECONDS = 5.0
_HEARTBEAT_SECONDS = 10.0
_MOST_BYTES_FROM_A_WORKSTATION = 1024


class PairForm(Form, frozen=True):
    """A client that wants to pair."""

    code: str
    name: str

    def __repr__(self) -> str:
        return "PairForm(…)"


class Paired(msgspec.Struct, frozen=True):
    """Its token, told once."""

    id: str
    token: str

    def __repr__(self) -> str:
        return f"Paired({self.id})"


class Counter(Protocol):
    """What workstations see of the box."""

    def recent(self) -> list[ScanView]: ...


class Desk(Protocol):
    """What these routes need of the hand-over."""

    post: Post

    async def pair(self, code: str, name: str, address: str) -> Paired: ...

    @property
    def boot(self) -> str: ...

    def beat(self) -> bytes: ...


def build_handover_routes(desk: Desk, counter: Counter) -> list[web.RouteDef]:
    """All of them."""

    async def post_pair(request: web.Request) -> web.Response:
        try:
            form = msgspec.json.decode(await read_body(request), type=PairForm)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(Reason.REQUEST_MALFORMED) from error
        paired = await desk.pair(form.code, form.name, request.remote or "")
        return _answer(msgspec.json.encode(paired))

    async def get_last(_: web.Request) -> web.Response:
        through = {ScanState.SHOWN, ScanState.UNSAVED}
        last = next((scan for scan in counter.recent() if scan.state in through), None)
        return _answer(msgspec.json.encode({"scan": last}))

    async def get_results(request: web.Request) -> web.Response:
        boot, _, number = request.query.get("after", "").partition(".")
        after = int(number) if boot == desk.boot and number.isdecimal() else 0
        seconds = _seconds(request.query.get("wait_seconds", "0"))
        mailbox = desk.post.asking(request[WORKSTATION].id)
        letters = await mailbox.take(after, min(seconds, LONGEST_WAIT_SECONDS))
        cursor = f'{{"next":"{desk.boot}.{letters[-1].number if letters else after}","messages":['
        return _answer(cursor.encode() + b",".join(letter.body for letter in letters) + b"]}")

    async def get_socket(request: web.Request) -> web.StreamResponse:
        if desk.post.is_full:
            raise Refused(Reason.TOO_MANY_REQUESTS)
        return await _serve_socket(request, desk)

    return [
        web.post("/api/v1/pair", post_pair),
        web.get("/api/v1/handover", get_socket),
        web.get("/api/v1/handover/results", get_results),
        web.get("/api/v1/handover/last", get_last),
    ]


async def _serve_socket(request: web.Request, desk: Desk) -> web.StreamResponse:
    socket = web.WebSocketResponse(
        heartbeat=_HEARTBEAT_SECONDS,
        compress=False,
        max_msg_size=_MOST_BYTES_FROM_A_WORKSTATION,
        timeout=1.0,
    )
    with desk.post.listening(request[WORKSTATION].id) as mailbox:
        await socket.prepare(request)

        async def write() -> None:
            after = 0
            try:
                await _send(socket, desk.beat())
                while True:
                    letters = await mailbox.take(after, BEAT_SECONDS)
                    for letter in letters:
                        await _send(socket, letter.body)
                        after = letter.number
                    if not letters:
                        await _send(socket, desk.beat())
            except (TimeoutError, ClientConnectionResetError):
                if request.transport is not None:
                    request.transport.abort()

        writing = asyncio.create_task(write(), name="workstation")
        try:
            async for _ in socket:  # what a workstation says is ignored
                pass
        finally:
            writing.cancel()
            await asyncio.wait({writing})
    return socket


async def _send(socket: web.WebSocketResponse, body: bytes) -> None:
    async with asyncio.timeout(_SEND_SECONDS):
        await socket.send_frame(body, WSMsgType.TEXT)


def _seconds(text: str) -> float:
    if not text.isdecimal() or len(text) > 4:
        raise Malformed(Reason.REQUEST_MALFORMED, "wait_seconds")
    return float(text)


def _answer(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")
