"""A disk in trouble under a box at work, and at its very first start (fault 4): mounted for the
test, as root.

The patient at the counter is finished from the reserve, new work is refused in words, and with room
again all goes on without a restart; everything that was shown as kept arrives.
"""

import http.client
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.__main__ import main as agent_command
from demo.residents import MOTHER
from demo.supervisor import wait_until
from shared.exits import Exit
from shared.ids import BoxId
from shared.reasons import Reason
from tests.factories import other_static_text
from tests.faults.second_box import SecondBox
from tests.faults.world import SETTLE_SECONDS, World

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")

_SIZE_MEBIBYTES = 96


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose box has a small disk of its own."""
    directory: Path = tmp_path_factory.mktemp("world")
    disk = directory / "box"
    disk.mkdir()
    size = f"size={_SIZE_MEBIBYTES}m"
    _mount("-t", "tmpfs", "-o", size, "none", disk)
    try:
        with World(directory) as world:
            yield world
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def _fill(disk: Path) -> Path:
    """Everything but a page or two is somebody else's now."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
    return ballast


def test_fault_04_the_disk_is_full(world: World) -> None:
    """Scans go on from the reserve and say nothing false; nobody new is registered; with room
    again the reserve is filled and all is as before."""
    world.scan(world.issue_code())
    ballast = _fill(world.box_directory)
    shown: set[bytes] = set()
    for number in range(4000):  # the queue's log has room of its own first
        view = world.scan(other_static_text(number))
        if view["state"] == "unsaved":
            break
        shown.add(bytes.fromhex(view["id"]))
        if world.api.fetch("state")["unsent"]["advice"]:
            break
    assert world.api.fetch("state")["unsent"]["advice"]["reason"] == "store-reserve"
    refused = world.issue(MOTHER.number, MOTHER.name)
    assert refused["reason"] == "store-reserve"
    view = world.scan(world.issue_code())
    assert view["state"] == "shown"
    shown.add(bytes.fromhex(view["id"]))
    ballast.unlink()
    world.wait_room()
    assert world.issue(MOTHER.number, MOTHER.name)["outcome"] == "new"
    world.prove()
    assert shown <= world.record_ids()


def _trouble(disk: Path, what: str) -> Callable[[], object]:
    """Put a disk in trouble; what ends it."""
    if what == "full":
        return _fill(disk).unlink
    if what == "files":
        room = os.statvfs(disk)
        _mount("-o", f"remount,nr_inodes={room.f_files - room.f_ffree}", disk)
        return lambda: _mount("-o", "remount,nr_inodes=1000", disk)
    _mount("-o", "remount,ro", disk)
    return lambda: _mount("-o", "remount,rw", disk)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that a test may spoil."""
    disk = tmp_path / "disk"
    disk.mkdir()
    _mount("-t", "tmpfs", "-o", "size=32m", "none", disk)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def _ask_as_a_page(port: int) -> tuple[int, str] | None:
    """Status and reason of what a page is told that has no session; None while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request("GET", "/api/v1/state")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["reason"]
    except OSError:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("full", Reason.STORE_FULL),
        ("files", Reason.STORE_FULL),
        ("read-only", Reason.STORE_READ_ONLY),
    ],
)
def test_fault_04_at_the_very_first_start(
    world: World, small_disk: Path, capsys: pytest.CaptureFixture[str], what: str, reason: Reason
) -> None:
    """Not even the API's token can be written: the box stays up, page, ``check`` and every command
    say why, and it goes on by itself with the same process."""
    box = SecondBox(world, BoxId("site1", what), small_disk, starts=False)
    end_trouble = _trouble(small_disk, what)
    box.launch()
    pid = world.supervisor.pid(box.id.box)
    told = wait_until(lambda: _ask_as_a_page(box.api.port), SETTLE_SECONDS, "the box answers")
    assert told == (503, reason)
    command = ["--dir", str(small_disk)]
    assert agent_command([*command, "check"]) == Exit.CHECK_FAILED
    assert reason.words.zh in (said := capsys.readouterr().out)
    assert reason.words.next_en in said
    assert agent_command([*command, "page"]) == Exit.UNAVAILABLE
    assert not (small_disk / "api.token").exists()
    end_trouble()
    world.supervisor.wait_ready(box.id.box, box.api.is_ready)
    box.wait_link("up")
    kept = wait_until(
        lambda: view if (view := box.scan(world.static_code()))["state"] == "shown" else None,
        SETTLE_SECONDS,
        "a scan is kept",
    )
    assert kept["verdict"] == "accepted"
    assert world.supervisor.pid(box.id.box) == pid
    assert box.prove() == 1
    box.stop()
