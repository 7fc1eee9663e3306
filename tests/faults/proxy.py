"""A TCP proxy between box and broker that fails as networks do, on command, while bytes flow.

Runs in a thread of its own with an event loop. What it does to a connection can be changed at
any moment; whoever is connected is not told.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Self

_CHUNK_BYTES = 4096
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: close() sends RST and throws away what was not sent (socket(7))."""


class Mode(Enum):
    """What becomes of bytes."""

    PASS = "pass"
    DROP = "drop"  # taken and thrown away, both ways
    HALF_OPEN = "half-open"  # not even taken: the peer is gone and nobody says so
    REFUSE = "refuse"  # new connections are reset
    PORTAL = "portal"  # somebody else answers, in HTTP


@dataclass
class Weather:
    """How the network is. ``loss`` is the share of chunks that come late, as a lost segment does
    once it is sent again; ``reset_after`` is after how many bytes towards the broker the next
    connection is reset, in the middle of whatever is under way."""

    mode: Mode = Mode.PASS
    delay_seconds: float = 0.0
    loss: float = 0.0
    resend_seconds: float = 0.3
    reset_after: int | None = None


class Proxy:
    """Use as a context manager; ``port`` is where a box connects."""

    def __init__(self, target_port: int, seed: int = 20) -> None:
        self.connections = 0
        self._weather = Weather()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._target_port = target_port
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def weather(self) -> Weather:
        """How it is now."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        frozen = weather.mode is Mode.HALF_OPEN
        act = self._thawed.clear if frozen else self._thawed.set
        self._loop.call_soon_threadsafe(act)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(lambda: asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut()
        self._do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection that is open."""
        self._do(self._cut)

    def _do(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(10)

    async def _end(self) -> None:
        """Nothing is left for the collector to end, wherever the interpreter then is."""
        self._server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        mode = self.weather.mode
        if mode is Mode.REFUSE:
            _reset(writer)
            return
        if mode is Mode.PORTAL:
            await self._answer_as_portal(reader, writer)
            return
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _reset(writer)
            return
        self._open |= {writer, onward}
        limit, self.weather.reset_after = self.weather.reset_after, None
        try:
            async with asyncio.TaskGroup() as group:
                up = group.create_task(self._pump(reader, onward, limit))
                down = group.create_task(self._pump(there, writer, None))
                await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
                up.cancel()
                down.cancel()
        finally:
            for each in (writer, onward):
                _reset(each)
            self._open -= {writer, onward}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None
    ) -> None:
        """Bytes in order, as the weather lets them; ends with the connection, or at the limit."""
        passed = 0
        try:
            while True:
                chunk = await reader.read(_CHUNK_BYTES)
                await self._thawed.wait()
                if not chunk:
                    return
                await asyncio.sleep(self._late())
                if self.weather.mode is Mode.DROP:
                    continue
                if limit is not None and passed + len(chunk) >= limit:
                    writer.write(chunk[: limit - passed])
                    await writer.drain()
                    return
                passed += len(chunk)
                writer.write(chunk)
                await writer.drain()
        except OSError:
            return

    def _late(self) -> float:
        lost = self._chance.random() < self.weather.loss
        return self.weather.delay_seconds + (self.weather.resend_seconds if lost else 0.0)

    @staticmethod
    async def _answer_as_portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(_CHUNK_BYTES)
        page = (
            b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n"
        )
        writer.write(page)
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
