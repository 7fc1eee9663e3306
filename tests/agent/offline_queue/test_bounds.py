"""Bounds: what is given up, in which order, what never is, and what staff hear before."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offline_queue.bounds import Bound, Bounds, fill_percent, find_excess, warning
from agent.offline_queue.keeping import Keeping
from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.states import KEPT_LANES
from shared.clock import ManualClock
from shared.ledger import Account, Lane
from shared.reasons import Reason
from tests.agent.offline_queue.box import NOON, ORIGIN, opened, scan_draft

SMALL = Bounds(
    rows=100,
    lanes={
        Lane.IDENTITY: Bound(60),
        Lane.PRINT: Bound(50),
        Lane.USE: Bound(50, timedelta(days=2)),
        Lane.TELEMETRY: Bound(20, timedelta(days=1)),
    },
)
COUNTS = st.tuples(*[st.integers(0, 200)] * 4)


@given(COUNTS)
def test_a_kept_lane_is_never_given_up(waiting: tuple[int, ...]) -> None:
    """Identity and print stay, however full the queue is (SYSTEM, lanes by value)."""
    excess = find_excess(waiting, SMALL)
    if excess is not None:
        assert excess.lane not in KEPT_LANES
        assert 0 < excess.rows <= waiting[excess.lane]


@given(COUNTS)
def test_giving_up_ends_within_the_bounds(waiting: tuple[int, ...]) -> None:
    """Telemetry first, then use; when it ends all bounds hold, or only kept lanes are left."""
    left = list(waiting)
    lanes = []
    while excess := find_excess(left, SMALL):
        left[excess.lane] -= excess.rows
        lanes.append(excess.lane)
    assert lanes == sorted(lanes, reverse=True)
    within = sum(left) <= SMALL.rows and left[Lane.USE] <= 50 and left[Lane.TELEMETRY] <= 20
    assert within or left[Lane.USE] == left[Lane.TELEMETRY] == 0


@pytest.mark.parametrize(
    ("percent", "reason"),
    [
        (49, None),
        (50, Reason.QUEUE_HALF_FULL),
        (79, Reason.QUEUE_HALF_FULL),
        (80, Reason.QUEUE_FILLING),
        (94, Reason.QUEUE_FILLING),
        (95, Reason.QUEUE_NEARLY_FULL),
    ],
)
def test_staff_are_warned(percent: int, reason: Reason | None) -> None:
    """At 50, 80 and 95 %."""
    assert warning(percent) is reason
    assert fill_percent((0, 0, percent, 0), SMALL) == percent


def test_the_fullest_kept_lane_counts() -> None:
    """It is the one that will not make room by itself."""
    assert fill_percent((30, 0, 0, 0), SMALL) == 50


async def test_seventy_two_hours_offline(tmp_path: Path) -> None:
    """Beyond the bound telemetry goes first, then use records, the oldest first, each named by a
    record of the identity lane; identity and print are all there; the account holds."""
    path = tmp_path / "queue.db"
    lanes = [Lane.TELEMETRY, Lane.USE, Lane.USE, Lane.IDENTITY, Lane.PRINT] * 30
    async with opened(path, bounds=SMALL) as outbox:
        await asyncio.gather(
            *(outbox.commit(scan_draft(n, lane=lane)) for n, lane in enumerate(lanes))
        )
        assert outbox.fill.reason is Reason.QUEUE_NEARLY_FULL
        assert outbox.fill.keeps
        await Keeping(outbox, SMALL, ManualClock(NOON), lambda: ORIGIN).keep_numbers()
        identity, printed, use, telemetry = outbox.waiting
        assert (identity >= 30, printed, telemetry) == (True, 30, 0)
        assert sum(outbox.waiting) <= SMALL.rows
        account = await outbox.read_account()
        assert account.tombstoned == 30 + 60 - use
        pending = await outbox.read_pending(1000)
        assert pending is not None
        kept = [row.seq for row in pending.rows if row.lane == Lane.USE]
        newest = [seq for seq, lane in enumerate(lanes, 1) if lane == Lane.USE][-use:]
        assert kept == newest
    assert verify_queue(path).holds


async def test_what_is_too_old_is_given_up(tmp_path: Path) -> None:
    """By its lane's age; younger rows and dear ones stay."""
    clock = ManualClock(NOON)
    async with opened(tmp_path / "queue.db", bounds=SMALL) as outbox:
        for lane in Lane:
            await outbox.commit(scan_draft(lane=lane))
        keeping = Keeping(outbox, SMALL, clock, lambda: ORIGIN)
        await keeping.keep_ages()
        assert outbox.waiting == (1, 1, 1, 1)
        clock.advance(timedelta(days=1, seconds=1))
        await keeping.keep_ages()
        assert outbox.waiting == (2, 1, 1, 0)
        clock.advance(timedelta(days=1))
        await keeping.keep_ages()
        assert outbox.waiting == (3, 1, 0, 0)
        assert await outbox.read_account() == Account(6, 0, 4, 2)
    assert verify_queue(tmp_path / "queue.db").holds


async def test_the_lanes_are_known_again_after_a_restart(tmp_path: Path) -> None:
    """Also of rows above the noted head, which no enqueue has noted."""
    path = tmp_path / "queue.db"
    async with opened(path) as outbox:
        for lane in (Lane.USE, Lane.PRINT, Lane.USE):
            await outbox.commit(scan_draft(lane=lane))
    for opening in range(2):
        async with opened(path) as outbox:
            assert outbox.waiting == (2 * opening, 1, 2, 0)
            await outbox.commit(scan_draft(lane=Lane.TELEMETRY))
            await Keeping(
                outbox, replace(SMALL, rows=0), ManualClock(NOON), lambda: ORIGIN
            ).keep_numbers()
            assert outbox.waiting[1:] == (1, 0, 0)
            await outbox.commit(scan_draft(lane=Lane.USE))
            await outbox.commit(scan_draft(lane=Lane.USE))
    assert verify_queue(path).holds
