"""What is consumed of a lease and what time it is, as pure steps over one record. No I/O, no clock.

``time_us`` is the high-water mark: central's time as far as this box knows it. It goes on with the
monotonic clock. Before central has said the time in this boot, the wall clock may only push it
forward, which is charged; a wall clock below it is doubted until central says the time
(CONTRACTS §6, ADR 0017). What is consumed shrinks by a new lease alone.
"""

from datetime import datetime

import msgspec

from shared.clock import to_microseconds
from shared.lease import Consumed, SignedLease

_SECOND_US = 1_000_000
TOLERANCE_US = 60 * _SECOND_US
"""So far may a wall clock be below the mark and be believed. Less than what a start of the machine
costs, so setting it back at each start gains nothing."""


class Reading(msgspec.Struct, frozen=True):
    """The box's own clocks at one moment."""

    boot_id: bytes
    wall_us: int
    monotonic_ns: int


class Books(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that must outlive a power cut. Times in microseconds."""

    boot_id: bytes
    monotonic_ns: int
    time_us: int
    lease: SignedLease | None = None
    counted_us: int = 0
    scans: int = 0
    issues: int = 0
    offset_us: int = 0  # what is added to the wall clock to get central's time
    confidence_ms: int = 0  # of what central last said
    anchored: bool = False  # central has said the time in this boot
    anchored_ns: int = 0  # when, by the monotonic clock
    doubted: bool = False  # the wall clock is below the mark
    lost: bool = False  # what was consumed before is not known
    version: int = 1

    @property
    def consumed(self) -> Consumed:
        """What is used up."""
        return Consumed(self.counted_us // _SECOND_US, self.scans, self.issues)


def open_books(now: Reading) -> Books:
    """Of a box that never had a lease."""
    return Books(boot_id=now.boot_id, monotonic_ns=now.monotonic_ns, time_us=now.wall_us)


def advance(books: Books, now: Reading, boot_seconds: int) -> Books:
    """Time has passed, a restart of the machine included."""
    if now.boot_id != books.boot_id or now.monotonic_ns < books.monotonic_ns:
        return _start(books, now, boot_seconds)
    passed = (now.monotonic_ns - books.monotonic_ns) // 1000
    time, charge = books.time_us + passed, passed
    doubted, offset = books.doubted, books.offset_us
    if books.anchored:
        offset = time - now.wall_us
    else:
        shown = now.wall_us + offset
        if shown > time + TOLERANCE_US:
            charge, time = charge + shown - time, shown
        doubted = doubted or shown < time - TOLERANCE_US
    return msgspec.structs.replace(
        books,
        monotonic_ns=books.monotonic_ns + passed * 1000,
        time_us=time,
        counted_us=books.counted_us + charge,
        offset_us=offset,
        doubted=doubted,
    )


def _start(books: Books, now: Reading, boot_seconds: int) -> Books:
    """The machine was off for as long as its clock says, at least.

    A clock that central had found wrong may have been set right since, or not: of what both give,
    the shorter time is charged; neither may be below the mark.
    """
    cost = boot_seconds * _SECOND_US
    offsets = sorted({books.offset_us, 0}, key=lambda each: now.wall_us + each)
    believed = [each for each in offsets if now.wall_us + each >= books.time_us - TOLERANCE_US]
    offset = believed[0] if believed else 0
    gap = max(0, now.wall_us + offset - books.time_us) if believed else 0
    return msgspec.structs.replace(
        books,
        boot_id=now.boot_id,
        monotonic_ns=now.monotonic_ns,
        time_us=books.time_us + gap,
        counted_us=books.counted_us + gap + cost,
        offset_us=offset,
        anchored=False,
        doubted=books.doubted or not believed,
    )


def learn_time(
    books: Books, now: Reading, central_at: datetime, confidence_ms: int, boot_seconds: int
) -> Books:
    """Central has said what time it is now: the mark is that. What it is ahead of the mark has
    passed unnoticed, and is charged."""
    books = advance(books, now, boot_seconds)
    time = to_microseconds(central_at)
    return msgspec.structs.replace(
        books,
        time_us=time,
        counted_us=books.counted_us + max(0, time - books.time_us),
        offset_us=time - now.wall_us,
        confidence_ms=confidence_ms,
        anchored=True,
        anchored_ns=now.monotonic_ns,
        doubted=False,
    )


def begin_lease(books: Books, lease: SignedLease) -> Books:
    """A new lease, checked before: nothing of it is consumed yet."""
    return msgspec.structs.replace(books, lease=lease, counted_us=0, scans=0, issues=0, lost=False)


def lose(books: Books, seconds: int) -> Books:
    """What was consumed before is not known: so much at least is taken for it."""
    counted = max(books.counted_us, seconds * _SECOND_US)
    return msgspec.structs.replace(books, lease=None, counted_us=counted, lost=True)
