"""Whether the process lives and can work, for whoever watches it: yes or no, no details."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from central.storage.writer import Writer
from shared.errors import OneCodeError

_SECONDS = 2.0


class Health:
    """Answers ``/healthz`` and ``/readyz``."""

    def __init__(self, writer: Writer, is_connected: Callable[[], bool]) -> None:
        self._writer = writer
        self._is_connected = is_connected

    async def answer_alive(self, _: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"alive": True})

    async def answer_ready(self, _: web.Request) -> web.Response:
        """The broker is connected and the database takes a transaction."""
        ready = self._is_connected() and await self._can_write()
        return web.json_response({"ready": ready}, status=200 if ready else 503)

    async def _can_write(self) -> bool:
        # An empty unit of work: the writer lives, and its transaction begins and ends.
        try:
            async with asyncio.timeout(_SECONDS):
                await self._writer.run(lambda: None, patient=True)
        except (OneCodeError, TimeoutError):
            return False
        return True
