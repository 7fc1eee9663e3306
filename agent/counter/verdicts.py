"""What a box may say of a code by itself: pure decisions from what it holds. No I/O, no clock.

Used when central gave no answer in time. The box verifies what carries a signature, remembers
what central told it, and says PROVISIONAL for the rest: central decides on return (SYSTEM.md,
The main road).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.listed import CodeKeys, KnownKey, Listed
from agent.ports import CachedAnswer
from shared.crypto import VerifyKey
from shared.ehc import (
    AnyExtension,
    Code,
    DynamicCode,
    Extension,
    ForeignExtension,
    TemporaryCode,
    extension_times,
    verify_extension,
    verify_temporary,
)
from shared.errors import NotAuthentic
from shared.lease import LeaseStep
from shared.messages import DecidedBy, Identity, ScanReply, Verdict
from shared.reasons import Reason

FUTURE_TOLERANCE = timedelta(seconds=5)
"""How far ahead of us an issuer's clock may be before a code is "from the future"."""


FindKey = Callable[[TemporaryCode], VerifyKey | None]
"""What verifies a temporary code at this box; None: nothing here does."""


def find_none(_code: TemporaryCode) -> VerifyKey | None:
    """A box that knows no box's key."""
    return None


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, why, by whom, and who it is about where that may be shown."""

    verdict: Verdict
    reason: Reason | None
    decided_by: DecidedBy
    identity: Identity | None = None

    @property
    def uses_up(self) -> bool:
        """Whether a single-use code is used up by this verdict."""
        return self.verdict is not Verdict.REFUSED


def refuse(reason: Reason) -> Decision:
    """This box's own refusal."""
    return Decision(Verdict.REFUSED, reason, DecidedBy.BOX)


def accept_reply(reply: ScanReply) -> Decision:
    """Central's verdict as it came."""
    return Decision(reply.verdict, reply.reason, DecidedBy.CENTRAL, reply.identity)


def judge_alone(  # noqa: PLR0913, PLR0917 - all that a box holds of a code
    code: Code,
    cached: CachedAnswer | None,
    code_keys: CodeKeys,
    at: datetime,
    doubt: timedelta,
    find_key: FindKey = find_none,
    *,
    may_be_later: bool = False,
) -> Decision:
    """Judge without central. ``doubt`` is how wrong our own clock may be; ``cached`` is central's
    latest word on the card (``latest_word``). ``may_be_later``: ``at`` has passed, and nobody
    knows how long ago, so no code is from the future.

    A signature that fails (a tail spliced from another code is one), a time that has passed beyond
    doubt, another domain and a refusal that central gave before are REFUSED; everything else is
    PROVISIONAL, also a key that central may have added since this box last heard of it.
    """
    if isinstance(code, TemporaryCode):
        return _judge_temporary(code, cached, find_key(code))
    extension = code.extension if isinstance(code, DynamicCode) else None
    key = code_keys.keys.get(extension.kid) if isinstance(extension, Extension) else None
    ahead = timedelta.max if may_be_later else doubt
    if isinstance(code, DynamicCode) and extension is not None:
        wrong = (
            _refusal_of_signed(code, extension, key, at, doubt, ahead)
            if key is not None and isinstance(extension, Extension)
            else _refusal_of_stranger(extension, code_keys)
        )
        if wrong is not None:
            return refuse(wrong)
    if cached is not None and cached.reason is not None:
        return refuse(cached.reason)
    if extension and not key:
        return _provisional(Reason.CODE_KEY_UNKNOWN)
    if cached is not None:
        return _provisional(Reason.OFFLINE_KNOWN, cached.identity)
    return _provisional(Reason.OFFLINE_SIGNED if extension else Reason.OFFLINE_UNKNOWN)


