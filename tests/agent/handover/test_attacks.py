"""What a hostile machine of the network tries against an open listener: each is refused, and the
workstation beside it goes on.
"""

import asyncio
import json
import ssl
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from agent.api import patience
from agent.api.access import PAGE_HEADER
from agent.api.views import PairingView
from agent.counter.operators import Operators
from agent.counter.policy import FixedPolicy
from agent.handover import desk
from agent.handover.workstations import MOST_WORKSTATIONS
from shared.errors import Refused
from shared.passwords import verify_password
from shared.reasons import Reason
from tests.agent.handover.network import PairedBox, base_of, opened, pair, workstation
from tests.fakes import noon_clock


async def enter(session: aiohttp.ClientSession, view: PairingView) -> dict[str, str]:
    """Pair as a browser; the headers its page sends."""
    ours = {"Origin": base_of(view)}
    form = {"code": view.code, "name": "护士站"}
    answer = await session.post("/pair", data=form, headers=ours, allow_redirects=False)
    assert answer.status == 303
    return {**ours, PAGE_HEADER: "1"}


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1"])
async def test_a_foreign_page_hears_nothing_through_a_paired_browser(
    tmp_path: Path, origin: str | None
) -> None:
    """The browser would send the cookie with a WebSocket; the origin gives the page away."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        async with workstation(view) as session:
            await enter(session, view)
            headers = {} if origin is None else {"Origin": origin}
            for path in ("/api/v1/events", "/api/v1/handover"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                    await session.ws_connect(path, headers=headers)
                assert caught.value.status == 403


async def test_a_form_of_a_foreign_page_pairs_nobody(tmp_path: Path) -> None:
    """It comes with its own origin, whatever it knows."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        async with workstation(view) as session:
            form = {"code": view.code, "name": "x"}
            headers = {"Origin": "https://evil.example"}
            assert (await session.post("/pair", data=form, headers=headers)).status == 403
        assert list(door.list_workstations()) == []


async def test_bodies_and_headers_are_bounded(tmp_path: Path) -> None:
    """Megabytes are refused; the window is as open as before."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        async with workstation(view) as session:
            big = json.dumps({"code": view.code, "name": "x" * 1_000_000})
            assert (await session.post("/api/v1/pair", data=big)).status == 413
            answer = await session.post("/api/v1/pair", data=b"\xff{")
            assert answer.status == 422
            long = await session.get("/pair", headers={"X-Long": "x" * 20_000})
            assert long.status == 400
        await pair(view, "名" * 500 + "\x07\u202e")
        (one,) = door.list_workstations()
        assert one.name == "名" * 40


async def test_who_says_nothing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that trickles its headers, and one that does not even shake hands."""
    monkeypatch.setattr(desk, "Patience", lambda: patience.Patience(0.05))
    async with opened(tmp_path) as door:
        view = await door.open_window()
        trust_all = ssl.create_default_context()
        trust_all.check_hostname = False
        trust_all.verify_mode = ssl.CERT_NONE
        port = URL(view.address).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust_all)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        assert await reader.read() == b""
        writer.close()
        plain_reader, plain = await asyncio.open_connection("127.0.0.1", port)
        plain.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await plain_reader.read() == b""
        plain.close()
        assert len(await pair(view)) > 40


async def test_where_people_sign_in_nobody_pairs_without(tmp_path: Path) -> None:
    """At a page; a technician's command line has the box's own token."""
    box = PairedBox()
    async with opened(tmp_path, box) as door:
        view = await door.open_window()
        async with workstation(view) as session:
            page = await enter(session, view)
            policy = FixedPolicy("window 3", "", operators_required=True)
            box.operators = Operators(policy, noon_clock(), verify_password)
            assert (await session.get("/api/v1/workstations", headers=page)).status == 200
    async with opened(tmp_path, box) as door:
        view = await door.open_window()
        async with workstation(view) as session:
            page = await enter(session, view)
            answer = await session.post("/api/v1/pairing", headers=page)
            assert (answer.status, (await answer.json())["reason"]) == (403, "operator-needed")
            one = door.list_workstations()[0]
            answer = await session.delete(f"/api/v1/workstations/{one.id}", headers=page)
            assert answer.status == 403
        assert len(door.list_workstations()) == 2


async def test_workstations_are_counted(tmp_path: Path) -> None:
    """More than a counter has are refused before a code is given out."""
    async with opened(tmp_path) as door:
        for number in range(MOST_WORKSTATIONS):
            view = await door.open_window()
            assert door._desk is not None
            await door._desk.pair(view.code, f"{number}", f"192.0.2.{number}")
        with pytest.raises(Refused) as caught:
            await door.open_window()
        assert caught.value.reason is Reason.WORKSTATIONS_FULL
