"""Noise anywhere in a queue's file or its log: set aside, salvaged, named by sequence; work goes
on.

Real files and the box's own opening; what is right afterwards is asked of the independent oracle.
"""

import asyncio
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.offline_queue.journal import Journal
from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.outbox import SqliteOutbox
from agent.offline_queue.quarantine import Damage, Quarantine
from agent.offline_queue.recovery import recover
from agent.offline_queue.salvage import Salvage
from agent.offline_queue.salvage_store import begin_former, put_back
from agent.offline_queue.store import Position, reading
from shared.clock import SystemClock
from shared.codec import records
from shared.crypto import STD
from shared.errors import Refused
from shared.ledger import Lane, hash_of
from shared.messages import DamageRecord, Settled
from shared.reasons import Reason
from shared.sealing import open_body, parse_encapsulation_id, unwrap_body_key
from tests.agent.offline_queue.box import BOX, CENTRAL, NOON, ORIGIN, opened, scan_draft
from tests.faults import oracle

SETTLED, GIVEN_UP, ROWS = 40, 5, 160
HARMLESS = {Reason.ENCAPSULATION_MISSING, Reason.LEDGER_HASH}
"""A lost body key is central's already, or the row is parked there; a settled row's body that was
spoiled is at central."""


async def fill(path: Path, *, crash: Path | None = None) -> None:
    """A queue with settled, tombstoned and pending rows, with used codes and long bodies.

    ``crash``: where the files are copied to while the queue is open, as a power cut leaves them.
    """
    async with opened(path) as outbox:
        for number in range(ROWS):
            token = number.to_bytes(32, "big") if number % 4 == 0 else None
            code = "x" * (9000 if number % 50 == 49 else 20)
            row = await outbox.commit(scan_draft(number, consumed=token, code=code))
            if number < SETTLED:
                await outbox.settle(1, [Settled(row.seq, hash_of(STD, row))])
        given_up = [Position(1, seq) for seq in range(SETTLED + 1, SETTLED + 1 + GIVEN_UP)]
        await outbox.tombstone(given_up, Reason.STORE_UNAVAILABLE, ORIGIN, NOON)
        if crash is not None:
            for name in ("queue.db", "queue.db-wal", "queue.db.epochs"):
                shutil.copyfile(path.with_name(name), crash / name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a queue that was closed."""
    directory: Path = tmp_path_factory.mktemp("whole")
    asyncio.run(fill(directory / "queue.db"))
    return directory


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of a queue that was cut off, most of it in the log; and of the same one closed."""
    closed: Path = tmp_path_factory.mktemp("closed")
    directory: Path = tmp_path_factory.mktemp("crashed")
    asyncio.run(fill(closed / "queue.db", crash=directory))
    return directory, closed


def copied(directory: Path, to: Path) -> Path:
    """A copy to be spoiled; its queue's path."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(directory, to)
    return to / "queue.db"


def salvage_of(outbox: SqliteOutbox, path: Path) -> Salvage:
    """Who salvages, driven by hand."""
    return Salvage(outbox, path, BOX, STD, SystemClock(), lambda: ORIGIN)


async def work(path: Path) -> list[bytes]:
    """Open, read everything as the drain would, salvage, and let two records be born."""
    async with opened(path) as outbox:
        salvage = salvage_of(outbox, path)
        born = [(await outbox.commit(scan_draft(1000))).id]
        for _ in range(2):
            await salvage.salvage_all()
            await outbox.scrub()
            await read_all(outbox)
        born.append((await outbox.commit(scan_draft(1001))).id)
        assert (await outbox.read_account()).holds
    return born


async def read_all(outbox: SqliteOutbox) -> None:
    """As the drain reads when central takes nothing."""
    after = (0, 0)
    while pending := await outbox.read_pending(50, after):
        after = (pending.head.epoch, pending.rows[-1].seq)


def check(path: Path, whole: Path, born: list[bytes]) -> bool:
    """Every row is what it was, or is named; what was born meanwhile is there; the proof holds.

    Whether the file was set aside.
    """
    before = {row.id: row for row in oracle.read_box(whole / "queue.db")}
    rows = {row.id: row for row in oracle.read_box(path)}
    assert set(born) <= set(rows)
    for id in before.keys() & rows.keys():
        assert replace(rows[id], state=0) == replace(before[id], state=0)
        assert rows[id].state in {before[id].state, oracle.PENDING}, "no row gets further"
    report = verify_queue(path)
    assert report.account.holds
    assert {each.reason for each in report.findings} <= HARMLESS
    missing = {(row.epoch, row.seq) for row in before.values() if row.id not in rows}
    asides = Quarantine(path).list_aside()
    if not asides:
        assert missing <= {(1, ROWS + 1)}, "only a commit that may have been torn, the last"
        return False
    (aside,) = asides
    assert aside.salvaged is not None
    ended = {each.epoch: each.seq for each in aside.salvaged.ended}
    assert all(at in oracle.read_lost(path) or at[1] > ended[at[0]] for at in missing)
    (told,) = list_damage(path)
    named = {(each.epoch, seq) for each in told.lost for seq in range(each.first, each.last + 1)}
    assert named == oracle.read_lost(path)
    assert {(each.epoch, each.seq) for each in told.ended} == set(ended.items())
    return True


def list_damage(path: Path) -> list[DamageRecord]:
    """What central will be told: the damage records among the pending rows, opened."""
    found = []
    with reading(path) as store:
        keys = {
            key.id: unwrap_body_key(CENTRAL, BOX, key.wrapped)
            for key in store.list_all_encapsulations()
        }
        for epoch in store.list_epochs():
            for row in store.iterate_rows(epoch.head.epoch):
                mark, body = row.mark, row.body
                if body is None or mark.lane != Lane.IDENTITY or not mark_opens(body, keys):
                    continue
                key = keys[parse_encapsulation_id(body)]
                record = records.decode(open_body(key, body, mark.id, mark.lane, mark.born))
                if isinstance(record, DamageRecord):
                    found.append(record)
    return found


def mark_opens(body: bytes, keys: dict[bytes, bytes]) -> bool:
    """Whether the key of a body is here."""
    return parse_encapsulation_id(body) in keys


@contextmanager
def suppress_newer() -> Iterator[None]:
    """A version that only a newer program has may be noise: refused in words, and not touched."""
    try:
        yield
    except Refused as refusal:
        if refusal.reason is not Reason.STORE_NEWER:
            raise


OFFSET = st.integers(min_value=0, max_value=(1 << 24) - 1)


@st.composite
def spoilings(draw: st.DrawFn, kinds: Sequence[str]) -> Callable[[bytearray], None]:
    """Noise, a flipped bit, a page of nothing, a page of another, a cut."""
    where, seed = draw(OFFSET), draw(st.integers(0, 1 << 32))
    length = draw(st.sampled_from([1, 2, 16, 300, 4096, 9000]))
    kind = draw(st.sampled_from(kinds))

    def spoil(content: bytearray) -> None:
        at = where % max(1, len(content))
        noise = random.Random(seed).randbytes(length)
        page = at // 4096 * 4096
        match kind:
            case "noise":
                content[at : at + length] = noise[: len(content[at : at + length])]
            case "bit":
                content[at] ^= 1 << seed % 8
            case "zeros":
                content[page : page + 4096] = bytes(len(content[page : page + 4096]))
            case "swap":
                content[page : page + 4096], content[:4096] = (
                    content[:4096],
                    content[page : page + 4096],
                )
            case "cut":
                del content[at:]

    return spoil


def spoil_file(path: Path, spoil: Callable[[bytearray], None]) -> None:
    """Change a file's content as a disk would."""
    content = bytearray(path.read_bytes())
    spoil(content)
    path.write_bytes(content)


MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MANY
@given(spoil=spoilings(["noise", "bit", "zeros", "swap", "cut"]))
def test_noise_in_the_file(whole: Path, tmp_path: Path, spoil: Callable[[bytearray], None]) -> None:
    """Wherever it is: the box goes on, what proves itself is back, the rest is named."""
    path = copied(whole, tmp_path / "spoiled")
    spoil_file(path, spoil)
    with suppress_newer():
        check(path, whole, asyncio.run(work(path)))


@MANY
@given(spoil=spoilings(["noise", "bit", "zeros"]))
def test_noise_in_the_log(
    crashed: tuple[Path, Path], tmp_path: Path, spoil: Callable[[bytearray], None]
) -> None:
    """SQLite reads a log up to its first wrong checksum, without a word; we do not."""
    directory, closed = crashed
    path = copied(directory, tmp_path / "spoiled")
    spoil_file(path.with_name("queue.db-wal"), spoil)
    check(path, closed, asyncio.run(work(path)))


@MANY
@given(where=OFFSET)
def test_a_log_cut_short(crashed: tuple[Path, Path], tmp_path: Path, where: int) -> None:
    """A log that ends at a commit cannot be told from one that never went on: what is missing is
    its end, and central, which may have more, sees it (docs/adr/0020)."""
    directory, closed = crashed
    path = copied(directory, tmp_path / "spoiled")
    log = path.with_name("queue.db-wal")
    os.truncate(log, where % log.stat().st_size)
    born = asyncio.run(work(path))
    before = oracle.read_box(closed / "queue.db")
    rows = {row.id for row in oracle.read_box(path)}
    assert set(born) <= rows
    kept = [row for row in before if row.id in rows]
    assert kept == before[: len(kept)] or Quarantine(path).list_aside()


async def test_a_file_spoiled_at_work(tmp_path: Path) -> None:
    """Under the open file: whoever meets it next has it set aside, and is served all the same."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        rows = [await outbox.commit(scan_draft(number)) for number in range(60)]
        await outbox.writer.submit(_forget_pages)
        content = bytearray(path.read_bytes())
        for page in range(1, len(content) // 4096):
            content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
        path.write_bytes(content)
        born = await outbox.commit(scan_draft(61))
        assert (outbox.epoch, born.seq) == (2, 1)
        await salvage_of(outbox, path).salvage_all()
        assert (await outbox.read_account()).holds
        assert outbox.fill.reason in {Reason.ROWS_LOST, Reason.QUEUE_QUARANTINED}
    kept = {row.id: row.hash for row in oracle.read_box(path)}
    for row in rows:
        assert kept.get(row.id, hash_of(STD, row)) == hash_of(STD, row)


async def test_a_spoiled_row_is_not_sent(tmp_path: Path) -> None:
    """Sent, its hash would contradict its neighbours: central would take the box for a clone."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        for number in range(5):
            await outbox.commit(scan_draft(number))
        spoil = 'UPDATE "row" SET body = zeroblob(40) WHERE seq = 3'
        await outbox.writer.submit(lambda on: on.store.connection.execute(spoil), writes=True)
        assert await outbox.read_pending(10) is None
        await salvage_of(outbox, path).salvage_all()
        pending = await outbox.read_pending(10)
        assert pending is not None
        assert [row.seq for row in pending.rows] == [1, 2, 3, 4, 5], "the log has it as it was"
        assert outbox.fill.lost == ("1/6–",)


async def test_a_salvage_that_was_cut_off_begins_again(whole: Path, tmp_path: Path) -> None:
    """From the quarantined file; what is back already is not doubled, central is told once."""
    path = copied(whole, tmp_path / "spoiled")
    spoil_file(path, lambda content: content.__setitem__(slice(8192, 12288), bytes(4096)))
    async with opened(path) as outbox:
        salvage = salvage_of(outbox, path)
        (aside,) = salvage.list_unsalvaged()
        recovery = await asyncio.to_thread(recover, aside, BOX, STD)
        begun = [partial(begin_former, ended=head, kept=None) for head in recovery.ended.values()]
        await outbox.writer.submit(
            lambda on: [begin(on, BOX, STD, at=0) for begin in begun], writes=True
        )
        slab = list(islice(recovery.rows(), 50))
        assert await outbox.writer.submit(lambda on: put_back(on, slab), writes=True) == 50
        recovery.close()
    async with opened(path) as outbox:
        await salvage_of(outbox, path).salvage_all()
        (aside,) = Quarantine(path).list_aside()
        (aside.folder / "salvaged.json").unlink()
        await salvage_of(outbox, path).salvage_all()
    assert len(list_damage(path)) == 1
    assert check(path, whole, [])


def test_a_move_that_was_cut_off_goes_on(whole: Path, tmp_path: Path) -> None:
    """A file without its log must not be opened: it would be an older state of itself."""
    path = copied(whole, tmp_path / "spoiled")
    quarantine = Quarantine(path)
    damage = Damage(str(BOX), 0, bytes(16), (1,), 2, "test")
    aside = quarantine.set_aside(damage, NOON)
    (aside.folder / "damage.json").rename(aside.folder / "moving.json")
    aside.file.rename(path)
    assert quarantine.list_aside() == []
    check(path, whole, asyncio.run(work(path)))
    assert not path.with_name("quarantine").joinpath("moving.json").exists()


def _forget_pages(on: Journal) -> None:
    on.store.roll_back()
    on.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    on.store.connection.execute("PRAGMA cache_size = 1")
    on.store.connection.execute("PRAGMA shrink_memory")
