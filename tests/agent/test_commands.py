"""``onecode-agent`` as a technician runs it: what cannot be is said in words, with an exit code."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from agent.api.access import open_token
from agent.api.server import LocalAccess, serve_api
from agent.config import BoxFiles, read_box_config
from agent.counter.states import ScanState
from agent.counter.views import LabelView, ScanView
from agent.handover.certificate import load_identity
from agent.ports import FrameScanned
from shared.clock import SystemClock
from shared.config import write_secret
from shared.crypto import STD
from shared.devices import PrintState
from shared.errors import Malformed
from shared.exits import Exit
from shared.reasons import Reason
from tests.agent.api.one_box import OneBox

PATIENCE_SECONDS = 30


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port of loopback on which somebody listens who is not the box."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def directory(tmp_path: Path, busy_port: int) -> Path:
    """A box without devices, whose broker is away."""
    (tmp_path / "box.toml").write_text(
        f"""
        box = "site1/box1"
        counter = "1"
        site_name = "示范医院"
        central_public = "{STD.new_recipient_key().public_bytes.hex()}"
        api_port = {busy_port}
        [broker]
        host = "127.0.0.1"
        port = 1
        [code_keys]
        7 = "{STD.new_signing_key().public_bytes.hex()}"
        """
    )
    for name in ("pair.key", "signing.key"):
        write_secret(tmp_path / name, os.urandom(32))
    # Nobody is there to whom it could prove itself: any certificate does.
    load_identity(tmp_path / "box.pem", ["box"], SystemClock().now())
    return tmp_path


def run(directory: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "agent", "--dir", directory, *arguments],
        input=given,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_a_busy_port_is_said_in_words(directory: Path) -> None:
    """It comes out of the box's task group: no traceback, the reason and the cure."""
    done = run(directory, "run")
    assert b"port-busy" in done.stderr
    assert "换一个端口".encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.returncode == Exit.UNAVAILABLE


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ('central_public = "', 'central_public = "zz', "central_public"),
        ('7 = "', 'seven = "', "code_keys"),
        ('7 = "', '7 = "00', "code_keys"),
        ("port = 1\n", "port = 70000\n", "broker.port"),
        ("counter =", "epoch = -1\ncounter =", "epoch"),
        ("counter =", "ask_deadline_ms = 0\ncounter =", "ask_deadline_ms"),
    ],
)
def test_a_mistyped_configuration_names_its_place(
    directory: Path, right: str, wrong: str, place: str
) -> None:
    """A key or a number that cannot be one is found before anything runs, not by a crash."""
    files = BoxFiles(directory)
    text = files.config.read_text(encoding="utf-8")
    assert right in text
    files.config.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(Malformed) as refusal:
        read_box_config(files)
    assert refusal.value.reason is Reason.CONFIG_MALFORMED
    assert place in refusal.value.detail


def test_a_scan_that_is_no_text_is_refused(directory: Path) -> None:
    """Bytes that are no UTF-8 on standard input: the reason, not a traceback."""
    done = run(directory, "scan", given=b"\xff\xfe\x00")
    assert b"code-not-text" in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.returncode == Exit.CHECK_FAILED


class FullBox(OneBox):
    """A box whose disk keeps nothing."""

    async def scan(self, frame: FrameScanned) -> ScanView:
        return ScanView(id="1", at="", state=ScanState.UNSAVED)


@pytest.mark.parametrize(("box", "code"), [(OneBox(), Exit.HELD), (FullBox(), Exit.UNAVAILABLE)])
async def test_a_scan_that_was_not_kept_is_no_success(
    directory: Path, busy_port: int, box: OneBox, code: Exit
) -> None:
    """A script must hear that there is no record."""
    token = open_token(BoxFiles(directory).api_token).text
    async with serve_api(box, SystemClock(), LocalAccess(token)) as port:
        text = BoxFiles(directory).config.read_text(encoding="utf-8")
        moved = text.replace(f"api_port = {busy_port}", f"api_port = {port}")
        BoxFiles(directory).config.write_text(moved, encoding="utf-8")
        done = await asyncio.to_thread(run, directory, "scan", given=b"x\n")
    assert done.returncode == code


class AskingBox(OneBox):
    """Two labels of one number; the earlier one is asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[str, bool]] = []

    def labels(self) -> list[LabelView]:
        sent = LabelView(
            "2", PrintState.SENT, number="0519", name="张*三", at="2026-11-22T12:00:00Z"
        )
        unknown = msgspec.structs.replace(
            sent, id="1", state=PrintState.UNKNOWN, needs_answer=True, copy=2
        )
        return [sent, unknown]

    async def answer_label(self, label_id: str, out: bool) -> LabelView:
        self.answers.append((label_id, out))
        return await super().answer_label(label_id, out)


async def test_labels_are_listed_and_answered_by_their_number(
    directory: Path, busy_port: int
) -> None:
    """The one that is asked about is meant; a number of no label of today is refused."""
    token, box = open_token(BoxFiles(directory).api_token).text, AskingBox()
    async with serve_api(box, SystemClock(), LocalAccess(token)) as port:
        text = BoxFiles(directory).config.read_text(encoding="utf-8")
        moved = text.replace(f"api_port = {busy_port}", f"api_port = {port}")
        BoxFiles(directory).config.write_text(moved, encoding="utf-8")
        listed = await asyncio.to_thread(run, directory, "labels")
        answered = await asyncio.to_thread(run, directory, "labels", "answer", "0519", "yes")
        refused = await asyncio.to_thread(run, directory, "labels", "answer", "0520", "no")
    first, second = listed.stdout.decode().splitlines()
    assert first.startswith("0519  sent ")
    assert second.startswith("0519  unknown ")
    assert second.endswith("copy 2")
    assert box.answers == [("1", True)]
    assert (answered.returncode, refused.returncode) == (Exit.HELD, Exit.CHECK_FAILED)


async def test_a_link_opens_the_page_once(directory: Path, busy_port: int) -> None:
    """What ``page`` prints is let in by the box that it asked; a second time it is not."""
    token = open_token(BoxFiles(directory).api_token).text
    async with serve_api(OneBox(), SystemClock(), LocalAccess(token)) as port:
        text = BoxFiles(directory).config.read_text(encoding="utf-8")
        moved = text.replace(f"api_port = {busy_port}", f"api_port = {port}")
        BoxFiles(directory).config.write_text(moved, encoding="utf-8")
        done = await asyncio.to_thread(run, directory, "page")
        link = done.stdout.decode().strip()
        assert link.startswith(f"http://127.0.0.1:{port}/enter?ticket=")
        async with aiohttp.ClientSession() as session:
            for status in (303, 403):
                async with session.get(link, allow_redirects=False) as answer:
                    assert answer.status == status
