"""The write-ahead log: long enough from the start, and begun anew once it is copied back."""

import shutil
from pathlib import Path

import pytest

from agent.offline_queue import checkpoint
from agent.offline_queue.beginning import open_journal
from agent.offline_queue.checkpoint import LOG_BYTES
from agent.offline_queue.journal import Journal, ignore_edge
from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.outbox import encode_draft
from agent.offline_queue.pages import PageFile
from shared.crypto import STD
from tests.agent.offline_queue.box import BOX, CENTRAL, NOON, opened, scan_draft


def _log(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def _frames(path: Path) -> int:
    with PageFile(path) as pages:
        return len(pages.frames)


def _write(journal: Journal, count: int) -> None:
    entries = [encode_draft(scan_draft(number)) for number in range(count)]

    def append() -> None:
        journal.append_all(entries)

    journal.write(append)


async def test_a_commit_does_not_make_the_log_longer(tmp_path: Path) -> None:
    """It would wait for the file system's own journal too. A kill leaves the zeros behind the rows,
    and the next opening reads what is before them."""
    path = tmp_path / "live" / "queue.db"
    killed = tmp_path / "killed" / "queue.db"
    path.parent.mkdir()
    async with opened(path) as outbox:
        for number in range(40):
            await outbox.commit(scan_draft(number))
        assert _log(path) == LOG_BYTES
        shutil.copytree(path.parent, killed.parent)
    assert verify_queue(killed).account.pending == 40
    async with opened(killed) as outbox:
        assert (await outbox.commit(scan_draft(40))).seq == 41
        assert _log(killed) == LOG_BYTES


async def test_a_disk_with_little_room_is_not_filled_for_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the log grows by what is in it."""
    monkeypatch.setattr(checkpoint, "_ROOM", 1 << 40)
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        await outbox.commit(scan_draft())
        assert _log(path) < LOG_BYTES // 8


def test_what_the_writer_copies_last_lets_the_log_begin_anew(tmp_path: Path) -> None:
    """Commits that follow each other without a pause would otherwise lengthen it up to 32 MB."""
    path = tmp_path / "queue.db"
    journal = open_journal(path, BOX, 1, STD, CENTRAL.public_bytes, NOON, ignore_edge)
    _write(journal, 300)
    before = _frames(path)
    journal.prepare()
    journal.finish_checkpoint()
    _write(journal, 1)
    assert _frames(path) < before // 4
    journal.close()
    assert verify_queue(path).head.seq == 301
