"""An API answer on the short road: its head and body leave in one write.

The HTTP library builds a head anew from a dictionary for each answer, which costs more than what
it says (measured: docs/adr/0009). What never changes in ours is made once.
"""

import time
from email.utils import formatdate

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

from central.web.security import build_api_headers


def _build_head() -> bytes:
    lines = [f"{name}: {value}" for name, value in build_api_headers().items()]
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, "Content-Type: application/json", "")).encode()


_HEAD = _build_head()


class Today:
    """The Date header's value, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def text(self) -> str:
        """RFC 9110 §5.6.7."""
        second = int(time.time())
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True)
        return self._text


class Answer(web.StreamResponse):
    """200 with JSON and its tag, to a request of HTTP/1.1; ``request_id`` is the guard's."""

    def __init__(self, body: bytes, tag: str, date: str) -> None:
        super().__init__()
        self._answer = body
        self._tag = tag
        self._date = date
        self.request_id = ""

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write it, and wait where whoever asked does not read."""
        if self._keep_alive is not None:
            return None  # written
        self._keep_alive = request.keep_alive
        end = "" if self._keep_alive else "Connection: close\r\n"
        rest = (
            f"ETag: {self._tag}\r\nX-Request-Id: {self.request_id}\r\nDate: {self._date}\r\n"
            f"Content-Length: {len(self._answer)}\r\n{end}\r\n"
        )
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        transport.write(_HEAD + rest.encode() + self._answer)
        await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """All is written."""
