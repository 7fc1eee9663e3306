"""Runs the local API and the counter page: one listening socket on loopback, for as long as its
context is open.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from agent.api.access import guard, is_loopback
from agent.api.events import Events
from agent.api.pages import build_page_routes, protect
from agent.api.patience import KEEP_ALIVE_SECONDS, Patience
from agent.api.problems import answer_problems
from agent.api.routes import MAX_REQUEST_BYTES, Box, build_routes
from agent.api.sessions import Sessions, Tickets
from shared.clock import Clock
from shared.errors import Unavailable
from shared.reasons import Reason

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LocalAccess:
    """Where the API listens and who may use it."""

    token: str = field(repr=False)
    port: int = 0  # 0: any free one
    frame_ancestors: tuple[str, ...] = ()


@asynccontextmanager
async def serve_api(
    box: Box, clock: Clock, access: LocalAccess, patience: Patience | None = None
) -> AsyncIterator[int]:
    """Serve until the context ends; gives the port. Raises Unavailable (PORT_BUSY)."""
    patience = patience or Patience()
    sessions, tickets = Sessions(access.token, clock), Tickets(clock)
    events = Events(box, clock, secrets.token_hex(8))
    application = web.Application(
        middlewares=[
            patience.listen,
            answer_problems,
            guard(access.token, sessions, is_loopback),
        ],
        client_max_size=MAX_REQUEST_BYTES,
    )
    application.add_routes(build_page_routes(tickets, sessions))
    application.add_routes(build_routes(box, clock, tickets, events))
    application.on_response_prepare.append(protect(access.frame_ancestors))
    application.on_shutdown.append(events.close)
    runner = web.AppRunner(
        application,
        access_log=None,
        shutdown_timeout=2,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, access.port)
        try:
            await site.start()
        except OSError as error:
            raise Unavailable(Reason.PORT_BUSY, f"{HOST}:{access.port}") from error
        assert runner.server is not None
        async with asyncio.TaskGroup() as group:
            at_work = (
                group.create_task(events.run(), name="events"),
                group.create_task(patience.watch(runner.server), name="patience"),
            )
            yield runner.addresses[0][1]
            for task in at_work:
                task.cancel()
    finally:
        await runner.cleanup()
