"""What a good password and a good PIN are, and fresh ones. Pure but for the random numbers.

After SP 800-63B §5.1.1.2: length counts, kinds of characters do not, and what everyone tries
first is refused. A PIN is good only with the badge it belongs to.
"""

import re
import secrets
import unicodedata

from shared.errors import Malformed
from shared.reasons import Reason

LEAST_PASSWORD = 12
MOST_PASSWORD = 128
_LEAST_DIFFERENT = 5
_GROUPS, _GROUP = 4, 5
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for another on paper
_PIN = re.compile(r"[0-9]{4,8}")
_RUNS = "01234567890123456789", "98765432109876543210"

_FORBIDDEN = frozenset(
    {
        "123456789012",
        "1234567890123",
        "administrator",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "qwertyuiop123",
        "qwertyuiop12",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "iloveyou1234",
        "letmein12345",
        "welcome12345",
        "changeme1234",
        "admin1234567",
        "admin123456789",
        "woaini1314520",
        "woaini5201314",
        "zhongguo1234",
        "yimatong1234",
        "onecode12345",
        "correcthorsebatterystaple",
    }
)


def check_password(text: str, *mine: str) -> None:
    """Raises Malformed (PASSWORD_WEAK): too short, too long, known to all, or made of ``mine``
    (the user's own names)."""
    password = unicodedata.normalize("NFKC", text)
    folded = password.casefold()
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise Malformed(Reason.PASSWORD_WEAK, f"{LEAST_PASSWORD}–{MOST_PASSWORD} characters")
    if len(set(folded)) < _LEAST_DIFFERENT or folded in _FORBIDDEN:
        raise Malformed(Reason.PASSWORD_WEAK, "everyone tries it first")
    rest = folded
    for word in mine:
        if len(word) >= 3:
            rest = rest.replace(word.casefold(), "")
    if len(rest) < LEAST_PASSWORD // 2:
        raise Malformed(Reason.PASSWORD_WEAK, "made of the user's own name")


def check_pin(text: str) -> None:
    """Raises Malformed (PIN_WEAK): not 4–8 digits, one digit alone, or a run."""
    if not _PIN.fullmatch(text) or len(set(text)) == 1 or any(text in run for run in _RUNS):
        raise Malformed(Reason.PIN_WEAK)


def new_password() -> str:
    """Four groups of five letters and digits: 99 bits, easily read out and typed."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def new_pin() -> str:
    """Six digits that ``check_pin`` takes."""
    while True:
        pin = f"{secrets.randbelow(1_000_000):06}"
        if len(set(pin)) > 2 and not any(pin in run for run in _RUNS):
            return pin
