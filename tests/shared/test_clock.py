"""Time: what one exchange tells of central's clock, and how times travel."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import (
    ClockOffset,
    ManualClock,
    SystemClock,
    from_microseconds,
    measure_offset,
    read_boot_id,
    to_microseconds,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def milliseconds(value: float) -> timedelta:
    return timedelta(milliseconds=value)


def test_offset_is_against_the_middle_of_the_exchange() -> None:
    """Asked at 0, answered at 40: central said 1020 in the middle, so it is 1000 ahead, ± 20."""
    offset = measure_offset(NOON, NOON + milliseconds(40), NOON + milliseconds(1020))
    assert offset == ClockOffset(1000, 20)


def test_offset_behind_and_a_trip_of_no_time() -> None:
    """A clock ahead of central's has a negative offset; doubt is never less than a millisecond."""
    assert measure_offset(NOON, NOON, NOON - milliseconds(500)) == ClockOffset(-500, 1)


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(-100_000, 100_000))
def test_the_true_offset_lies_within_the_doubt(out: int, back: int, truth: int) -> None:
    """However unevenly the trip was spent, the truth is within the confidence, rounding apart."""
    asked_at, answered_at = NOON, NOON + milliseconds(out + back)
    central_at = NOON + milliseconds(out + truth)
    offset = measure_offset(asked_at, answered_at, central_at)
    assert abs(offset.milliseconds - truth) <= offset.confidence_ms + 1


@given(st.integers(0, 253_402_300_799_999_999))
def test_microseconds_read_back(value: int) -> None:
    """Every time that may travel is a ``datetime`` and comes back exactly."""
    assert to_microseconds(from_microseconds(value)) == value


def test_the_epoch() -> None:
    """Zero is 1970 in UTC."""
    assert from_microseconds(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_manual_clock_moves_when_told() -> None:
    """Both clocks by a step, the wall clock alone by a jump."""
    clock = ManualClock(NOON)
    clock.advance(timedelta(seconds=2))
    assert (clock.now(), clock.monotonic_ns()) == (NOON + timedelta(seconds=2), 2_000_000_000)
    clock.set_wall(NOON - timedelta(days=1))
    assert (clock.now(), clock.monotonic_ns()) == (NOON - timedelta(days=1), 2_000_000_000)


def test_the_machines_own_clocks() -> None:
    """Aware UTC, and a boot clock that does not go back."""
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic_ns() <= clock.monotonic_ns()


def test_the_boot_id() -> None:
    """Sixteen bytes, the same as long as the machine runs."""
    assert len(read_boot_id()) == 16
    assert read_boot_id() == read_boot_id()
