"""Runs the local API: one listening socket on loopback, for as long as its context is open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from agent.api.access import guard
from agent.api.problems import answer_problems
from agent.api.routes import MAX_REQUEST_BYTES, Box, build_routes
from shared.clock import Clock
from shared.errors import Unavailable
from shared.reasons import Reason

HOST = "127.0.0.1"


@asynccontextmanager
async def serve_api(box: Box, clock: Clock, token: str, port: int) -> AsyncIterator[int]:
    """Serve until the context ends; gives the port (another one when ``port`` is 0).

    Raises Unavailable (PORT_BUSY).
    """
    application = web.Application(
        middlewares=[answer_problems, guard(token)], client_max_size=MAX_REQUEST_BYTES
    )
    application.add_routes(build_routes(box, clock))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise Unavailable(Reason.PORT_BUSY, f"{HOST}:{port}") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
