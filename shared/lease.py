"""How long, and for how much, a box may work alone: a lease that central signs for one box, its
steps, and the pure decision which step holds for what was consumed of it.

Every grant is an answer to the box's own question and carries its id, so that an old one cannot
come again. What is consumed is kept by the box (``agent.lease``); nothing here knows a clock.
"""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import msgspec

from shared.crypto import VerifyKey
from shared.errors import Malformed, NotAuthentic, Refused
from shared.message_bases import AskBase, Id, ReplyBase, Time
from shared.reasons import Reason

DAY = 86_400
MOST_SECONDS = 3_650 * DAY
_MOST_COUNT = 100_000_000

Revision = Annotated[int, msgspec.Meta(ge=1, lt=1 << 62)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=MOST_SECONDS)]
Count = Annotated[int, msgspec.Meta(ge=1, le=_MOST_COUNT)]


class LeaseStep(StrEnum):
    """What a box may do alone, from all of it to nothing. In this order, never back without a new
    lease."""

    FULL = "full"
    VERIFY_ONLY = "verify-only"  # codes that verify by a signature, and known persons
    IDENTITY_ONLY = "identity-only"  # tells who it is, and allows nothing
    STOP = "stop"


ORDER = tuple(LeaseStep)


def graver(one: LeaseStep, other: LeaseStep) -> LeaseStep:
    """The step of the two that allows less."""
    return max(one, other, key=ORDER.index)


class LeaseUse(StrEnum):
    """What is counted."""

    SCAN = "scan"  # judged without central
    ISSUE = "issue"  # a temporary code given


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a step begins: at whichever of these is consumed first."""

    seconds: Seconds
    scans: Count
    issues: Count


class LeasePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the boxes of a site go alone.

    72 hours is what a box must hold in full; a certificate that nobody renewed does not stop work
    at the 25th day; after half a year nobody has looked after the box.
    """

    verify_only: Bound = Bound(3 * DAY, 10_000, 1_000)
    identity_only: Bound = Bound(30 * DAY, 30_000, 2_000)
    stop: Bound = Bound(180 * DAY, 60_000, 3_000)
    boot_seconds: Annotated[int, msgspec.Meta(ge=120, le=DAY)] = 600
    """What each start of the machine costs: more than a power cut can hide (``agent.lease``)."""
    lists_seconds: Seconds = 7 * DAY
    """Lists older than this allow VERIFY_ONLY at most."""

    def bounds(self) -> tuple[tuple[LeaseStep, Bound], ...]:
        """The steps after FULL, in order."""
        return (
            (LeaseStep.VERIFY_ONLY, self.verify_only),
            (LeaseStep.IDENTITY_ONLY, self.identity_only),
            (LeaseStep.STOP, self.stop),
        )


DEFAULT_POLICY = LeasePolicy()


def check_policy(policy: LeasePolicy) -> None:
    """What the types cannot say: no later step begins earlier.

    Raises Malformed (SETTING_IMPOSSIBLE), its detail naming where.
    """
    bounds = policy.bounds()
    for (_, earlier), (step, later) in pairwise(bounds):
        for name in Bound.__struct_fields__:
            if getattr(later, name) < getattr(earlier, name):
                raise Malformed(Reason.SETTING_IMPOSSIBLE, f"{step}.{name}")


class Lease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One grant. ``nonce`` is the id of the question, ``issued_at`` central's clock: signed
    time."""

    box: str
    revision: Revision  # grows with each grant to a box
    issued_at: Time
    nonce: Id
    policy: LeasePolicy
    version: Literal[1] = 1


class SignedLease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``body`` is a ``Lease`` as msgpack; ``signature`` by central's announcements key over
    ``lease_bytes``."""

    body: Annotated[bytes, msgspec.Meta(max_length=4096)]
    signature: Annotated[bytes, msgspec.Meta(max_length=128)]


class LeaseAsk(AskBase, frozen=True, kw_only=True, tag="lease"):
    """May this box work alone again? ``revision`` is of the lease it has, 0 for none."""

    revision: Annotated[int, msgspec.Meta(ge=0, lt=1 << 61)] = 0


