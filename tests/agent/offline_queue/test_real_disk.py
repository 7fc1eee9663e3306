"""Disks that really are full, read-only, out of files or failing: mounted for the test, as root.

Each is refused in words and got over without a restart (fault 4); the ledger verifies at the end.
"""

import asyncio
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.outbox import SqliteOutbox
from agent.offline_queue.reserve import RESERVE_BYTES
from shared.errors import OneCodeError, Unavailable
from shared.ledger import Lane
from shared.reasons import Reason
from tests.agent.offline_queue.box import opened, scan_draft

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")

_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN of linux/fs/ext4/ext4.h: what a controller that vanished leaves behind."""
_NO_FLUSH = 2


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


def _unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", place], check=True)


def _make_disk(image: Path) -> None:
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Where a disk is mounted; what the test has mounted there is unmounted."""
    place = tmp_path / "disk"
    place.mkdir()
    yield place
    while place.is_mount():
        _unmount(place)


def _fill(directory: Path) -> Path:
    """Everything but a page or two is somebody else's now."""
    ballast = directory / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(directory)
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
    return ballast


async def _commit_until_refused(outbox: SqliteOutbox, lane: Lane) -> OneCodeError:
    while True:
        try:
            await asyncio.gather(*(outbox.commit(scan_draft(lane=lane)) for _ in range(50)))
        except OneCodeError as error:
            return error


def _keeps(outbox: SqliteOutbox) -> bool:
    return outbox.fill.keeps


async def test_a_full_disk(disk: Path) -> None:
    """The reserve keeps the patient at the counter going; use records stop before the last of it,
    identity records go on; the counter is told; with room again all is as before."""
    _mount("-t", "tmpfs", "-o", f"size={20 * RESERVE_BYTES}", "none", disk)
    path = disk / "queue.db"
    async with opened(path) as outbox:
        await outbox.commit(scan_draft())
        assert _keeps(outbox)
        ballast = _fill(disk)
        refused = await _commit_until_refused(outbox, Lane.USE)
        assert isinstance(refused, Unavailable)
        assert refused.reason is Reason.STORE_FULL
        assert not _keeps(outbox)
        for _ in range(20):
            await outbox.commit(scan_draft(lane=Lane.IDENTITY))
        assert outbox.fill.reason is Reason.STORE_RESERVE
        assert not _keeps(outbox)
        assert (await _commit_until_refused(outbox, Lane.IDENTITY)).reason is Reason.STORE_FULL
        before = await outbox.read_account()
        ballast.unlink()
        await outbox.commit(scan_draft())
        assert (await outbox.read_account()).created == before.created + 1
        await _until_whole(outbox)
    assert verify_queue(path).holds


async def _until_whole(outbox: SqliteOutbox) -> None:
    """Until the reserve has been filled again, by commits alone."""
    async with asyncio.timeout(60):
        while not outbox.fill.keeps:
            await asyncio.gather(*(outbox.commit(scan_draft()) for _ in range(2)))


async def test_a_disk_without_a_file_left(disk: Path) -> None:
    """SQLite cannot make its log: the reason says full, and the box starts once there is one."""
    _mount("-t", "tmpfs", "-o", "size=64m,nr_inodes=4", "none", disk)
    (disk / "a").touch()
    (disk / "b").touch()
    async with opened(disk / "queue.db") as outbox:
        with pytest.raises(Unavailable, match=Reason.STORE_FULL):
            await outbox.commit(scan_draft())
        (disk / "a").unlink()
        (disk / "b").unlink()
        _mount("-o", "remount,nr_inodes=100", disk)
        await _until_kept(outbox)
    assert verify_queue(disk / "queue.db").holds


async def _until_kept(outbox: SqliteOutbox) -> None:
    """Until a record is kept again; tried as a counter would, one after the other."""
    async with asyncio.timeout(60):
        while True:
            try:
                await outbox.commit(scan_draft())
            except Unavailable:
                await outbox.wait_moving()
            else:
                return


async def test_a_disk_that_is_read_only_at_the_start(disk: Path) -> None:
    """The box starts, says why nothing is kept, and keeps as soon as it can: no restart."""
    _mount("-t", "tmpfs", "-o", "size=64m", "none", disk)
    async with opened(disk / "queue.db") as outbox:
        await outbox.commit(scan_draft())
    _mount("-o", "remount,ro", disk)
    async with opened(disk / "queue.db") as outbox:
        with pytest.raises(Unavailable, match=Reason.STORE_READ_ONLY):
            await outbox.commit(scan_draft())
        assert outbox.fill.reason is Reason.STORE_READ_ONLY
        _mount("-o", "remount,rw", disk)
        await _until_kept(outbox)
        assert (await outbox.read_account()).created == 2
    assert verify_queue(disk / "queue.db").holds


async def test_a_disk_that_fails_under_the_writer(disk: Path, tmp_path: Path) -> None:
    """EIO from one moment on: refused; the disk mounted anew, the box goes on by itself, with all
    that it ever said was kept."""
    image = tmp_path / "image"
    _make_disk(image)
    _mount("-o", "loop", image, disk)
    path = disk / "queue.db"
    async with opened(path) as outbox:
        kept = [await outbox.commit(scan_draft()) for _ in range(30)]
        directory = os.open(disk, os.O_RDONLY)
        fcntl.ioctl(directory, _SHUTDOWN, struct.pack("I", _NO_FLUSH))
        os.close(directory)
        with pytest.raises(Unavailable) as refused:
            await outbox.commit(scan_draft())
        assert refused.value.reason in {Reason.STORE_FAILING, Reason.STORE_READ_ONLY}
        assert not _keeps(outbox)
        _unmount(disk)
        _mount("-o", "loop", image, disk)
        await _until_kept(outbox)
        pending = await outbox.read_pending(100)
        assert pending is not None
        assert list(pending.rows[:30]) == kept
        assert outbox.fill.reason is None
    assert verify_queue(path).holds
