"""Live pages: ``/api/v1/events`` tells each open page the whole state at once, then what changes.

Messages, server to page, each with ``boot`` (this life of the agent) and ``now_ms`` (the box's
monotonic clock, which every ``…_ms`` in it is measured by):

    {"kind": "state", …StateView}        at open, and after changes, at most ten a second
    {"kind": "scan", …ScanView}          at once: begun, shown, amended
    {"kind": "operator", …OperatorView}  at once: a badge was read, somebody came or went
    {"kind": "document", …DocumentView}  at once: an identity card was read, or could not be
    {"kind": "beat", "at": …}            every two seconds: a page that hears none knows nothing

What a page says is ignored. One that does not keep up is cut off: it comes again and is told all.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec
from aiohttp import ClientConnectionResetError, WSMsgType, web

from agent.api.views import StateView
from agent.counter.changes import Undo
from agent.counter.documents import Documents
from agent.counter.views import OperatorView, ScanView
from shared.clock import Clock
from shared.errors import Refused
from shared.reasons import Reason

BEAT_SECONDS = 2.0
COALESCE_SECONDS = 0.1
MOST_PAGES = 32
MOST_WAITING = 256
_SEND_SECONDS = 5.0
_HEARTBEAT_SECONDS = 10.0
_MOST_BYTES_FROM_A_PAGE = 1024


class Watched(Protocol):
    """What pages are told of."""

    @property
    def documents(self) -> Documents: ...

    async def read_state(self) -> StateView: ...

    def subscribe(self, callback: Callable[[None], None]) -> Undo: ...

    def subscribe_scans(self, callback: Callable[[ScanView], None]) -> Undo: ...

    def subscribe_operator(self, callback: Callable[[OperatorView], None]) -> Undo: ...


class _Page:
    """One open page: what waits to be sent to it."""

    def __init__(self, transport: asyncio.BaseTransport | None) -> None:
        self._transport = transport
        self._waiting: deque[bytes] = deque()
        self._more = asyncio.Event()

    def put(self, message: bytes) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.cut()
            return
        self._waiting.append(message)
        self._more.set()

    async def take(self) -> bytes:
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        return self._waiting.popleft()

    def cut(self) -> None:
        """End the connection at once, whatever is still in its buffers."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()


class Events:
    """All open pages of one box; works while ``run`` runs."""

    def __init__(self, box: Watched, clock: Clock, boot: str) -> None:
        """``boot`` names this life of the agent; it must need no escaping in JSON."""
        self._box = box
        self._clock = clock
        self._boot = boot
        self._pages: set[_Page] = set()
        self._dirty = asyncio.Event()

    async def run(self) -> None:
        """Tell pages what changes until cancelled."""
        undo = (
            self._box.subscribe(lambda _: self._dirty.set()),
            self._box.subscribe_scans(self._tell_scan),
            self._box.subscribe_operator(lambda view: self._broadcast("operator", view)),
            self._box.documents.changes.subscribe(lambda view: self._broadcast("document", view)),
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tell_states(), name="states")
                group.create_task(self._beat(), name="beats")
        finally:
            for one in undo:
                one()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One page's WebSocket, until it goes. Raises Refused (TOO_MANY_REQUESTS)."""
        if len(self._pages) >= MOST_PAGES:
            raise Refused(Reason.TOO_MANY_REQUESTS)
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_SECONDS,
            compress=False,
            max_msg_size=_MOST_BYTES_FROM_A_PAGE,
            timeout=1.0,
        )
        page = _Page(request.transport)
        self._pages.add(page)
        writing = None
        try:
            await socket.prepare(request)
            page.put(self._message("state", await self._box.read_state()))
            if (document := self._box.documents.waiting()) is not None:
                page.put(self._message("document", document))
            writing = asyncio.create_task(self._write(socket, page), name="page")
            async for _ in socket:
                pass
        finally:
            self._pages.discard(page)
            if writing is not None:
                writing.cancel()
                await asyncio.wait({writing})
        return socket

    async def close(self, _: web.Application) -> None:
        """Cut all pages off: the box stops, and waits for none of them."""
        for page in tuple(self._pages):
            page.cut()

    async def _write(self, socket: web.WebSocketResponse, page: _Page) -> None:
        try:
            while True:
                message = await page.take()
                async with asyncio.timeout(_SEND_SECONDS):
                    await socket.send_frame(message, WSMsgType.TEXT)
        except (TimeoutError, ClientConnectionResetError):
            page.cut()

    async def _tell_states(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._pages:
                self._broadcast("state", await self._box.read_state())
            await asyncio.sleep(COALESCE_SECONDS)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._broadcast("beat", {"at": self._clock.now()})

    def _tell_scan(self, view: ScanView) -> None:
        self._broadcast("scan", view)
        self._dirty.set()

    def _broadcast(self, kind: str, body: object) -> None:
        if not self._pages:
            return
        message = self._message(kind, body)
        for page in tuple(self._pages):
            page.put(message)

    def _message(self, kind: str, body: object) -> bytes:
        return build_message(kind, self._boot, self._clock, body)


def build_message(kind: str, boot: str, clock: Clock, body: object) -> bytes:
    """One message as JSON; ``body`` has at least one field."""
    head = f'{{"kind":"{kind}","boot":"{boot}","now_ms":{clock.monotonic_ns() // 1_000_000},'
    return head.encode() + msgspec.json.encode(body)[1:]
