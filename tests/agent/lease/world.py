"""A lease, the clocks and the disk of its box, and central that signs for it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.lease.books import Books
from agent.lease.service import OfflineLease
from agent.listed import Heeded
from shared.clock import ClockOffset, to_microseconds
from shared.crypto import STD
from shared.errors import Damaged, Unavailable
from shared.ids import new_record_id
from shared.lease import (
    DEFAULT_POLICY,
    Bound,
    Lease,
    LeasePolicy,
    SignedLease,
    build_body,
    lease_bytes,
)
from shared.reasons import Reason
from tests.fakes import NOON

BOX = "site1/box1"
UNKNOWN = Heeded()
KEY = STD.signing_key(bytes(range(32)))
SMALL = LeasePolicy(
    verify_only=Bound(3600, 100, 50),
    identity_only=Bound(7200, 200, 100),
    stop=Bound(10_800, 300, 150),
    boot_seconds=120,
    lists_seconds=86_400,
)


@dataclass
class Machine:
    """Clocks that a test moves, and a disk that outlives the process. The true time is central's;
    the wall clock may be anywhere."""

    true: datetime = NOON
    wall: datetime = NOON
    monotonic: int = 5_000_000_000
    boots: int = 1
    books: Books | None = None
    damaged: bool = False
    full: bool = False
    writes: int = field(default=0)

    def now(self) -> datetime:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.monotonic

    def load(self) -> Books | None:
        if self.damaged:
            raise Damaged(Reason.LEASE_LOST)
        return self.books

    def keep(self, books: Books) -> None:
        if self.full:
            raise Unavailable(Reason.STORE_FULL)
        self.writes += 1
        self.books, self.damaged = books, False

    def work(self, passed: timedelta) -> None:
        """Time passes while the machine is on."""
        self.true += passed
        self.wall += passed
        self.monotonic += passed // timedelta(microseconds=1) * 1000

    def reboot(self, off: timedelta = timedelta(), *, jump: timedelta = timedelta()) -> None:
        """Off for so long; the clock has gone on with it, and was set by ``jump`` besides."""
        self.true += off
        self.wall += off + jump
        self.monotonic = 1_000_000_000
        self.boots += 1

    def start(self, *, used_before: bool = False, lists: Heeded = UNKNOWN) -> OfflineLease:
        """The agent's lease after a start of its process."""
        lease = OfflineLease(
            box=BOX,
            verify_key=STD.verify_key(KEY.public_bytes),
            clock=self,
            boot_id=self.boots.to_bytes(16, "big"),
            shelf=self,
        )
        lease.heed_lists(lambda: lists)
        lease.load(used_before=used_before)
        return lease

    def offset(self) -> ClockOffset:
        """What an answer of central's would tell."""
        return ClockOffset(round((self.true - self.wall) / timedelta(milliseconds=1)), 5)

    async def grant(self, lease: OfflineLease, policy: LeasePolicy = SMALL) -> Lease:
        """Central is reached: the time first, then a new lease."""
        lease.learn(self.offset())
        nonce = new_record_id(self.true).bytes
        signed = sign(nonce, lease.revision + 1, at=self.true, policy=policy)
        return await lease.take(signed, nonce)


def sign(
    nonce: bytes,
    revision: int = 1,
    *,
    at: datetime = NOON,
    box: str = BOX,
    policy: LeasePolicy = DEFAULT_POLICY,
) -> SignedLease:
    """What central signs."""
    body = build_body(Lease(box, revision, to_microseconds(at), nonce, policy))
    return SignedLease(body, KEY.sign(lease_bytes(body)))
