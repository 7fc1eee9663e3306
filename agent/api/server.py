"""Runs the API and the counter page: one application for each way in, served for as long as its
context is open. The way in is loopback here; ``agent.handover`` has another.
"""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Middleware

from agent.api.access import guard, has_no_trouble, is_loopback
from agent.api.events import Events
from agent.api.pages import build_entrance, build_page_routes, protect
from agent.api.pairing import Pairing, build_pairing_routes
from agent.api.patience import KEEP_ALIVE_SECONDS, Patience, admit
from agent.api.problems import answer_problems
from agent.api.routes import (
    MAX_REQUEST_BYTES,
    Box,
    build_receipt_route,
    build_routes,
    build_ticket_route,
)
from agent.api.sessions import Sessions, Tickets
from shared.clock import Clock
from shared.errors import Unavailable
from shared.reasons import Reason

HOST = "127.0.0.1"
_HANDSHAKE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LocalAccess:
    """Where the API listens and who may use it."""

    token: str = field(repr=False)
    port: int = 0  # 0: any free one
    frame_ancestors: tuple[str, ...] = ()
    trouble: Callable[[], Reason | None] = has_no_trouble  # why nobody can know the token yet


@dataclass(frozen=True)
class Way:
    """A way in to the API: who is let in, and what there is besides the counter's own routes."""

    guard: Middleware
    routes: Sequence[web.RouteDef]
    renew: Callable[[web.Request, web.StreamResponse], None] | None = None  # a page's cookie
    frame_ancestors: tuple[str, ...] = ()


@asynccontextmanager
async def serve_api(  # noqa: PLR0913, PLR0917 - for whom, and what there is besides
    box: Box,
    clock: Clock,
    access: LocalAccess,
    patience: Patience | None = None,
    pairing: Pairing | None = None,
    take_receipt: Callable[[bytes], Awaitable[int]] | None = None,
) -> AsyncIterator[int]:
    """Serve loopback until the context ends; gives the port. Raises Unavailable (PORT_BUSY)."""
    sessions, tickets = Sessions(access.token, clock), Tickets(clock)
    routes = [*build_entrance(tickets, sessions), build_ticket_route(tickets)]
    if pairing is not None:
        routes += build_pairing_routes(pairing, box.operators)
    if take_receipt is not None:
        routes.append(build_receipt_route(take_receipt))
    way = Way(
        guard(access.token, sessions, is_loopback, access.trouble),
        routes,
        sessions.renew,
        access.frame_ancestors,
    )
    async with serve_way(box, clock, way, (HOST, access.port), patience=patience) as port:
        yield port


@asynccontextmanager
async def serve_way(  # noqa: PLR0913 - where, for whom, with what patience
    box: Box,
    clock: Clock,
    way: Way,
    address: tuple[str, int],
    *,
    tls: ssl.SSLContext | None = None,
    patience: Patience | None = None,
) -> AsyncIterator[int]:
    """Serve one way in until the context ends; gives the port. Raises Unavailable (PORT_BUSY)."""
    patience = patience or Patience()
    events = Events(box, clock, secrets.token_hex(8))
    application = web.Application(
        middlewares=[patience.listen, answer_problems, way.guard],
        client_max_size=MAX_REQUEST_BYTES,
    )
    application.add_routes(build_page_routes(way.renew))
    application.add_routes(build_routes(box, clock, events))
    application.add_routes(way.routes)
    application.on_response_prepare.append(protect(way.frame_ancestors))
    application.on_shutdown.append(events.close)
    runner = web.AppRunner(
        application,
        access_log=None,
        shutdown_timeout=2,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
    await runner.setup()
    try:
        assert runner.server is not None
        server = await _listen(runner.server, address, tls)
        try:
            async with asyncio.TaskGroup() as group:
                at_work = (
                    group.create_task(events.run(), name="events"),
                    group.create_task(patience.watch(runner.server), name="patience"),
                )
                yield server.sockets[0].getsockname()[1]
                for task in at_work:
                    task.cancel()
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _listen(
    server: web.Server, address: tuple[str, int], tls: ssl.SSLContext | None
) -> asyncio.Server:
    host, port = address
    try:
        return await asyncio.get_running_loop().create_server(
            partial(admit, server),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS if tls else None,
            reuse_address=True,
        )
    except OSError as error:
        raise Unavailable(Reason.PORT_BUSY, f"{host}:{port}") from error
