"""The lease at work: which step holds, what a use costs, and what is on the disk before it counts.

Counts are reserved on the disk a block ahead, so that no scan waits for a write and a power cut
costs the box a block. Time is written now and then: what a cut hides is less than a start costs.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from agent.lease.books import (
    Books,
    Reading,
    advance,
    begin_lease,
    learn_time,
    lose,
    open_books,
)
from agent.listed import Heeded
from agent.ports_alone import LeaseStanding
from shared.clock import Clock, ClockOffset, from_microseconds, to_microseconds
from shared.crypto import VerifyKey
from shared.errors import Damaged, NotAuthentic, Refused, Unavailable
from shared.lease import (
    DEFAULT_POLICY,
    Consumed,
    Lease,
    LeasePolicy,
    LeaseStep,
    LeaseUse,
    SignedLease,
    check_newer,
    consumed_step,
    decide_step,
    left_until_next,
    open_lease,
)
from shared.reasons import Reason

log = logging.getLogger(__name__)

KEEP_US = 60_000_000
"""What a power cut hides of the time at most; a start of the machine costs at least twice that."""
_MOST_BLOCK = 64
_DRIFT = 100e-6
"""How wrong a computer's quartz runs at most, as in ``agent.transport.asks``."""
_REASONS = {
    LeaseStep.VERIFY_ONLY: Reason.LEASE_VERIFY_ONLY,
    LeaseStep.IDENTITY_ONLY: Reason.LEASE_IDENTITY_ONLY,
    LeaseStep.STOP: Reason.LEASE_STOP,
}


class Shelf(Protocol):
    """Where the books lie. Blocking."""

    def load(self) -> Books | None:
        """Raises Damaged (LEASE_LOST)."""
        ...

    def keep(self, books: Books) -> None:
        """Raises Unavailable."""
        ...


