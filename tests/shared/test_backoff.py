"""Waiting times: they double to their bound, keep to the upper half of the step, and start over."""

from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import Backoff


def test_steps_double_to_the_bound_and_reset() -> None:
    """With the highest chance a wait is the whole step."""
    backoff = Backoff(0.5, 4.0, chance=lambda: 1.0)
    assert [backoff.next_seconds() for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, 4.0]
    backoff.reset()
    assert backoff.next_seconds() == 0.5


@given(chance=st.floats(0, 1, exclude_max=True), count=st.integers(1, 20))
def test_nobody_returns_at_once(chance: float, count: int) -> None:
    """A wait is never less than half its step, and never beyond the bound."""
    backoff = Backoff(1.0, 30.0, chance=lambda: chance)
    waits = [backoff.next_seconds() for _ in range(count)]
    assert all(0.5 <= wait <= 30.0 for wait in waits)
