"""A disk that fails: whoever waits hears it, nothing lives in memory, and the queue recovers."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.offline_queue import database
from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.pages import PAGE_BYTES, PageFile
from agent.offline_queue.quarantine import Quarantine
from shared.errors import Damaged, Unavailable
from shared.ledger import Account
from shared.reasons import Reason
from tests.agent.offline_queue.box import opened, scan_draft, tampering


async def test_a_full_disk_is_heard_by_everyone_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLITE_FULL fails the whole group; what was committed before stays; no sequence is lost."""
    monkeypatch.setitem(database._PRAGMAS, "max_page_count", 24)
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        (row, *_) = await asyncio.gather(*(outbox.commit(scan_draft()) for _ in range(10)))
        results = await asyncio.gather(
            *(outbox.commit(scan_draft(consumed=b"t" * 32)) for _ in range(200)),
            return_exceptions=True,
        )
        reasons = {error.reason for error in results if isinstance(error, Unavailable)}
        assert reasons == {Reason.STORE_FULL}
        assert len(results) == sum(isinstance(error, Unavailable) for error in results)
        assert await outbox.read_account() == Account(10, 0, 10, 0)
        assert await outbox.find_consumption(b"t" * 32) is None
        pending = await outbox.read_pending(1)
        assert pending is not None
        assert pending.rows == (row,)
        assert (await outbox.commit(scan_draft())).seq == 11
    assert verify_queue(path).holds
    monkeypatch.delitem(database._PRAGMAS, "max_page_count")
    async with opened(path) as outbox:
        rows = await asyncio.gather(*(outbox.commit(scan_draft()) for _ in range(200)))
        assert [row.seq for row in rows] == list(range(12, 212))
    assert verify_queue(path).holds


@contextmanager
def _files_end_at(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes: write() fails with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _end_of_log(path: Path) -> int:
    """Where the next frame goes: the file of the log is longer, with room for what comes."""
    with PageFile(path) as pages:
        return pages.frames[-1].offset + PAGE_BYTES


async def test_the_writer_goes_on_after_a_failed_write(tmp_path: Path) -> None:
    """A write that the system refuses is Unavailable; the next commit follows the last durable."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        await outbox.commit(scan_draft())
        with _files_end_at(_end_of_log(path) + 5000):
            lost = await asyncio.gather(
                *(outbox.commit(scan_draft()) for _ in range(50)), return_exceptions=True
            )
        assert all(isinstance(error, Unavailable) for error in lost)
        assert await outbox.read_account() == Account(1, 0, 1, 0)
        assert (await outbox.commit(scan_draft())).seq == 2
    report = verify_queue(path)
    assert report.holds
    assert report.account == Account(2, 0, 2, 0)


async def test_who_reads_beside_a_failed_write_hears_of_the_disk(tmp_path: Path) -> None:
    """The failed write closes the file: a read of the same group is Unavailable too, no bug."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        await outbox.commit(scan_draft())
        with _files_end_at(_end_of_log(path) + 5000):
            commits = (outbox.commit(scan_draft()) for _ in range(50))
            told = await asyncio.gather(*commits, outbox.read_pending(1), return_exceptions=True)
        assert {type(error) for error in told} == {Unavailable}
        assert (await outbox.commit(scan_draft())).seq == 2
        pending = await outbox.read_pending(5)
        assert pending is not None
        assert [row.seq for row in pending.rows] == [1, 2]
    assert verify_queue(path).holds


async def test_a_damaged_page_is_named_and_nothing_is_deleted(tmp_path: Path) -> None:
    """Corruption is Damaged for who reads; who opens sets the file aside, with every byte."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        await asyncio.gather(*(outbox.commit(scan_draft()) for _ in range(200)))
    content = bytearray(path.read_bytes())
    with tampering(path) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'row'"
        ).fetchone()
    content[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(Damaged, match=Reason.STORE_DAMAGED):
        verify_queue(path)
    async with opened(path):
        pass
    (aside,) = Quarantine(path).list_aside()
    assert aside.file.read_bytes()[4096:] == content[4096:]