class LeaseReply(ReplyBase, frozen=True, kw_only=True, tag="lease"):
    """A new lease, signed; its nonce is the ask's id."""

    lease: SignedLease


def lease_bytes(body: bytes) -> bytes:
    """What the signature of a ``SignedLease`` covers."""
    return b"onecode lease\0" + body


def build_body(lease: Lease) -> bytes:
    """The one byte form of a ``Lease``: what is signed."""
    return msgspec.msgpack.encode(lease)


class _Version(msgspec.Struct, frozen=True):
    version: int


_decode = msgspec.msgpack.Decoder(Lease).decode
_decode_version = msgspec.msgpack.Decoder(_Version).decode
_NOT_OURS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse_body(body: bytes) -> Lease:
    """Read what a verified ``SignedLease`` holds.

    Raises Malformed, Refused (SCHEMA_UNKNOWN) for one of the future.
    """
    try:
        return _decode(body)
    except _NOT_OURS as error:
        try:
            future = _decode_version(body).version > 1
        except _NOT_OURS:
            future = False
        if future:
            raise Refused(Reason.SCHEMA_UNKNOWN, "a lease") from error
        raise Malformed(Reason.MESSAGE_MALFORMED, "a lease") from error


def open_lease(signed: SignedLease, key: VerifyKey, box: str) -> Lease:
    """A lease that is believed at this box.

    Raises NotAuthentic (SIGNATURE_WRONG), Refused (NOT_FOR_THIS_BOX, SCHEMA_UNKNOWN), Malformed.
    """
    key.verify(signed.signature, lease_bytes(signed.body))
    lease = parse_body(signed.body)
    if lease.box != box:
        raise Refused(Reason.NOT_FOR_THIS_BOX, "a lease")
    check_policy(lease.policy)
    return lease


def check_newer(lease: Lease, nonce: bytes, before: Lease | None) -> None:
    """A grant just asked for, newer than the one at work.

    Raises NotAuthentic (NOT_ASKED) for an answer to another question, Refused (LEASE_OLDER).
    """
    if lease.nonce != nonce:
        raise NotAuthentic(Reason.NOT_ASKED, "a lease for another question")
    if before is not None and lease.revision <= before.revision:
        raise Refused(Reason.LEASE_OLDER, f"revision {lease.revision}")


class Consumed(NamedTuple):
    """What is used up of a lease."""

    seconds: int = 0
    scans: int = 0
    issues: int = 0


def consumed_step(policy: LeasePolicy, consumed: Consumed) -> LeaseStep:
    """The step that what is consumed has reached."""
    reached = LeaseStep.FULL
    for step, bound in policy.bounds():
        if (
            consumed.seconds >= bound.seconds
            or consumed.scans >= bound.scans
            or consumed.issues >= bound.issues
        ):
            reached = step
    return reached


def decide_step(
    policy: LeasePolicy, consumed: Consumed, *, clock_doubted: bool, lists_age: int | None
) -> LeaseStep:
    """Which step holds now. ``lists_age`` in seconds; None: not known, and nothing follows."""
    step = consumed_step(policy, consumed)
    lists_old = lists_age is not None and lists_age >= policy.lists_seconds
    if clock_doubted or lists_old:
        step = graver(step, LeaseStep.VERIFY_ONLY)
    return step


class Left(NamedTuple):
    """What is left until the next step, and which that is."""

    step: LeaseStep
    seconds: int
    scans: int
    issues: int


def left_until_next(policy: LeasePolicy, consumed: Consumed, step: LeaseStep) -> Left | None:
    """From ``step`` on; None at STOP."""
    for later, bound in policy.bounds():
        if ORDER.index(later) > ORDER.index(step):
            return Left(
                later,
                max(0, bound.seconds - consumed.seconds),
                max(0, bound.scans - consumed.scans),
                max(0, bound.issues - consumed.issues),
            )
    return None
