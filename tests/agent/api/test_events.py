"""Live pages over real sockets: what is pushed when, who is let in, who is cut off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from yarl import URL

from agent.api import events
from agent.counter.states import ScanState
from agent.counter.views import OperatorView, ScanView
from shared.messages import Verdict
from tests.agent.api.one_box import OneBox, serving
from tests.agent.api.test_pages import enter, give_ticket

PATIENCE_SECONDS = 20.0
Socket = aiohttp.ClientWebSocketResponse[bool]


@pytest.fixture(autouse=True)
async def patience() -> AsyncIterator[None]:
    """No test waits for ever."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield


async def hear(socket: Socket, kind: str) -> dict[str, Any]:
    """The next message of this kind; others are passed over."""
    while True:
        message: dict[str, Any] = msgspec.json.decode(await socket.receive_str())
        if message["kind"] == kind:
            return message


@asynccontextmanager
async def watching(box: OneBox) -> AsyncIterator[tuple[aiohttp.ClientSession, Socket]]:
    """A session and a page that has been told the state."""
    async with serving(box) as session, session.ws_connect("events") as socket:
        await hear(socket, "state")
        yield session, socket


def scan_view(number: int) -> ScanView:
    return ScanView(id=f"{number}", at="", state=ScanState.SHOWN, verdict=Verdict.ACCEPTED)


async def test_a_page_is_told_all_at_once_and_scans_as_they_come() -> None:
    """The state first; then each scan as it is shown, and a state with it in a moment."""
    box = OneBox()
    async with serving(box) as session, session.ws_connect("events") as socket:
        first = await socket.receive_json()
        assert (first["kind"], first["box"], first["now_ms"]) == ("state", "site1/box7", 0)
        box.scans.tell(scan_view(1))
        scan = await socket.receive_json()
        assert (scan["kind"], scan["verdict"], scan["boot"]) == ("scan", "accepted", first["boot"])
        assert (await socket.receive_json())["kind"] == "state"


async def test_many_changes_are_one_state() -> None:
    """Coalesced: a burst costs two readings of the state, not a hundred."""
    box = OneBox()
    async with watching(box) as (_, socket):
        read = box.states_read
        for number in range(100):
            box.scans.tell(scan_view(number))
        await hear(socket, "state")
        assert box.states_read == read + 1


async def test_operators_and_beats_reach_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that hears no beat says that it does not know."""
    monkeypatch.setattr(events, "BEAT_SECONDS", 0.01)
    box = OneBox()
    async with watching(box) as (_, socket):
        box.operator_views.tell(OperatorView(id="7", name="李护士"))
        assert (await hear(socket, "operator"))["id"] == "7"
        assert (await hear(socket, "beat"))["at"].startswith("2026-11-22T12:00")


async def test_another_life_of_the_agent_has_another_boot() -> None:
    """A page never takes an age of one life for one of another."""
    boots = set()
    for _ in range(3):
        async with serving(OneBox()) as session, session.ws_connect("events") as socket:
            boots.add((await hear(socket, "state"))["boot"])
    assert len(boots) == 3


@pytest.mark.parametrize(
    "origin", [None, "http://evil.example", "null", "https://127.0.0.1"], ids=str
)
async def test_a_foreign_page_hears_nothing(origin: str | None) -> None:
    """The browser would send the cookie; the origin gives the foreign page away."""
    headers = {} if origin is None else {"Origin": origin}
    async with serving(OneBox(), token=None) as session:
        await enter(session)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("events", headers=headers)
        assert refused.value.status == 403


async def test_our_own_page_hears() -> None:
    """With the session's cookie and our origin no token is needed; without the cookie it is."""
    async with serving(OneBox(), token=None) as session:
        ours = {"Origin": str(URL(await give_ticket(session)).origin())}
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect("events", headers=ours)
        await enter(session)
        async with session.ws_connect("events", headers=ours) as socket:
            await hear(socket, "state")


async def test_an_oversized_message_ends_its_own_page_only() -> None:
    """What a page says is ignored, and bounded."""
    box = OneBox()
    async with watching(box) as (session, socket):
        async with session.ws_connect("events") as hostile:
            await hear(hostile, "state")
            await hostile.send_str("A" * 100_000)
            message = await hostile.receive()
            assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        await socket.send_str("anything")
        box.scans.tell(scan_view(1))
        assert (await hear(socket, "scan"))["id"] == "1"


async def test_a_page_that_does_not_read_is_cut_off_and_others_are_not() -> None:
    """Its share of memory is bounded; it comes again and is told all."""
    box = OneBox()
    async with watching(box) as (session, socket):
        deaf = await session.ws_connect("events")
        await hear(deaf, "state")
        deaf._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        big = ScanView(id="big" * 10_000, at="", state=ScanState.SHOWN)
        for number in range(2 * events.MOST_WAITING):
            box.scans.tell(big)
            box.scans.tell(scan_view(number))
            while (await hear(socket, "scan"))["id"] != f"{number}":
                pass
        deaf._response.connection.transport.resume_reading()  # type: ignore[union-attr]
        while (await deaf.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert deaf.closed


async def test_pages_are_counted() -> None:
    """More than a counter can have are refused; one that goes makes room."""
    async with serving(OneBox()) as session:
        sockets = [await session.ws_connect("events") for _ in range(events.MOST_PAGES)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("events")
        assert refused.value.status == 429
        for socket in sockets:
            await socket.close()
        async with session.ws_connect("events") as socket:
            await hear(socket, "state")
