"""Opening: whose file it is, one writer, old files kept, newer and damaged ones left alone."""

import shutil
import stat
from pathlib import Path

import pytest

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.quarantine import Quarantine
from shared.errors import Refused, Unavailable
from shared.ids import BoxId
from shared.ledger import EPOCHS_A_MACHINE, Account
from shared.reasons import Reason
from tests.agent.offline_queue.box import opened, scan_draft, tampering

FROZEN = Path(__file__).parent / "frozen"


async def test_the_file_is_private(tmp_path: Path) -> None:
    """Mode 0600 for the file, its write-ahead log and its lock."""
    async with opened(tmp_path / "queue.db") as outbox:
        await outbox.commit(scan_draft())
        modes = _modes(tmp_path)
    assert set(modes) >= {"queue.db", "queue.db-wal", "queue.db.lock"}
    assert set(modes.values()) == {0o600}


def _modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


async def test_another_boxs_file_is_refused(tmp_path: Path) -> None:
    """A copied directory must not continue somebody else's ledger."""
    async with opened(tmp_path / "queue.db"):
        pass
    with pytest.raises(Refused, match=Reason.CONFIG_MALFORMED):
        async with opened(tmp_path / "queue.db", box=BoxId("hospital-1", "box-2")):
            pass


async def test_an_earlier_epoch_is_refused(tmp_path: Path) -> None:
    """An old configuration must not write beside what came after it."""
    later = 1 + EPOCHS_A_MACHINE
    async with opened(tmp_path / "queue.db", epoch=later):
        pass
    with pytest.raises(Refused, match=Reason.CONFIG_MALFORMED):
        async with opened(tmp_path / "queue.db", epoch=1):
            pass
    async with opened(tmp_path / "queue.db", epoch=later) as outbox:
        assert (await outbox.commit(scan_draft())).seq == 1


async def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """Two agents on one file would give one sequence twice."""
    async with opened(tmp_path / "queue.db") as outbox:
        with pytest.raises(Unavailable, match=Reason.STORE_UNAVAILABLE):
            async with opened(tmp_path / "queue.db"):
                pass
        assert (await outbox.commit(scan_draft())).seq == 1


async def test_a_missing_directory_is_unavailable(tmp_path: Path) -> None:
    """The disk may come back; nothing is made up in its place."""
    with pytest.raises(Unavailable, match=Reason.STORE_UNAVAILABLE):
        async with opened(tmp_path / "nowhere" / "queue.db"):
            pass


async def test_a_file_that_is_no_database_is_set_aside_as_it_is(tmp_path: Path) -> None:
    """For a person to look at: never deleted, never overwritten. The box goes on in a new epoch."""
    noise = bytes(range(256)) * 32
    (tmp_path / "queue.db").write_bytes(noise)
    for seq in (1, 2):
        async with opened(tmp_path / "queue.db") as outbox:
            assert (await outbox.commit(scan_draft())).seq == seq
    (aside,) = Quarantine(tmp_path / "queue.db").list_aside()
    assert aside.file.read_bytes() == noise
    assert aside.damage.next == 2


async def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """After a downgrade the rows of the newer version stay untouched."""
    async with opened(tmp_path / "queue.db") as outbox:
        await outbox.commit(scan_draft())
    with tampering(tmp_path / "queue.db") as connection:
        connection.execute("PRAGMA user_version = 1000")
    with pytest.raises(Refused, match=Reason.STORE_NEWER):
        async with opened(tmp_path / "queue.db"):
            pass
    with pytest.raises(Refused, match=Reason.STORE_NEWER):
        verify_queue(tmp_path / "queue.db")


@pytest.mark.parametrize("frozen", sorted(FROZEN.glob("*.db")), ids=lambda path: path.stem)
async def test_a_queue_of_every_former_version_opens_twice(frozen: Path, tmp_path: Path) -> None:
    """Its four rows (one settled, one given up) are there each time, and the chain goes on."""
    path = tmp_path / "queue.db"
    shutil.copyfile(frozen, path)
    for opening in range(2):
        async with opened(path) as outbox:
            assert await outbox.read_account() == Account(4 + opening, 1, 2 + opening, 1)
            assert await outbox.find_consumption(b"t" * 32) is not None
            assert (await outbox.commit(scan_draft())).seq == 5 + opening
        assert verify_queue(path).holds
