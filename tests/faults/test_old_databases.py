"""What former versions stored is there after an upgrade, all of it and verified: opened twice.

Also fault 9: a migration with a backlog, killed at every edge, on a full disk, with a reader in its
way, and a downgrade afterwards. The rows are the same each time; the oracle says so.
"""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import AbstractAsyncContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.config import BoxFiles, read_box_config
from agent.courier.export import read_box_keys
from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.migration import Migration, read_migrations
from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from agent.offline_queue.salvage import Salvage
from agent.offline_queue.states import SALVAGE_EDGES, SWAP_EDGES, FileEdge
from agent.offline_queue.swap import WrongMigrationError, swap
from agent.transport.batches import build_batch
from central.app import open_central
from shared.clock import SystemClock
from shared.codec import batches
from shared.crypto import STD
from shared.errors import Refused, Unavailable
from shared.ledger import Account
from shared.reasons import Reason
from tests.agent.offline_queue.box import ORIGIN, scan_draft
from tests.faults import oracle
from tests.golden.databases import BOX, BOX_ACCOUNT, CENTRAL_ACCOUNT, list_names, thaw

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
NEWEST = read_migrations()[-1].number

KILLED_EDGES = [*SWAP_EDGES, *SALVAGE_EDGES]


@pytest.fixture(params=list_names())
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A frozen centre and its box, to be opened."""
    name: str = request.param
    return thaw(name, tmp_path)


def rows_of(queue: Path) -> set[tuple[object, ...]]:
    """Every row, whole, by the oracle's own SQL."""
    with closing(sqlite3.connect(f"file:{queue}?mode=ro", uri=True)) as database:
        found = database.execute(
            "SELECT epoch, seq, id, lane, born, prev, body, body_hash, hash, state, tombstone"
            ' FROM "row" WHERE epoch = 1 AND seq <= ?',
            (BOX_ACCOUNT.created,),
        )
        return set(found)


def open_box(files: BoxFiles) -> AbstractAsyncContextManager[SqliteOutbox]:
    """The queue, as the agent opens it."""
    config = read_box_config(files)
    public = bytes.fromhex(config.central_public)
    return open_outbox(files.queue, BOX, config.epoch, STD, public)


async def drain(outbox: SqliteOutbox, files: BoxFiles, directory: Path) -> None:
    """Everything that waits goes to central."""
    keys = read_box_keys(files, read_box_config(files))
    with open_central(directory) as central:
        while pending := await outbox.read_pending(100):
            with central.unit():
                payload = batches.encode(build_batch(keys, pending))
                receipt = central.ingest.inbox.take(BOX, payload, AT)
            assert receipt is not None
            await outbox.settle(receipt.epoch, receipt.rows)


async def test_a_box_and_its_centre_open_twice(old: Path) -> None:
    """Rows in every state, used codes, the parked ones; then the backlog arrives, once."""
    files, before = BoxFiles(old / "box"), rows_of(old / "box/queue.db")
    assert len(before) == BOX_ACCOUNT.created
    for opening in range(2):
        async with open_box(files) as outbox:
            account = await outbox.read_account()
            assert account == Account(19 + opening, 11, 6 + opening, 2)
            for number in range(3):
                assert await outbox.find_consumption(bytes([number]) * 32) is not None
            await outbox.commit(scan_draft(opening))
        assert rows_of(files.queue) == before
        assert len(oracle.read_box(files.queue)) == 20 + opening
        assert verify_queue(files.queue).holds
        with open_central(old / "central") as central:
            (report,) = central.ledger.verify(BOX)
            assert (report.account, report.parked, report.findings) == (CENTRAL_ACCOUNT, 2, ())
    async with open_box(files) as outbox:
        await drain(outbox, files, old / "central")
    held = oracle.read_central(old / "central/central.db", str(BOX))
    states = [row.state for row in oracle.read_box(files.queue)]
    assert oracle.PENDING not in states
    assert len(held) == 21, "19 old rows, the two given up among them, and two new ones"
    with open_central(old / "central") as central:
        (report,) = central.ledger.verify(BOX)
        assert report.holds


@pytest.mark.parametrize("edge", SWAP_EDGES)
def test_killed_while_the_schema_changes(old: Path, edge: FileEdge) -> None:
    """Before the rename the old file is as it was, afterwards the new one is; the next start ends
    with all rows either way, and leaves no copy behind."""
    files = BoxFiles(old / "box")
    before = rows_of(files.queue)
    box = kill_at(files, edge)
    assert box.returncode == -signal.SIGKILL, box.stderr
    with closing(sqlite3.connect(f"file:{files.queue}?mode=ro", uri=True)) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
    assert version == (NEWEST if edge is FileEdge.COPY_IN_PLACE else 1)
    assert rows_of(files.queue) == before
    asyncio.run(_open_and_count(files))
    assert rows_of(files.queue) == before
    assert verify_queue(files.queue).holds
    assert not list(files.directory.glob("queue.db.next*"))


