"""Countersigned heads: what may go behind one, what never does, and that the rest still proves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.offline_queue.ledger_report import LedgerReport, verify_queue
from agent.offline_queue.outbox import SqliteOutbox
from agent.offline_queue.store import Position
from shared.crypto import STD
from shared.ledger import Account, Head, Lane, Row, anchor_bytes, hash_of
from shared.reasons import Reason
from tests.agent.offline_queue.box import BOX, NOON, ORIGIN, opened, scan_draft, tampering
from tests.agent.offline_queue.test_custody import commit, receipt

CENTRAL_KEY = STD.new_signing_key()
PUBLIC = STD.verify_key(CENTRAL_KEY.public_bytes)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


async def anchor(outbox: SqliteOutbox, row: Row) -> bool:
    """Central countersigns everything up to a row."""
    head = Head(1, row.seq, hash_of(STD, row))
    return await outbox.keep_anchor(head, CENTRAL_KEY.sign(anchor_bytes(STD, BOX, head)))


def verify(path: Path) -> LedgerReport:
    return verify_queue(path, PUBLIC)


def count(path: Path) -> int:
    with tampering(path) as connection:
        (rows,) = connection.execute('SELECT count(*) FROM "row"').fetchone()
    return int(rows)


async def test_rows_go_behind_a_countersigned_head_and_the_rest_still_proves(
    tmp_path: Path,
) -> None:
    """Also after a restart, also when all is gone; new rows follow."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        rows = await commit(outbox, 10)
        await outbox.settle(1, receipt(*rows))
        assert await outbox.prune(0, FUTURE, 100) == 0
        assert await anchor(outbox, rows[5])
        assert await outbox.prune(2, FUTURE, 4) == 4
        assert await outbox.prune(2, FUTURE, 4) == 2
        assert await outbox.prune(2, FUTURE, 4) == 0
    assert (count(path), verify(path).account, verify(path).holds) == (
        4,
        Account(10, 10, 0, 0),
        True,
    )
    async with opened(path) as outbox:
        assert await outbox.read_account() == Account(10, 10, 0, 0)
        assert await anchor(outbox, rows[9])
        assert await outbox.prune(0, FUTURE, 100) == 4
        assert (await outbox.commit(scan_draft())).seq == 11
    assert (count(path), verify(path).holds) == (1, True)


async def test_what_is_pending_young_or_among_the_last_stays(tmp_path: Path) -> None:
    """Nothing behind a pending row goes, for rows go in order."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        rows = await commit(outbox, 10)
        await outbox.settle(1, receipt(*rows[:3], *rows[4:]))
        await anchor(outbox, rows[9])
        assert await outbox.prune(0, NOON + timedelta(seconds=2), 100) == 2
        assert await outbox.prune(8, FUTURE, 100) == 0
        assert await outbox.prune(0, FUTURE, 100) == 1
        assert await outbox.prune(0, FUTURE, 100) == 0
        pending = await outbox.read_pending(10)
        assert pending is not None
        assert pending.rows == (rows[3],)
    assert verify(path).holds


async def test_nothing_is_pruned_over_a_gap(tmp_path: Path) -> None:
    """A row that the disk has lost is named as long as there is a file: no anchor hides it."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        rows = await commit(outbox, 6)
        await outbox.settle(1, receipt(*rows))
        await anchor(outbox, rows[5])
    with tampering(path) as connection:
        connection.execute('DELETE FROM "row" WHERE seq = 3')
    async with opened(path) as outbox:
        assert await outbox.prune(0, FUTURE, 100) == 2
        assert await outbox.prune(0, FUTURE, 100) == 0
    gaps = [each for each in verify(path).findings if each.reason is Reason.LEDGER_GAP]
    assert [(gap.first, gap.last) for gap in gaps] == [(3, 3)]


async def test_a_head_that_is_not_this_ledgers_is_not_kept(tmp_path: Path) -> None:
    """Another hash, a row that is not there, an older one than before."""
    async with opened(tmp_path / "queue.db") as outbox:
        rows = await commit(outbox, 3)
        assert not await outbox.keep_anchor(Head(1, 2, b"h" * 32), b"")
        assert not await outbox.keep_anchor(Head(1, 4, b"h" * 32), b"")
        assert not await outbox.keep_anchor(Head(2, 1, b"h" * 32), b"")
        assert await anchor(outbox, rows[1])
        assert not await anchor(outbox, rows[0])


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        ("UPDATE anchor SET pruned_hash = zeroblob(32)", Reason.LEDGER_LINK),
        ("UPDATE anchor SET signature = zeroblob(64)", Reason.SIGNATURE_WRONG),
        ("UPDATE anchor SET hash = zeroblob(32)", Reason.LEDGER_FORK),
        ("UPDATE anchor SET settled = settled + 1", Reason.LEDGER_STATE),
        ("DELETE FROM anchor", Reason.LEDGER_GAP),
    ],
)
async def test_a_pruning_that_was_tampered_with_is_named(
    tmp_path: Path, tamper: str, reason: Reason
) -> None:
    """What is gone is vouched for by central's signature, or it is missing."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        rows = await commit(outbox, 6)
        await outbox.settle(1, receipt(*rows))
        await anchor(outbox, rows[4])
        assert await outbox.prune(0, FUTURE, 3) == 3
    assert verify(path).holds
    with tampering(path) as connection:
        connection.execute(tamper)
    report = verify(path)
    assert not report.holds
    assert reason in {finding.reason for finding in report.findings}


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["commit", "settle", "anchor", "give up", "prune", "reopen"]),
        st.integers(0, 9),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS)
async def test_whatever_happens_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    """Receipts, heads, rows given up, prunings and restarts: the account and the chain hold after
    each run, and no pending row is ever lost."""
    path = tmp_path_factory.mktemp("queue") / "queue.db"
    rows: list[Row] = []
    settled: set[int] = set()
    given: set[int] = set()
    while acts:
        async with opened(path) as outbox:
            while acts:
                act, number = acts.pop()
                chosen = rows[number : number + 3]
                if act == "commit":
                    rows += await commit(outbox, number)
                elif act == "settle":
                    await outbox.settle(1, receipt(*chosen))
                    settled |= {row.seq for row in chosen} - given
                elif act == "give up":
                    lost = [row.seq for row in rows if row.lane == Lane.USE][number : number + 2]
                    lost = [seq for seq in lost if seq not in settled | given]
                    if lost:
                        places = [Position(1, seq) for seq in lost]
                        why = Reason.QUEUE_BOUND
                        rows.append(await outbox.tombstone(places, why, ORIGIN, NOON, erase=True))
                        given |= set(lost)
                elif act == "anchor" and chosen:
                    # Central's word covers what it has: every row up to there.
                    covered = [row for row in rows if row.seq <= chosen[0].seq]
                    await outbox.settle(1, receipt(*covered))
                    settled |= {row.seq for row in covered} - given
                    await anchor(outbox, chosen[0])
                elif act == "prune":
                    await outbox.prune(number, FUTURE, number + 1)
                elif act == "reopen":
                    break
            pending = await outbox.read_pending(1000)
            here = [row.seq for row in pending.rows] if pending else []
            assert here == [row.seq for row in rows if row.seq not in settled | given]
        report = verify(path)
        assert report.holds, report.findings
        waiting = len(rows) - len(settled) - len(given)
        assert report.account == Account(len(rows), len(settled), waiting, len(given))
