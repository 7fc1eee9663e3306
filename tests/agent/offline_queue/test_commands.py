"""A queue at a glance, as the command line shows it."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.offline_queue.commands import LaneCount, queue_summary
from agent.offline_queue.database import open_for_writing
from agent.offline_queue.migration import migrate, read_migrations
from shared.crypto import STD
from shared.errors import Unavailable
from shared.ledger import Lane, RowState, hash_of
from shared.messages import Settled
from shared.reasons import Reason
from tests.agent.offline_queue.box import BOX, NOON, opened, print_draft, scan_draft


async def test_counts_by_state_and_lane_and_the_oldest_wait(tmp_path: Path) -> None:
    """Read beside the running agent."""
    async with opened(tmp_path / "queue.db") as outbox:
        first = await outbox.commit(scan_draft(0))
        await outbox.commit(scan_draft(60))
        await outbox.commit(print_draft())
        await outbox.settle(1, [Settled(1, hash_of(STD, first))])
        summary = queue_summary(tmp_path / "queue.db", NOON + timedelta(minutes=5))
    assert (summary.box, summary.epoch) == (str(BOX), 1)
    assert summary.counts == (
        LaneCount(RowState.PENDING, Lane.PRINT, 1),
        LaneCount(RowState.PENDING, Lane.USE, 1),
        LaneCount(RowState.SETTLED, Lane.USE, 1),
    )
    assert summary.count(RowState.PENDING) == 2
    assert summary.oldest_pending_at == NOON + timedelta(seconds=60)
    assert summary.oldest_pending_age == timedelta(minutes=4)


async def test_an_empty_queue_waits_for_nothing(tmp_path: Path) -> None:
    """No pending row, no age."""
    async with opened(tmp_path / "queue.db"):
        summary = queue_summary(tmp_path / "queue.db", NOON)
    assert summary.counts == ()
    assert summary.oldest_pending_age is None


def test_a_queue_not_begun_is_said_in_words(tmp_path: Path) -> None:
    """The box was killed between making its tables and its first epoch."""
    path = tmp_path / "queue.db"
    file = open_for_writing(path)
    migrate(file.connection, read_migrations())
    file.close()
    with pytest.raises(Unavailable) as caught:
        queue_summary(path, NOON)
    assert caught.value.reason is Reason.STORE_UNAVAILABLE
