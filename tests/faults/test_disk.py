"""A full disk under a box at work (fault 4): mounted for the test, as root.

The patient at the counter is finished from the reserve, new work is refused in words, and with room
again all goes on without a restart; everything that was shown as kept arrives.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.residents import MOTHER
from tests.factories import other_static_text
from tests.faults.world import World

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")

_SIZE_MEBIBYTES = 96


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose box has a small disk of its own."""
    directory: Path = tmp_path_factory.mktemp("world")
    disk = directory / "box"
    disk.mkdir()
    size = f"size={_SIZE_MEBIBYTES}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", disk], check=True)
    try:
        with World(directory) as world:
            yield world
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_fault_04_the_disk_is_full(world: World) -> None:
    """Scans go on from the reserve and say nothing false; nobody new is registered; with room
    again the reserve is filled and all is as before."""
    world.scan(world.issue_code())
    ballast = world.box_directory / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(world.box_directory)
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
    shown: set[bytes] = set()
    for number in range(400):
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
