"""An operator's badge: a text that a scanner reads, and that is no health code.

``OCBADGE1-`` and 20 characters of base32: 100 random bits, so that its plain SHA-256 may be kept
and sent to boxes. Never logged, never stored in clear.
"""

import hashlib
import re
import secrets

PREFIX = "OCBADGE1-"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648 §6
_CHARACTERS = 20
_SHAPE = re.compile(rf"{PREFIX}[A-Z2-7]{{{_CHARACTERS}}}")


def new_badge() -> str:
    """A fresh badge's text."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))


def is_badge(text: str) -> bool:
    """Whether a scanned text has a badge's form, in whatever case the keyboard brings it."""
    return _SHAPE.fullmatch(text.strip().upper()) is not None


def badge_digest(text: str) -> bytes:
    """What ``OperatorEntry.badge`` holds: 32 bytes."""
    return hashlib.sha256(text.strip().upper().encode()).digest()
