"""Codes, identities and replies for tests: the standard's sample person and a domain of our own."""

import os
from datetime import datetime

from shared.clock import to_microseconds
from shared.crypto import STD, SigningKey
from shared.ehc import DynamicCode, build_code, sign_extension
from shared.messages import Identity, RecordNumber, ScanReply, Verdict
from shared.reasons import Reason

SAMPLE_EHC_ID = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
SAMPLE_VALIDITY = "92FD69141DFE1553A42251E2B0196148"
STATIC_TEXT = f"{SAMPLE_EHC_ID}:1"
DOMAIN_KID = 7

IDENTITY = Identity(
    name="电***卡",
    document="110***********006X",
    sex="2",
    birth_date="2017-12-25",
    patient_id="P00000001",
    record_numbers=(RecordNumber("outpatient", "M00000001"),),
)


def other_static_text(number: int) -> str:
    """A well-formed static code of nobody."""
    return f"{number:064X}:1"


def signed_dynamic_text(
    key: SigningKey, issued_at: datetime, *, ttl_seconds: int = 60, kid: int = DOMAIN_KID
) -> str:
    """A dynamic code of the sample person, signed for the tests' domain."""
    code = sign_extension(
        key,
        DynamicCode(SAMPLE_EHC_ID, SAMPLE_VALIDITY, None, None),
        kid=kid,
        nonce=os.urandom(4),
        issued_at=issued_at,
        ttl_seconds=ttl_seconds,
    )
    return build_code(code)


def accepted(ask_id: bytes, at: datetime, identity: Identity | None = IDENTITY) -> ScanReply:
    """Central knows who it is."""
    return ScanReply(
        id=ask_id,
        central_at=to_microseconds(at),
        verdict=Verdict.ACCEPTED,
        reason=None,
        identity=identity,
    )


def refused(ask_id: bytes, at: datetime, reason: Reason) -> ScanReply:
    """Central refuses a code."""
    return ScanReply(
        id=ask_id,
        central_at=to_microseconds(at),
        verdict=Verdict.REFUSED,
        reason=reason,
        identity=None,
    )


DOMAIN_KEY = STD.signing_key(bytes(range(32)))
"""The tests' own code signing key."""