def latest_word(cached: CachedAnswer | None, listed: Listed) -> CachedAnswer | None:
    """What central said last of a card: to this box about it, or in its lists.

    A list that holds no refusal says that there is none, as of its time.
    """
    refusal, at = listed.revoked, listed.revoked_as_of
    if cached is not None and (at is None or cached.answered_at >= at):
        refusal, at = cached.reason, cached.answered_at
    if refusal is not None and at is not None:
        return CachedAnswer(None, refusal, at)
    known = cached if cached is not None and cached.reason is None else None
    if listed.identity is None or listed.identity_as_of is None:
        return known
    if known is not None and known.answered_at >= listed.identity_as_of:
        return known
    return CachedAnswer(listed.identity, None, listed.identity_as_of)


_VERIFIED = frozenset({Reason.OFFLINE_KNOWN, Reason.OFFLINE_SIGNED, Reason.OFFLINE_TEMPORARY})
"""What a box that is alone says of a code that verifies here, or of a person it knows."""


def limit(decision: Decision, step: LeaseStep, why: Reason | None = None) -> Decision:
    """What is left of this box's own decision at a step of its lease; ``why`` less than everything
    is allowed. A refusal stays one."""
    if decision.verdict is not Verdict.PROVISIONAL or step is LeaseStep.FULL:
        return decision
    if step is LeaseStep.STOP:
        return refuse(Reason.LEASE_STOP)
    verified = decision.reason in _VERIFIED
    if step is LeaseStep.VERIFY_ONLY:
        # A box that central's lists never reached need not have been alone for long.
        never = why is Reason.LEASE_LISTS_MISSING
        reason = Reason.LEASE_LISTS_MISSING if never else Reason.LEASE_VERIFY_ONLY
        return decision if verified else refuse(reason)
    if not verified or decision.identity is None:
        return refuse(Reason.LEASE_IDENTITY_ONLY)
    return _provisional(Reason.LEASE_IDENTITY_ONLY, decision.identity)


def _judge_temporary(
    code: TemporaryCode, cached: CachedAnswer | None, key: VerifyKey | None
) -> Decision:
    """A forged one is refused where its key is known. Whom it was given to is in the cache, with a
    patient id once central has said so itself."""
    try:
        if key is not None:
            verify_temporary(key, code)
    except NotAuthentic as error:
        return refuse(error.reason)
    if cached is not None and cached.reason is not None:
        return refuse(cached.reason)
    identity = cached.identity if cached else None
    if identity is not None and identity.patient_id:
        return _provisional(Reason.OFFLINE_KNOWN, identity)
    if key is None:
        return _provisional(Reason.OFFLINE_TEMPORARY_OTHER)
    return _provisional(Reason.OFFLINE_TEMPORARY, identity)


def _refusal_of_stranger(extension: AnyExtension, keys: CodeKeys) -> Reason | None:
    """A key that is not known is not in use, unless central may have added it since."""
    if isinstance(extension, ForeignExtension):
        return Reason.CODE_OTHER_DOMAIN
    return Reason.CODE_KEY_UNKNOWN if keys.complete else None


def _refusal_of_signed(  # noqa: PLR0913, PLR0917 - as above
    code: DynamicCode,
    extension: Extension,
    known: KnownKey,
    at: datetime,
    doubt: timedelta,
    ahead: timedelta,
) -> Reason | None:
    try:
        verify_extension(known.key, code)
    except NotAuthentic:
        return Reason.CODE_FORGED
    issued_at, expires_at = extension_times(extension)
    if issued_at - at - FUTURE_TOLERANCE > ahead:
        return Reason.CODE_FUTURE
    if at > expires_at + doubt:
        return Reason.CODE_EXPIRED
    if known.until_at is not None and issued_at >= known.until_at:
        return Reason.CODE_KEY_ENDED
    if known.from_at is not None and issued_at + FUTURE_TOLERANCE < known.from_at:
        return Reason.CODE_KEY_ENDED
    return None


def _provisional(reason: Reason, identity: Identity | None = None) -> Decision:
    return Decision(Verdict.PROVISIONAL, reason, DecidedBy.BOX, identity)