async def _open_and_count(files: BoxFiles) -> None:
    async with open_box(files) as outbox:
        assert await outbox.read_account() == BOX_ACCOUNT


@pytest.mark.parametrize("edge", SALVAGE_EDGES)
def test_killed_while_a_damaged_file_is_dealt_with(old: Path, edge: FileEdge) -> None:
    """The next start goes on where it was: every row that can be read is back once, the others are
    named once, and no file was lost."""
    files = BoxFiles(old / "box")
    asyncio.run(_open_and_count(files))
    before = rows_of(files.queue)
    content = bytearray(files.queue.read_bytes())
    at = content.index(b"hospital-1/box-1")
    content[at : at + 4] = b"hqsp"  # another box's name over this box's rows
    files.queue.write_bytes(content)
    box = kill_at(files, edge)
    assert box.returncode == -signal.SIGKILL, box.stderr
    asyncio.run(_open_and_salvage(files))
    after = rows_of(files.queue)
    assert {row[:9] for row in after} == {row[:9] for row in before}, "only the name was damaged"
    assert {row[9:] for row in after} <= {row[9:] for row in before}, "settled may wait again"
    assert oracle.read_lost(files.queue) == set()
    assert len(list(files.directory.glob("quarantine/*"))) == 1
    with closing(sqlite3.connect(f"file:{files.queue}?mode=ro", uri=True)) as database:
        own = database.execute('SELECT seq FROM "row" WHERE epoch = 2').fetchall()
    assert own == [(1,)], "the one record that tells central of it"


async def _open_and_salvage(files: BoxFiles) -> None:
    async with open_box(files) as outbox:
        for _ in range(2):
            await Salvage(
                outbox, files.queue, BOX, STD, SystemClock(), lambda: ORIGIN
            ).salvage_all()
        assert (await outbox.read_account()).holds


def kill_at(files: BoxFiles, edge: FileEdge) -> subprocess.CompletedProcess[bytes]:
    """Run the box until it kills itself at the edge."""
    program = [sys.executable, "-m", "tests.faults.mortal", "box", str(files.directory)]
    return subprocess.run(
        [*program, f"file:{edge}", "1"], capture_output=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "sql",
    ['DELETE FROM "row" WHERE seq = 2;', 'UPDATE "row" SET body = zeroblob(9) WHERE seq = 3;'],
    ids=["loses", "changes"],
)
def test_a_migration_that_changes_rows_is_not_put_in_place(old: Path, sql: str) -> None:
    """A bug, and said as one: no damage, no quarantine, and the file is as it was."""
    queue = old / "box/queue.db"
    before = rows_of(queue)
    with pytest.raises(WrongMigrationError):
        swap(queue, (*read_migrations(), Migration(NEWEST + 1, sql)), lambda _: None)
    assert rows_of(queue) == before
    assert not queue.with_name("quarantine").exists()


async def test_whoever_reads_is_waited_for(old: Path) -> None:
    """A file that somebody has open is not changed under them; afterwards it goes on."""
    files = BoxFiles(old / "box")
    with closing(sqlite3.connect(files.queue, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("BEGIN")
        reader.execute('SELECT count(*) FROM "row"').fetchone()
        with pytest.raises(Unavailable, match=Reason.STORE_UNAVAILABLE):
            swap(files.queue, read_migrations(), lambda _: None)
    await _open_and_count(files)


async def test_a_disk_without_room_for_a_copy(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema is then changed in place, in one transaction; nobody is kept from working."""
    files, before = BoxFiles(old / "box"), rows_of(old / "box/queue.db")

    def full(*_: object) -> bool:
        raise Unavailable(Reason.STORE_FULL, "test")

    monkeypatch.setattr("agent.offline_queue.swap.swap", full)
    await _open_and_count(files)
    assert rows_of(files.queue) == before


async def test_a_downgrade_is_refused_in_words(old: Path) -> None:
    """A program that does not know the file's schema touches nothing of it."""
    files = BoxFiles(old / "box")
    await _open_and_count(files)
    with closing(sqlite3.connect(files.queue, isolation_level=None)) as database:
        database.execute(f"PRAGMA user_version = {NEWEST + 1}")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    content = files.queue.read_bytes()
    for _ in range(2):
        with pytest.raises(Refused, match=Reason.STORE_NEWER):
            await _open_and_count(files)
        with pytest.raises(Refused, match=Reason.STORE_NEWER):
            verify_queue(files.queue)
    assert files.queue.read_bytes() == content
    assert not files.queue.with_name("quarantine").exists()
    assert Reason.STORE_NEWER.words.next_zh
