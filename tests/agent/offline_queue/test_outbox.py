"""Committing: one group, one chain, nothing half done, nothing promised that is not durable."""

import asyncio
import threading
from pathlib import Path

import pytest

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.states import Edge
from shared import codec
from shared.errors import Malformed, Refused, Unavailable
from shared.ledger import Account, Lane
from shared.messages import Verdict
from shared.reasons import Reason
from shared.sealing import open_body, unwrap_body_key
from tests.agent.offline_queue.box import BOX, CENTRAL, NOON, opened, print_draft, scan_draft


def _files(directory: Path) -> list[bytes]:
    return [file.read_bytes() for file in directory.iterdir()]


async def test_a_committed_body_opens_with_centrals_key_alone(tmp_path: Path) -> None:
    """CONTRACTS §4: sealed at birth to central, bound to id, lane and birth."""
    draft = scan_draft()
    async with opened(tmp_path / "queue.db") as outbox:
        row = await outbox.commit(draft)
        pending = await outbox.read_pending(10)
    assert pending is not None
    key = unwrap_body_key(CENTRAL, BOX, pending.encapsulations[0].wrapped)
    plaintext = open_body(key, row.body, row.id, row.lane, row.born)
    assert codec.records.decode(plaintext) == draft.record
    assert pending.rows == (row,)
    assert not any(draft.record.origin.counter.encode() in text for text in _files(tmp_path))


async def test_200_producers_make_one_sequence_without_gaps(tmp_path: Path) -> None:
    """Sequence and link are given in the commit: whoever comes when, the chain holds."""
    async with opened(tmp_path / "queue.db") as outbox:

        async def produce(producer: int) -> list[int]:
            return [(await outbox.commit(scan_draft(producer))).seq for _ in range(5)]

        given = await asyncio.gather(*(produce(producer) for producer in range(200)))
        assert sorted(seq for share in given for seq in share) == list(range(1, 1001))
        assert await outbox.read_account() == Account(1000, 0, 1000, 0)
    report = verify_queue(tmp_path / "queue.db")
    assert report.holds
    assert report.head.seq == 1000


async def test_a_writer_that_hangs_is_noticed(tmp_path: Path) -> None:
    """The watchdog asks the thread itself: an account is known without it."""
    hangs, goes_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hang(edge: Edge) -> None:
        if edge is Edge.GROUP_BEGUN:
            loop.call_soon_threadsafe(hangs.set)
            goes_on.wait()

    async with opened(tmp_path / "queue.db", observe=hang) as outbox:
        await outbox.wait_moving()
        committing = asyncio.create_task(outbox.commit(scan_draft()))
        await hangs.wait()
        await outbox.read_account()
        moving = asyncio.create_task(outbox.wait_moving())
        done, _ = await asyncio.wait({moving}, timeout=0.05)
        goes_on.set()
        assert not done
        await moving
        await committing


async def test_what_waits_is_one_commit(tmp_path: Path) -> None:
    """200 that wait together cost one sync, not 200."""
    edges: list[Edge] = []
    async with opened(tmp_path / "queue.db", observe=edges.append) as outbox:
        await asyncio.gather(*(outbox.commit(scan_draft()) for _ in range(200)))
    assert edges.count(Edge.ROW_INSERTED) == 200
    assert edges.count(Edge.COMMITTED) == 1


async def test_a_record_that_cannot_be_born_does_not_hurt_its_group(tmp_path: Path) -> None:
    """Too large: refused alone, the others commit, no gap."""
    async with opened(tmp_path / "queue.db") as outbox:
        results = await asyncio.gather(
            outbox.commit(scan_draft()),
            outbox.commit(scan_draft(code="A" * 70_000)),
            outbox.commit(scan_draft()),
            return_exceptions=True,
        )
        too_large = results[1]
        assert isinstance(too_large, Malformed)
        assert too_large.reason == Reason.BODY_TOO_LARGE
        assert await outbox.read_account() == Account(2, 0, 2, 0)
    assert verify_queue(tmp_path / "queue.db").holds


async def test_a_consumption_is_committed_with_its_record(tmp_path: Path) -> None:
    """CONTRACTS §1: a code used at this box is known here also after a restart."""
    draft = scan_draft(consumed=b"t" * 32, lane=Lane.IDENTITY)
    async with opened(tmp_path / "queue.db") as outbox:
        assert await outbox.find_consumption(b"t" * 32) is None
        await outbox.commit(draft)
    async with opened(tmp_path / "queue.db") as outbox:
        found = await outbox.find_consumption(b"t" * 32)
        assert found is not None
        assert (found.id, found.born_at, found.verdict) == (draft.id, NOON, Verdict.PROVISIONAL)
        assert await outbox.find_consumption(b"u" * 32) is None


async def test_the_first_consumption_of_a_code_stays(tmp_path: Path) -> None:
    """Two records that claim one code are both kept; the code belongs to the first."""
    first, second = scan_draft(consumed=b"t" * 32), scan_draft(consumed=b"t" * 32)
    async with opened(tmp_path / "queue.db") as outbox:
        await asyncio.gather(outbox.commit(first), outbox.commit(second))
        found = await outbox.find_consumption(b"t" * 32)
        assert found is not None
        assert found.id == first.id
        assert (await outbox.read_account()).created == 2


async def test_only_a_scan_consumes_a_code(tmp_path: Path) -> None:
    """A consumption keeps its verdict, and only a scan has one."""
    draft = print_draft()
    async with opened(tmp_path / "queue.db") as outbox:
        with pytest.raises(Refused, match=Reason.REQUEST_MALFORMED):
            await outbox.commit(type(draft)(draft.id, draft.born_at, draft.record, b"t" * 32))


async def test_a_caller_that_is_cancelled_leaves_its_row(tmp_path: Path) -> None:
    """Cancelling stops the waiting, not the record; the writer goes on."""
    async with opened(tmp_path / "queue.db") as outbox:
        task = asyncio.create_task(outbox.commit(scan_draft()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await outbox.commit(scan_draft())).seq == 2
    assert verify_queue(tmp_path / "queue.db").account == Account(2, 0, 2, 0)


async def test_closing_commits_what_waits_and_refuses_what_comes_later(tmp_path: Path) -> None:
    """No record is taken that would live in memory only."""
    async with opened(tmp_path / "queue.db") as outbox:
        waiting = asyncio.create_task(outbox.commit(scan_draft()))
        await asyncio.sleep(0)
    assert (await waiting).seq == 1
    with pytest.raises(Unavailable, match=Reason.STORE_UNAVAILABLE):
        await outbox.commit(scan_draft())
    assert verify_queue(tmp_path / "queue.db").account == Account(1, 0, 1, 0)


@pytest.mark.parametrize("commits", [0, 5], ids=["in the thread", "in the loop"])
async def test_a_bug_in_the_writer_reaches_whoever_waits(tmp_path: Path, commits: int) -> None:
    """Anything outside the tree of errors ends the thread in sight; nobody waits for ever. After
    some fast commits a lone record is written by the loop."""
    inserted = 0

    def fail(edge: Edge) -> None:
        nonlocal inserted
        inserted += edge == Edge.ROW_INSERTED
        if inserted > commits:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it is raised where the context ends
        async with opened(tmp_path / "queue.db", observe=fail) as outbox:
            for _ in range(commits):
                await outbox.commit(scan_draft())
            with pytest.raises(ZeroDivisionError):
                await outbox.commit(scan_draft())
            with pytest.raises(ZeroDivisionError):
                await outbox.commit(scan_draft())
    assert verify_queue(tmp_path / "queue.db").account == Account(commits, 0, commits, 0)
