"""A page left open through restarts of the agent, and clients that are slow: over real sockets."""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from random import Random

import aiohttp
import msgspec
import pytest

from agent.api import patience
from agent.api.patience import Patience
from agent.api.server import LocalAccess, serve_api
from agent.api.sessions import Sessions
from agent.counter.states import ScanState
from agent.counter.views import ScanView
from tests.agent.api.one_box import TOKEN, OneBox
from tests.fakes import noon_clock, seconds

RESTARTS = 200


async def test_a_page_outlives_two_hundred_restarts_and_takes_no_age_for_another() -> None:
    """Its session holds, each life has a boot of its own, and an age is the difference of two
    readings of one life's monotonic clock, wherever the wall clock has jumped to."""
    clock, random = noon_clock(), Random(7)
    cookies = {Sessions(TOKEN, clock).cookie: Sessions(TOKEN, clock).issue()}
    boots = set()
    async with asyncio.timeout(120), aiohttp.ClientSession() as session:
        for life in range(RESTARTS):
            box = OneBox()
            scanned_ms = clock.monotonic_ns() // 1_000_000
            clock.advance(seconds(random.randrange(10_000) / 1000))
            clock.set_wall(clock.now() + timedelta(hours=random.randrange(-3, 4)))
            async with serve_api(box, clock, LocalAccess(TOKEN)) as port:
                base = f"http://127.0.0.1:{port}"
                header = "; ".join(f"{name}={value}" for name, value in cookies.items())
                page = {"Origin": base, "Cookie": header}
                async with session.ws_connect(f"{base}/api/v1/events", headers=page) as socket:
                    state = await socket.receive_json()
                    assert state["kind"] == "state"
                    boots.add(state["boot"])
                    view = ScanView(f"{life}", "", ScanState.SHOWN, scanned_ms=scanned_ms)
                    box.scans.tell(view)
                    scan = await socket.receive_json()
            age = scan["now_ms"] - scan["scanned_ms"]
            assert age == clock.monotonic_ns() // 1_000_000 - scanned_ms
            assert (scan["boot"], scan["id"]) == (state["boot"], f"{life}")
            # The agent is gone: the page hears the end, and knows nothing until it hears again.
            assert socket.closed
    assert len(boots) == RESTARTS


async def test_a_stop_waits_for_no_page() -> None:
    """An open page, one that answers nothing, ends with the agent."""
    async with asyncio.timeout(20):
        async with serve_api(OneBox(), noon_clock(), LocalAccess(TOKEN)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
            )
            assert b"101" in await reader.readline()
        writer.close()


async def test_who_never_sends_a_whole_request_is_cut_off() -> None:
    """Silent from the start, or half a head: closed in a while; others are answered meanwhile."""
    async with (
        asyncio.timeout(20),
        serve_api(OneBox(), noon_clock(), LocalAccess(TOKEN), Patience(0.05)) as port,
    ):
        silent, _ = await asyncio.open_connection("127.0.0.1", port)
        slow, trickle = await asyncio.open_connection("127.0.0.1", port)
        trickle.write(b"GET /api/v1/state HTTP/1.1\r\nHost: local")
        good, asked = await asyncio.open_connection("127.0.0.1", port)
        asked.write(
            b"GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + TOKEN.encode()
            + b"\r\n\r\n"
        )
        assert b"200" in await good.readline()
        for cut in (silent, slow):
            with suppress(ConnectionResetError):
                assert await cut.read() == b""
        asked.write(b"GET /api/v1/account HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await good.readuntil(b"page-link-needed")
        assert msgspec.json.encode("site1/box7") in answer


async def test_a_crowd_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens connections without end gets a few; those inside are served on."""
    monkeypatch.setattr(patience, "MOST_CONNECTIONS", 3)
    ask = b"GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
    ask += TOKEN.encode() + b"\r\n\r\n"
    async with (
        asyncio.timeout(20),
        serve_api(OneBox(), noon_clock(), LocalAccess(TOKEN)) as port,
        AsyncExitStack() as stack,
    ):
        inside = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(ask)
            assert b"200" in await reader.readline()
            inside.append((reader, writer))
        for _ in range(50):
            late, knocking = await asyncio.open_connection("127.0.0.1", port)
            with suppress(ConnectionResetError):
                assert await late.read() == b""
            knocking.close()
        reader, writer = inside[0]
        writer.write(ask.replace(b"state", b"account"))
        await reader.readuntil(b"tombstoned")


async def test_a_body_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever promises a body and sends none holds a connection for a while only."""
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.05)
    async with (
        asyncio.timeout(20),
        serve_api(OneBox(), noon_clock(), LocalAccess(TOKEN)) as port,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /api/v1/scan HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n{"
        )
        assert b"422" in await reader.readline()
        assert b"request-malformed" in await reader.readuntil(b"}")
        writer.close()
