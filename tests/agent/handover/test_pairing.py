"""Pairing over real sockets and TLS: the network is shut until a window opens, and then opens for
those who know the code.
"""

import asyncio
import stat
from pathlib import Path

import aiohttp
import pytest

from agent.api.access import PAGE_HEADER
from agent.config import BoxFiles
from agent.handover import window
from agent.handover.door import Door
from agent.handover.window import MOST_WRONG, TRIES_A_MINUTE, WINDOW_SECONDS
from shared.errors import OneCodeError, Refused
from shared.reasons import Reason
from tests.agent.handover.network import (
    PairedBox,
    base_of,
    list_listening,
    opened,
    pair,
    workstation,
)
from tests.fakes import noon_clock, seconds

EVERYWHERE = "00000000"  # 0.0.0.0 in /proc/net/tcp


async def reason(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    return answer.status, (await answer.json())["reason"]


async def shut() -> None:
    """Return once this process listens on no network."""
    while EVERYWHERE in list_listening():
        await asyncio.wait([asyncio.create_task(asyncio.to_thread(list_listening))])


async def test_nothing_listens_until_a_window_opens(tmp_path: Path) -> None:
    """By the sockets themselves: none before, one while there is somebody to listen for, none
    after the last one was removed."""
    async with opened(tmp_path) as door:
        assert EVERYWHERE not in list_listening()
        view = await door.open_window()
        assert EVERYWHERE in list_listening()
        await pair(view)
        assert EVERYWHERE in list_listening()
        (one,) = door.list_workstations()
        assert one.name == "收费 1 号"
        await door.remove(one.id)
        await shut()


async def test_a_window_that_nobody_used_shuts_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself."""
    monkeypatch.setattr(window, "WINDOW_SECONDS", 0.2)
    async with opened(tmp_path) as door:
        await door.open_window()
        await shut()


async def test_strangers_hear_nothing(tmp_path: Path) -> None:
    """No page, no file, no data without a token; with a wrong one neither."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        for token in (None, "wrong", ""):
            async with workstation(view, token) as session:
                for path in ("/", "/page/counter.js", "/api/v1/state", "/api/v1/handover", "/x"):
                    answer = await session.get(path)
                    assert await reason(answer) == (403, "workstation-not-paired"), path


async def test_a_code_is_good_once(tmp_path: Path) -> None:
    """Used, it is void; and the window is closed with it."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        assert len(view.code) == 8
        await pair(view)
        async with workstation(view) as session:
            answer = await session.post("/api/v1/pair", json={"code": view.code, "name": "x"})
            assert await reason(answer) == (403, "pairing-closed")
        assert len(door.list_workstations()) == 1


async def test_a_code_ends_after_two_minutes(tmp_path: Path) -> None:
    """By the monotonic clock."""
    clock = noon_clock()
    async with opened(tmp_path, clock=clock) as door:
        view = await door.open_window()
        clock.advance(seconds(WINDOW_SECONDS))
        async with workstation(view) as session:
            answer = await session.post("/api/v1/pair", json={"code": view.code, "name": "x"})
            assert await reason(answer) == (403, "pairing-closed")


async def test_guessing_closes_the_window(tmp_path: Path) -> None:
    """The fifth wrong one: even the right code is refused then."""
    async with opened(tmp_path) as door:
        await pair(await door.open_window())  # so that the network stays open
        view = await door.open_window()
        wrong = f"{(int(view.code) + 1) % 10**8:08}"
        async with workstation(view) as session:
            for _ in range(MOST_WRONG - 1):
                answer = await session.post("/api/v1/pair", json={"code": wrong, "name": "x"})
                assert await reason(answer) == (403, "pairing-code-wrong")
            for _ in range(2):
                answer = await session.post("/api/v1/pair", json={"code": wrong, "name": "x"})
                assert answer.status in {403, 429}
            answer = await session.post("/api/v1/pair", json={"code": view.code, "name": "x"})
            assert await reason(answer) == (403, "pairing-closed")
        assert len(door.list_workstations()) == 1


def test_one_address_may_not_try_for_ever() -> None:
    """Windows that open again and again give one address no more tries; others pair."""
    clock = noon_clock()
    one = window.PairingWindow(clock)
    for _ in range(TRIES_A_MINUTE):
        one.open()
        with pytest.raises(Refused):
            one.use("wrong", "192.0.2.9")
    code = one.open()
    with pytest.raises(Refused) as caught:
        one.use(code, "192.0.2.9")
    assert caught.value.reason is Reason.TOO_MANY_REQUESTS
    one.use(code, "192.0.2.8")
    clock.advance(seconds(60))
    one.use(one.open(), "192.0.2.9")


async def test_a_pairing_survives_a_restart(tmp_path: Path) -> None:
    """The box comes back with its certificate and its workstations; tokens are kept as hashes."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        token = await pair(view)
    files = BoxFiles(tmp_path)
    for path in (files.workstations, files.lan_identity):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token not in files.workstations.read_text()
    async with opened(tmp_path) as door:
        again = await door.open_window()
        assert (again.fingerprint, len(door.list_workstations())) == (view.fingerprint, 1)
        async with workstation(again, token) as session:
            assert (await session.get("/api/v1/state")).status == 200


async def test_a_damaged_file_of_pairings_is_said_and_harms_no_counter(tmp_path: Path) -> None:
    """Whoever wants to pair hears why; nothing else ends."""
    files = BoxFiles(tmp_path)
    files.workstations.touch(mode=0o600)
    files.workstations.write_text("[{")
    async with opened(tmp_path) as door:
        with pytest.raises(OneCodeError, match="store-damaged"):
            await door.open_window()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8701"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_foreign_names_and_origins_are_refused(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    """A name that points here, or a page of elsewhere, even with a good token."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        token = await pair(view)
        async with workstation(view, token) as session:
            answer = await session.get("/api/v1/state", headers=headers)
            assert await reason(answer) == (403, "request-not-allowed")


async def test_a_browser_pairs_on_a_page(tmp_path: Path) -> None:
    """The form, its own origin, the cookie: then the counter page and its acts, never without the
    header that no foreign page can send."""
    box = PairedBox()
    async with opened(tmp_path, box) as door:
        view = await door.open_window()
        ours = {"Origin": base_of(view)}
        async with workstation(view) as session:
            assert "配对码" in await (await session.get("/pair")).text()
            assert (await session.get("/pair.css")).status == 200
            wrong = await session.post("/pair", data={"code": "1", "name": "护士站"}, headers=ours)
            assert (wrong.status, "配对码不对" in await wrong.text()) == (403, True)
            form = {"code": view.code, "name": "护士站"}
            done = await session.post("/pair", data=form, headers=ours, allow_redirects=False)
            assert (done.status, done.headers["Location"]) == (303, "/")
            (cookie,) = done.cookies.values()
            assert cookie.key.startswith("__Host-")
            assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (
                True,
                True,
                "Strict",
                "/",
            )
            assert "counter.js" in await (await session.get("/")).text()
            act = await session.post("/api/v1/verdicts/1/acknowledge")
            assert await reason(act) == (403, "request-not-allowed")
            page = {**ours, PAGE_HEADER: "1"}
            assert (await session.post("/api/v1/verdicts/1/acknowledge", headers=page)).ok
            assert box.acknowledged == ["1"]
            async with session.ws_connect("/api/v1/events", headers=ours) as socket:
                assert (await socket.receive_json())["kind"] == "state"


async def test_a_token_pairs_nobody(tmp_path: Path) -> None:
    """What a program has may be stolen: opening windows is for a person at a page."""
    async with opened(tmp_path) as door:
        view = await door.open_window()
        async with workstation(view, await pair(view)) as session:
            for answer in (
                await session.post("/api/v1/pairing"),
                await session.get("/api/v1/workstations"),
                await session.delete(f"/api/v1/workstations/{door.list_workstations()[0].id}"),
            ):
                assert await reason(answer) == (403, "request-not-allowed")
        assert len(door.list_workstations()) == 1


async def test_nobody_paired_loads_nothing(tmp_path: Path) -> None:
    """A door nobody has knocked at hands on to nobody, and has nobody to remove."""
    async with opened(tmp_path) as door:
        assert isinstance(door, Door)
        assert door.list_workstations() == ()
        with pytest.raises(Refused):
            await door.remove("0")
