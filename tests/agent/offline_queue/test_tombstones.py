"""Giving rows up: named by a row of the identity lane, in one transaction, never the dear lanes."""

from pathlib import Path

import pytest

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.store import Position
from shared import codec
from shared.crypto import STD
from shared.errors import Refused
from shared.ledger import Account, Lane, hash_of
from shared.messages import Settled, Tombstone, TombstoneRecord
from shared.reasons import Reason
from shared.sealing import open_body, unwrap_body_key
from tests.agent.offline_queue.box import (
    BOX,
    CENTRAL,
    NOON,
    ORIGIN,
    opened,
    print_draft,
    scan_draft,
    tampering,
)

WHY = Reason.STORE_UNAVAILABLE


async def test_a_tombstone_names_what_it_gives_up(tmp_path: Path) -> None:
    """Central learns place, id, hash and reason of every row that will never come."""
    async with opened(tmp_path / "queue.db") as outbox:
        rows = [await outbox.commit(scan_draft()) for _ in range(3)]
        positions = [Position(1, 1), Position(1, 3), Position(1, 1)]
        record = await outbox.tombstone(positions, WHY, ORIGIN, NOON, erase=True)
        assert (record.seq, record.lane) == (4, Lane.IDENTITY)
        pending = await outbox.read_pending(10)
        assert pending is not None
        assert [row.seq for row in pending.rows] == [2, 4]
        assert await outbox.read_account() == Account(4, 0, 2, 2)
    key = unwrap_body_key(CENTRAL, BOX, pending.encapsulations[0].wrapped)
    plaintext = open_body(key, record.body, record.id, record.lane, record.born)
    assert codec.records.decode(plaintext) == TombstoneRecord(
        lane=Lane.IDENTITY,
        origin=ORIGIN,
        rows=tuple(
            Tombstone(1, row.seq, row.id, hash_of(STD, row), WHY) for row in (rows[0], rows[2])
        ),
    )
    report = verify_queue(tmp_path / "queue.db")
    assert report.holds
    assert report.account == Account(4, 0, 2, 2)


@pytest.mark.parametrize("erase", [True, False])
async def test_a_body_is_erased_only_when_asked(tmp_path: Path, erase: bool) -> None:
    """Without its body a row still proves the chain."""
    async with opened(tmp_path / "queue.db") as outbox:
        await outbox.commit(scan_draft())
        await outbox.tombstone([Position(1, 1)], WHY, ORIGIN, NOON, erase)
    with tampering(tmp_path / "queue.db") as connection:
        (body,) = connection.execute('SELECT body FROM "row" WHERE seq = 1').fetchone()
    assert (body is None) == erase
    assert verify_queue(tmp_path / "queue.db").holds


async def test_dear_lanes_are_never_given_up(tmp_path: Path) -> None:
    """Identity and print rows stay whatever the pressure; nothing of the request happens."""
    async with opened(tmp_path / "queue.db") as outbox:
        await outbox.commit(scan_draft())
        await outbox.commit(scan_draft(lane=Lane.IDENTITY))
        await outbox.commit(print_draft())
        for dear in (2, 3):
            with pytest.raises(Refused, match=Reason.REQUEST_NOT_ALLOWED):
                await outbox.tombstone([Position(1, 1), Position(1, dear)], WHY, ORIGIN, NOON)
        assert await outbox.read_account() == Account(3, 0, 3, 0)
    assert verify_queue(tmp_path / "queue.db").account == Account(3, 0, 3, 0)


async def test_what_is_settled_given_up_or_unknown_cannot_be_given_up(tmp_path: Path) -> None:
    """The state table has no such step."""
    async with opened(tmp_path / "queue.db") as outbox:
        row = await outbox.commit(scan_draft())
        await outbox.commit(scan_draft())
        await outbox.settle(1, [Settled(1, hash_of(STD, row))])
        await outbox.tombstone([Position(1, 2)], WHY, ORIGIN, NOON)
        for seq, reason in ((1, Reason.STATE_STEP), (2, Reason.STATE_STEP), (9, Reason.NOT_FOUND)):
            with pytest.raises(Refused, match=reason):
                await outbox.tombstone([Position(1, seq)], WHY, ORIGIN, NOON)
        given_up = Settled(2, _stored_hash(tmp_path / "queue.db", 2))
        assert await outbox.settle(1, [given_up]) == 0
        assert await outbox.read_account() == Account(3, 1, 1, 1)


def _stored_hash(path: Path, seq: int) -> bytes:
    with tampering(path) as connection:
        (hash,) = connection.execute('SELECT hash FROM "row" WHERE seq = ?', (seq,)).fetchone()
    return bytes(hash)
