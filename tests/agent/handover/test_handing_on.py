"""What paired workstations are given, and that nothing of a foreign text stays in the box."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.box import RunningBox
from agent.config import BoxFiles, LanConfig
from agent.counter.states import ScanState
from agent.counter.views import ScanView
from agent.handover import mailbox, routes
from agent.handover.door import Door
from agent.handover.mailbox import Post
from agent.ports import FrameScanned
from agent.transport.box_keys import BoxKeys
from agent.transport.uplink import CentralUplink
from shared.clock import SystemClock
from shared.crypto import STD
from shared.messages import Verdict
from tests.agent.counter.desk import Desk
from tests.agent.handover.network import PairedBox, opened, pair, workstation
from tests.agent.offline_queue.box import opened as opened_queue
from tests.agent.transport.peer import BOX, PAIR_KEY, Peer
from tests.factories import STATIC_TEXT
from tests.fakes import noon_clock, seconds

FOREIGN = "81234567890123456 支付-Pay"


async def hear(socket: "aiohttp.ClientWebSocketResponse[bool]", kind: str) -> dict[str, Any]:
    """The next message of this kind; others are passed over."""
    while True:
        message: dict[str, Any] = await socket.receive_json()
        if message["kind"] == kind:
            return message


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[RunningBox]:
    """A box at work with a real queue and a real door, its line down."""
    desk = Desk()
    desk.uplink.up = False
    door = Door(LanConfig(port=0), BoxFiles(tmp_path), SystemClock())
    desk.counter._hand_over = door
    async with opened_queue(tmp_path / "queue.db") as outbox, asyncio.timeout(30):
        keys = BoxKeys(BOX, PAIR_KEY, STD.new_signing_key(), 1)
        desk.counter._outbox = outbox
        running = RunningBox(
            box=BOX,
            policy=desk.policy,
            operators=desk.operators,
            clock=desk.clock,
            counter=desk.counter,
            issuing=desk.issuing,
            printing=desk.printing,
            display=desk.display,
            outbox=outbox,
            uplink=CentralUplink(keys, outbox, desk.clock, Peer().open_connection),
            scanner=None,
            printer=None,
            door=door,
        )
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(door.run(running))
            yield running
            serving.cancel()


def read_files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def frame(text: str) -> FrameScanned:
    return FrameScanned(text.encode(), SystemClock().now())


async def test_a_foreign_text_goes_on_and_nothing_of_it_stays(
    box: RunningBox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Exact text to the workstation; no record, no sequence, nothing in any file, log or view."""
    caplog.set_level("DEBUG")
    assert box.door is not None
    before = await box.read_account()
    view = await box.door.open_window()
    async with (
        workstation(view, await pair(view)) as session,
        session.ws_connect("/api/v1/handover") as socket,
    ):
        await hear(socket, "beat")
        shown = await box.scan(frame(FOREIGN))
        message = await hear(socket, "handed-on")
        assert (message["text"], message["id"]) == (FOREIGN, shown.id)
        assert (shown.state, shown.handed_to) == (ScanState.HANDED_ON, 1)
        assert (await box.read_state()).workstations == 1
        assert (await (await session.get("/api/v1/handover/last")).json())["scan"] is None
        state = await (await session.get("/api/v1/state")).text()
    assert await box.read_account() == before
    raw = FOREIGN.encode()
    forms = {raw, raw[:17], raw.hex().encode(), base64.b64encode(raw), binascii.hexlify(raw[:17])}
    kept = read_files(tmp_path)
    assert kept
    for form in forms:
        assert not any(form in each for each in kept)
        assert form not in caplog.text.encode()
        assert form not in state.encode()


async def test_handed_on_to_nobody_is_said(box: RunningBox) -> None:
    """Nobody paired, or paired and not listening: then nothing waits for whoever comes later."""
    assert (await box.scan(frame(FOREIGN))).handed_to == 0
    assert box.door is not None
    view = await box.door.open_window()
    token = await pair(view)
    assert (await box.scan(frame(FOREIGN))).handed_to == 0
    async with (
        workstation(view, token) as session,
        session.ws_connect("/api/v1/handover") as socket,
    ):
        await hear(socket, "beat")
        await box.scan(frame("later"))
        assert (await hear(socket, "handed-on"))["text"] == "later"


