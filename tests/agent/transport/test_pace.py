"""Coming back: a backlog's pace, and that five hundred boxes do not come in the same second."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent.transport.pace import Pace
from agent.transport.uplink import RETRY_SECONDS
from shared.backoff import Backoff


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 5)), max_size=60))
def test_no_more_leaves_than_burst_and_rate_allow(takings: list[tuple[int, float]]) -> None:
    """Whoever waits as told sends at most burst + rate × time."""
    clock = Hand()
    pace = Pace(clock, rate=10, burst=50)
    begun, sent = clock.seconds, 0
    for rows, idle in takings:
        clock.seconds += idle
        clock.seconds += pace.take(rows)
        sent += rows
        assert sent <= 50 + 10 * (clock.seconds - begun) + 1e-6


def test_five_hundred_boxes_do_not_come_back_in_the_same_second() -> None:
    """After one broker was lost and is there again at once: their first tries are spread."""
    chance = random.Random(20261128).random
    tries = [Backoff(RETRY_SECONDS, 30, chance).spread_seconds() for _ in range(500)]
    busiest = Counter(int(seconds) for seconds in tries).most_common(1)[0][1]
    assert busiest <= 200
    assert max(tries) <= 8 * RETRY_SECONDS
