"""Time as the system sees it: aware UTC, this boot's monotonic time, and how far off we may be.

Central's time is learnt only from authenticated replies (CONTRACTS §6); ``ClockOffset`` is what
one such exchange tells. Tests drive ``ManualClock`` instead of waiting.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What anything that needs time is given."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds of this boot, never going back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._monotonic_ns = 0

    def now(self) -> datetime:
        return self._at

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def advance(self, step: timedelta) -> None:
        """Let time pass: wall clock and monotonic clock together."""
        self._at += step
        self._monotonic_ns += step // timedelta(microseconds=1) * 1000

    def set_wall(self, at: datetime) -> None:
        """Jump the wall clock alone, as a wrong clock does."""
        self._at = at


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far central's clock is ahead of ours, and how sure that is, in milliseconds."""

    milliseconds: int
    confidence_ms: int


def measure_offset(asked_at: datetime, answered_at: datetime, central_at: datetime) -> ClockOffset:
    """Offset from one exchange: central's time against the middle of it, half the trip as doubt."""
    trip = answered_at - asked_at
    offset = central_at - (asked_at + trip / 2)
    millisecond = timedelta(milliseconds=1)
    return ClockOffset(round(offset / millisecond), max(1, round(trip / millisecond / 2)))


def corrected(at: datetime, offset: ClockOffset | None) -> datetime:
    """Our time as central's clock would show it, as far as that is known."""
    return at + timedelta(milliseconds=offset.milliseconds if offset else 0)


def to_microseconds(at: datetime) -> int:
    """An aware time as microseconds since 1970: how times travel and are hashed."""
    return (at - _EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The inverse of ``to_microseconds``."""
    return _EPOCH + timedelta(microseconds=value)


def read_boot_id() -> bytes:
    """The kernel's boot id, 16 bytes (proc(5), ``/proc/sys/kernel/random/boot_id``)."""
    return bytes.fromhex(_BOOT_ID.read_text().strip().replace("-", ""))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