async def test_a_scan_is_told_with_its_verdict(box: RunningBox) -> None:
    """As pages are told, and asked for afterwards."""
    assert box.door is not None
    view = await box.door.open_window()
    async with (
        workstation(view, await pair(view)) as session,
        session.ws_connect("/api/v1/handover") as socket,
    ):
        await hear(socket, "beat")
        scanned = await box.scan(frame(STATIC_TEXT))
        while (message := await hear(socket, "scan"))["state"] != "shown":
            pass
        assert (message["id"], message["verdict"]) == (scanned.id, "provisional")
        last = await (await session.get("/api/v1/handover/last")).json()
        assert last["scan"]["id"] == scanned.id


async def test_results_by_asking(tmp_path: Path) -> None:
    """A cursor acknowledges; what was not acknowledged is told again; a cursor of another life of
    the box is no cursor."""
    box = PairedBox()
    async with opened(tmp_path, box) as door:
        view = await door.open_window()
        async with workstation(view, await pair(view)) as session:

            async def ask(after: str, wait: int = 0) -> dict[str, Any]:
                query = {"after": after, "wait_seconds": str(wait)}
                answer = await session.get("/api/v1/handover/results", params=query)
                found: dict[str, Any] = await answer.json()
                return found

            start = await ask("another-life.77")
            assert start["messages"] == []
            waiting = asyncio.create_task(ask(start["next"], 20))
            while not (await session.get("/api/v1/account")).ok:
                pass
            box.scans.tell(ScanView(id="1", at="", state=ScanState.SHOWN, verdict=Verdict.REFUSED))
            first = await waiting
            assert [message["id"] for message in first["messages"]] == ["1"]
            assert (await ask(start["next"]))["messages"] == first["messages"]
            assert (await ask(first["next"]))["messages"] == []
            bad = await session.get("/api/v1/handover/results", params={"wait_seconds": "-1"})
            assert bad.status == 422


async def test_a_removed_workstation_is_cut_and_others_are_not(tmp_path: Path) -> None:
    """Its open socket ends at once, and its token opens nothing any more."""
    box = PairedBox()
    async with opened(tmp_path, box) as door:
        tokens = []
        for name in ("one", "two"):
            view = await door.open_window()
            tokens.append(await pair(view, name))
        async with (
            workstation(view, tokens[0]) as gone,
            workstation(view, tokens[1]) as kept,
            gone.ws_connect("/api/v1/handover") as gone_socket,
            gone.ws_connect("/api/v1/events") as gone_page,
            kept.ws_connect("/api/v1/handover") as kept_socket,
        ):
            await hear(gone_socket, "beat")
            await hear(gone_page, "state")
            await hear(kept_socket, "beat")
            await door.remove(next(each.id for each in door.list_workstations()))
            for socket in (gone_socket, gone_page):
                while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
                assert socket.closed
            answer = await gone.get("/api/v1/state")
            assert (answer.status, (await answer.json())["reason"]) == (
                403,
                "workstation-not-paired",
            )
            box.scans.tell(ScanView(id="2", at="", state=ScanState.SHOWN))
            assert (await hear(kept_socket, "scan"))["id"] == "2"


async def test_letters_are_few_and_young() -> None:
    """Bounded by number and by ten seconds, whoever does not fetch them."""
    clock = noon_clock()
    post = Post(clock)
    asked = post.asking("w1")
    for number in range(2 * mailbox.MOST_WAITING):
        assert post.tell(b"%d" % number) == 1
    assert len(await asked.take(0, 0.01)) == mailbox.MOST_WAITING
    clock.advance(seconds(mailbox.KEEP_SECONDS))
    assert await asked.take(0, 0.01) == []
    clock.advance(seconds(mailbox.KEEP_SECONDS))
    assert post.tell(b"to nobody") == 0


async def test_beats_say_that_the_line_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while nothing is scanned."""
    monkeypatch.setattr(routes, "BEAT_SECONDS", 0.01)
    async with opened(tmp_path) as door:
        view = await door.open_window()
        async with (
            workstation(view, await pair(view)) as session,
            session.ws_connect("/api/v1/handover") as socket,
        ):
            boots = {(await hear(socket, "beat"))["boot"] for _ in range(3)}
            assert len(boots) == 1
