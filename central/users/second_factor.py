"""The second factor: time-based codes (RFC 6238) of an authenticator, and recovery codes.

The only user of the library's TOTP. SHA-1, six digits, 30 seconds: what every authenticator app
knows. A code is good one step early or late, and once.
"""

import base64
import os
import re
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

ISSUER = "One Code 一码通"
RECOVERY_CODES = 10
_SECRET_BYTES = 20
_DIGITS = 6
_STEP_SECONDS = 30
_CODE = re.compile(rf"[0-9]{{{_DIGITS}}}")
_RECOVERY = re.compile(r"[a-z2-9]{16}")
_RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """A fresh secret in base32, as authenticators take it."""
    return base64.b32encode(os.urandom(_SECRET_BYTES)).decode()


def provisioning_uri(secret: str, login: str) -> str:
    """What the QR code for the authenticator holds (``otpauth://totp/…``)."""
    return _totp(secret).get_provisioning_uri(login, ISSUER)


def match_step(secret: str, code: str, at: datetime) -> int | None:
    """The time step whose code this is: the present one, the one before or the next; or None."""
    digits = code.strip()
    if not _CODE.fullmatch(digits):
        return None
    now = int(at.timestamp()) // _STEP_SECONDS
    totp = _totp(secret)
    found = None
    for step in (now - 1, now, now + 1):
        if secrets.compare_digest(totp.generate(step * _STEP_SECONDS), digits.encode()):
            found = step
    return found


def code_at(secret: str, at: datetime) -> str:
    """What an authenticator shows."""
    return _totp(secret).generate(int(at.timestamp())).decode()


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes of 79 bits for the day the authenticator is lost, ``xxxx-xxxx-xxxx-xxxx``."""
    return tuple(
        "-".join("".join(secrets.choice(_RECOVERY_LETTERS) for _ in range(4)) for _ in range(4))
        for _ in range(RECOVERY_CODES)
    )


def normal_recovery(code: str) -> str | None:
    """A recovery code as it is looked up, however it is typed; None for what is none."""
    text = re.sub(r"[\s-]", "", code).casefold()
    return text if _RECOVERY.fullmatch(text) else None


def _totp(secret: str) -> TOTP:
    # SHA-1 in HMAC is what authenticators know, and is not broken there (RFC 6238 §1.2).
    return TOTP(base64.b32decode(secret), _DIGITS, SHA1(), _STEP_SECONDS)  # noqa: S303 - RFC 6238
