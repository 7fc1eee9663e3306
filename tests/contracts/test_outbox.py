"""What every Outbox does, also the one that tests of the counter use."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from agent.ports import Consumption, Outbox
from shared.clock import to_microseconds
from shared.ledger import Account, Lane
from shared.messages import Verdict
from tests.agent.offline_queue.box import NOON, opened, scan_draft
from tests.fakes import MemoryOutbox

TOKEN = b"t" * 32
OpenOutbox = Callable[[Path], AbstractAsyncContextManager[Outbox]]


@asynccontextmanager
async def _in_memory(_directory: Path) -> AsyncIterator[Outbox]:
    yield MemoryOutbox()


@asynccontextmanager
async def _in_sqlite(directory: Path) -> AsyncIterator[Outbox]:
    async with opened(directory / "queue.db") as outbox:
        yield outbox


@pytest.fixture(params=[_in_sqlite, _in_memory], ids=["sqlite", "memory"])
async def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Outbox]:
    open_one: OpenOutbox = request.param
    async with open_one(tmp_path) as outbox:
        yield outbox


async def test_rows_come_in_sequence_and_keep_id_lane_and_birth(outbox: Outbox) -> None:
    """One id from birth; sequences without gaps, from 1."""
    for seq in (1, 2, 3):
        draft = scan_draft(seq, lane=Lane.IDENTITY)
        row = await outbox.commit(draft)
        assert (row.seq, row.id) == (seq, draft.id.bytes)
        assert (row.lane, row.born) == (Lane.IDENTITY, to_microseconds(draft.born_at))


async def test_the_account_counts_what_was_committed(outbox: Outbox) -> None:
    """created = acknowledged + pending + tombstoned, and nothing is acknowledged by itself."""
    assert await outbox.read_account() == Account(0, 0, 0, 0)
    await outbox.commit(scan_draft())
    await outbox.commit(scan_draft())
    account = await outbox.read_account()
    assert account == Account(2, 0, 2, 0)
    assert account.holds


async def test_a_record_is_found_from_its_commit_on(outbox: Outbox) -> None:
    """By its id alone, among others: what a restart asks of a label."""
    draft = scan_draft()
    await outbox.commit(scan_draft())
    assert not await outbox.find_record(draft.id)
    await outbox.commit(draft)
    await outbox.commit(scan_draft())
    assert await outbox.find_record(draft.id)


async def test_a_consumption_is_known_from_its_commit_on(outbox: Outbox) -> None:
    """Who used up a code, born when, with which verdict."""
    assert await outbox.find_consumption(TOKEN) is None
    draft = scan_draft(consumed=TOKEN)
    await outbox.commit(scan_draft())
    await outbox.commit(draft)
    found = await outbox.find_consumption(TOKEN)
    assert found == Consumption(draft.id, NOON, Verdict.PROVISIONAL)
    assert await outbox.find_consumption(b"u" * 32) is None
