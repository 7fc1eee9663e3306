"""How long the server waits for a client that sends its request slowly, or not at all, and how
many may come at once.

The HTTP library limits none of it: a connection that trickles its headers would stay for ever, and
who opens a thousand would take the files that the box's devices and its line need.
"""

import asyncio
from weakref import WeakSet

from aiohttp import web
from aiohttp.typedefs import Handler

from shared.errors import Malformed
from shared.reasons import Reason

HEADER_SECONDS = 10.0
BODY_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 30.0
MOST_CONNECTIONS = 128
"""A browser holds six, a page's line one more."""


class Patience:
    """Knows which connections have sent a whole request head, and cuts off those that do not."""

    def __init__(self, header_seconds: float = HEADER_SECONDS) -> None:
        self._header_seconds = header_seconds
        self._heard: WeakSet[asyncio.BaseTransport] = WeakSet()

    @web.middleware
    async def listen(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Middleware, the outermost one."""
        if request.transport is not None:
            self._heard.add(request.transport)
        return await handler(request)

    async def watch(self, server: web.Server) -> None:
        """Cut off, for ever, connections on which no request came in time."""
        silent: set[asyncio.Transport] = set()
        while True:
            await asyncio.sleep(self._header_seconds)
            open_now = {one.transport for one in server.connections if one.transport is not None}
            fresh = open_now - set(self._heard)
            for transport in fresh & silent:
                transport.abort()
            silent = fresh


def admit(server: web.Server) -> asyncio.BaseProtocol:
    """A new connection's protocol; one too many is ended at once."""
    if len(server.connections) < MOST_CONNECTIONS:
        protocol: asyncio.BaseProtocol = server()
        return protocol
    return _Full()


class _Full(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


async def read_body(request: web.Request) -> bytes:
    """The whole body. Raises Malformed (REQUEST_MALFORMED) when it does not come in time."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, "too slow") from error
