"""The uplink's side: what waits is given oldest first, and leaves only on central's receipt."""

import asyncio
from pathlib import Path

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.outbox import SqliteOutbox
from shared.crypto import STD
from shared.ledger import Account, Row, hash_of
from shared.messages import Settled
from shared.sealing import parse_encapsulation_id
from tests.agent.offline_queue.box import opened, scan_draft


def receipt(*rows: Row) -> list[Settled]:
    """Central's word for these rows."""
    return [Settled(row.seq, hash_of(STD, row)) for row in rows]


async def commit(outbox: SqliteOutbox, count: int) -> list[Row]:
    """So many rows."""
    return [await outbox.commit(scan_draft(number)) for number in range(count)]


async def test_pending_rows_come_oldest_first_under_the_current_head(tmp_path: Path) -> None:
    """A page is short, the head is the whole ledger's."""
    async with opened(tmp_path / "queue.db") as outbox:
        assert await outbox.read_pending(10) is None
        rows = await commit(outbox, 5)
        pending = await outbox.read_pending(3)
    assert pending is not None
    assert pending.rows == tuple(rows[:3])
    assert pending.head == (1, 5, hash_of(STD, rows[-1]))


async def test_waiting_ends_with_the_first_pending_row(tmp_path: Path) -> None:
    """The uplink sleeps while all is settled, and wakes on a commit."""
    async with opened(tmp_path / "queue.db") as outbox:
        waiting = asyncio.create_task(outbox.wait_for_pending())
        assert await outbox.read_pending(1) is None
        assert not waiting.done()
        row = await outbox.commit(scan_draft())
        await waiting
        await outbox.wait_for_pending()
        await outbox.settle(1, receipt(row))
        waiting = asyncio.create_task(outbox.wait_for_pending())
        assert await outbox.read_pending(1) is None
        assert not waiting.done()
        await outbox.commit(scan_draft())
        await waiting


async def test_a_reopened_queue_has_its_pending_rows_and_their_keys(tmp_path: Path) -> None:
    """Each opening wraps a key of its own; a page carries the keys of its bodies and no others."""
    async with opened(tmp_path / "queue.db") as outbox:
        await commit(outbox, 2)
    async with opened(tmp_path / "queue.db"):
        pass
    async with opened(tmp_path / "queue.db") as outbox:
        await outbox.wait_for_pending()
        await commit(outbox, 1)
        pending = await outbox.read_pending(10)
    assert pending is not None
    assert [row.seq for row in pending.rows] == [1, 2, 3]
    needed = {parse_encapsulation_id(row.body) for row in pending.rows}
    assert {key.id for key in pending.encapsulations} == needed
    assert len(needed) == 2


async def test_only_a_receipt_with_the_rows_own_hash_settles(tmp_path: Path) -> None:
    """A receipt for something else changes nothing; a repeated one changes nothing more."""
    async with opened(tmp_path / "queue.db") as outbox:
        one, two, three = await commit(outbox, 3)
        wrong = [Settled(two.seq, hash_of(STD, three)), Settled(9, bytes(32))]
        assert await outbox.settle(1, wrong) == 0
        assert await outbox.settle(2, receipt(one)) == 0
        assert await outbox.settle(1, [*wrong, *receipt(one, three)]) == 2
        assert await outbox.settle(1, receipt(one, three)) == 0
        assert await outbox.read_account() == Account(3, 2, 1, 0)
        pending = await outbox.read_pending(10)
        assert pending is not None
        assert pending.rows == (two,)
    report = verify_queue(tmp_path / "queue.db")
    assert report.holds
    assert report.account == Account(3, 2, 1, 0)


async def test_a_later_epoch_begins_while_the_earlier_one_drains(tmp_path: Path) -> None:
    """CONTRACTS §2: sequences start again; a page holds one epoch's rows, the oldest first."""
    async with opened(tmp_path / "queue.db") as outbox:
        old = await commit(outbox, 2)
    async with opened(tmp_path / "queue.db", epoch=2) as outbox:
        (new,) = await commit(outbox, 1)
        assert new.seq == 1
        pending = await outbox.read_pending(10)
        assert pending is not None
        assert pending.head == (1, 2, hash_of(STD, old[-1]))
        assert pending.rows == tuple(old)
        assert await outbox.settle(1, receipt(*old)) == 2
        pending = await outbox.read_pending(10)
        assert pending is not None
        assert (pending.head.epoch, pending.rows) == (2, (new,))
        assert await outbox.read_account() == Account(3, 2, 1, 0)
    report = verify_queue(tmp_path / "queue.db")
    assert report.holds
    assert report.account == Account(3, 2, 1, 0)
    assert report.head.epoch == 2