class OfflineLease:
    """Implements ``agent.ports_alone.Lease``. All methods belong to one event loop, but for
    ``load``."""

    def __init__(
        self,
        *,
        box: str,
        verify_key: VerifyKey | None,
        clock: Clock,
        boot_id: bytes,
        shelf: Shelf,
    ) -> None:
        """Without ``verify_key`` no lease is believed, and the first one's terms hold."""
        self._box = box
        self._verify_key = verify_key
        self._clock = clock
        self._boot_id = boot_id
        self._shelf = shelf
        self._heed: Callable[[], Heeded] = Heeded
        self._lease: Lease | None = None
        self._books = open_books(self._read())
        self._kept = self._books  # what the disk has: counts are reserved there
        self._keeping = asyncio.Lock()
        self._reserving: asyncio.Task[None] | None = None
        self._learnt = False  # and not yet on the disk

    def load(self, *, used_before: bool) -> None:
        """Take up the books, charge for the start, and keep them. Blocks.

        A box that has worked before and has no books has lost them: it goes on as one that has
        used up its first step, until a lease comes.
        """
        try:
            books = self._shelf.load()
        except Damaged as error:
            log.error("the books of the offline lease are lost: %s", error)
            books, used_before = None, True
        if books is not None:
            self._books, self._lease = books, self._check_kept(books)
            used_before = books.lease is not None and self._lease is None
        if used_before:
            self._books = lose(self._books, DEFAULT_POLICY.verify_only.seconds)
        self._tick()
        self._write(self._with_blocks(self._books))

    def _check_kept(self, books: Books) -> Lease | None:
        """A kept lease is checked like one that came."""
        if books.lease is None or self._verify_key is None:
            return None
        try:
            return open_lease(books.lease, self._verify_key, self._box)
        except Refused as refusal:
            log.error("the kept offline lease is not believed: %s", refusal)
            return None

    def heed_lists(self, heed: Callable[[], Heeded]) -> None:
        """From now on the age of central's lists lowers what is allowed."""
        self._heed = heed

    # --- what holds ------------------------------------------------------------------------------

    @property
    def policy(self) -> LeasePolicy:
        """The terms at work; a box that never had a lease has the usual ones."""
        return self._lease.policy if self._lease else DEFAULT_POLICY

    @property
    def revision(self) -> int:
        """Of the lease at work; 0: none."""
        return self._lease.revision if self._lease else 0

    @property
    def consumed(self) -> Consumed:
        """What is used up by now."""
        self._tick()
        return self._books.consumed

    @property
    def step(self) -> LeaseStep:
        """What this box may do alone now."""
        return decide_step(
            self.policy,
            self.consumed,
            clock_doubted=self._books.doubted,
            lists_age=self._lists_seconds(),
        )

    @property
    def clock_doubted(self) -> bool:
        """Whether this box's clock is known to be wrong, and central has not said the time."""
        self._tick()
        return self._books.doubted

    @property
    def reason(self) -> Reason | None:
        """Why less than everything is allowed; None while everything is."""
        consumed = consumed_step(self.policy, self.consumed)
        if self._books.lost and consumed is LeaseStep.VERIFY_ONLY:
            return Reason.LEASE_LOST
        if consumed is not LeaseStep.FULL:
            return _REASONS[consumed]
        if self._books.doubted:
            return Reason.LEASE_CLOCK
        return self._heed().reason if self.step is not LeaseStep.FULL else None

    def view(self) -> LeaseStanding:
        """All of it at a glance."""
        consumed, step = self.consumed, self.step
        return LeaseStanding(
            step=step,
            reason=self.reason,
            left=left_until_next(self.policy, consumed, step),
            revision=self.revision,
            issued_at=from_microseconds(self._lease.issued_at) if self._lease else None,
        )

    @property
    def time(self) -> ClockOffset | None:
        """How far central's clock is ahead of ours, where central has said so in this boot; also
        after a restart of the agent."""
        self._tick()
        books = self._books
        if not books.anchored:
            return None
        age_ms = (books.monotonic_ns - books.anchored_ns) / 1_000_000
        confidence = books.confidence_ms + int(age_ms * _DRIFT)
        return ClockOffset(round(books.offset_us / 1000), confidence)

    @property
    def central_now(self) -> datetime | None:
        """Central's time, where central has said it in this boot."""
        self._tick()
        return from_microseconds(self._books.time_us) if self._books.anchored else None

    @property
    def best_now(self) -> datetime:
        """What time it is as far as this box can know: while its clock is doubted, one that has
        passed."""
        self._tick()
        return from_microseconds(self._books.time_us)

    # --- what changes it -------------------------------------------------------------------------

    async def charge(self, use: LeaseUse) -> LeaseStep:
        """One use without central: the step under which it is done, before it counts."""
        step = self.step
        scan = use is LeaseUse.SCAN
        if self._room(use) <= 0:
            await self._reserve()
        books = self._books
        self._books = msgspec.structs.replace(
            books, scans=books.scans + scan, issues=books.issues + (not scan)
        )
        if self._room(use) <= self._block() // 2 and self._reserving is None:
            self._reserving = asyncio.create_task(self._reserve(), name="lease")
            self._reserving.add_done_callback(self._reserved)
        return step

    def learn(self, offset: ClockOffset) -> None:
        """What an authentic answer has just told of central's clock."""
        central_at = self._clock.now() + timedelta(milliseconds=offset.milliseconds)
        was = self._books
        self._books = learn_time(
            was, self._read(), central_at, offset.confidence_ms, self.policy.boot_seconds
        )
        self._learnt = True
        if was.doubted or not was.anchored:
            log.info("central has said the time: %+d ms", offset.milliseconds)

    async def take(self, signed: SignedLease, nonce: bytes) -> Lease:
        """Begin a new lease, on the disk before it holds.

        Raises NotAuthentic, Refused (NOT_FOR_THIS_BOX, LEASE_OLDER …), Malformed, Unavailable.
        """
        if self._verify_key is None:
            raise NotAuthentic(Reason.KEY_UNKNOWN, "central's announcements")
        lease = open_lease(signed, self._verify_key, self._box)
        check_newer(lease, nonce, self._lease)
        async with self._keeping:
            self._tick()
            reserved = self._with_blocks(begin_lease(self._books, signed))
            await asyncio.to_thread(self._shelf.keep, reserved)
            self._books = begin_lease(self._books, signed)
            self._kept, self._lease = reserved, lease
        log.info("offline lease %d of %s", lease.revision, from_microseconds(lease.issued_at))
        return lease

    async def keep_up(self) -> None:
        """Write what a restart could not find again by itself: a jump, a doubt, what central has
        said of the time, and a minute that has passed. To be called every second or so.

        A disk in trouble is said, and tried again.
        """
        self._tick()
        now, kept = self._books, self._kept
        passed = now.counted_us - kept.counted_us
        if passed >= KEEP_US or now.doubted != kept.doubted or self._learnt:
            await self._reserve()

    async def close(self) -> None:
        """Give back what was reserved and not used, at a stop in order."""
        async with self._keeping:
            self._tick()
            await asyncio.to_thread(self._write, self._books)

    async def _reserve(self) -> None:
        async with self._keeping:
            self._tick()
            self._learnt = False
            await asyncio.to_thread(self._write, self._with_blocks(self._books))

    def _write(self, books: Books) -> None:
        try:
            self._shelf.keep(books)
        except Unavailable as error:
            # The same disk takes no records: nothing is allowed that would be hidden by this.
            log.warning("the offline lease cannot be kept: %s", error)
            return
        self._kept = books

    def _with_blocks(self, books: Books) -> Books:
        block = self._block()
        return msgspec.structs.replace(
            books, scans=books.scans + block, issues=books.issues + block
        )

    def _block(self) -> int:
        first = self.policy.verify_only
        return max(1, min(_MOST_BLOCK, first.scans // 100, first.issues // 100))

    def _room(self, use: LeaseUse) -> int:
        if use is LeaseUse.SCAN:
            return self._kept.scans - self._books.scans
        return self._kept.issues - self._books.issues

    def _reserved(self, task: asyncio.Task[None]) -> None:
        self._reserving = None
        task.result()

    def _tick(self) -> None:
        self._books = advance(self._books, self._read(), self.policy.boot_seconds)

    def _read(self) -> Reading:
        return Reading(
            self._boot_id, to_microseconds(self._clock.now()), self._clock.monotonic_ns()
        )

    def _lists_seconds(self) -> int | None:
        age = self._heed().age
        return None if age is None else max(0, int(age.total_seconds()))
