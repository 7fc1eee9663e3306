"""What is typed of what a box tells: pure. Each scan at most once, when its verdict is first
shown; what central says of it later comes too late for the window that has the focus.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PATIENT_ID = "patient-id"
RECORD_NUMBER = "record-number"
_GO_ON = {"accepted", "provisional"}
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """``number`` is ``patient-id``, ``record-number`` (the first one) or ``record-number:TYPE``."""

    number: str = PATIENT_ID
    foreign: bool = True  # texts that are no health codes too
    provisional: bool = True
    prefix: str = ""
    suffix: str = ""


class Choice:
    """Chooses for one connection after another."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)

    def choose(self, message: Mapping[str, Any]) -> str | None:
        """The text to type, prefix and suffix with it; None for nothing."""
        text = None
        if message.get("kind") == "handed-on" and self._wanted.foreign:
            text = str(message.get("text", ""))
        elif message.get("kind") == "scan":
            text = self._choose_scan(message)
        return f"{self._wanted.prefix}{text}{self._wanted.suffix}" if text else None

    def _choose_scan(self, scan: Mapping[str, Any]) -> str | None:
        if scan.get("state") != "shown" or scan.get("again") or scan.get("id") in self._seen:
            return None
        self._seen.append(str(scan.get("id")))
        verdict = scan.get("verdict")
        identity = scan.get("identity")
        if verdict not in _GO_ON or not isinstance(identity, dict):
            return None
        if verdict == "provisional" and not self._wanted.provisional:
            return None
        if self._wanted.number == PATIENT_ID:
            return str(identity.get("patient_id", ""))
        _, _, kind = self._wanted.number.partition(":")
        for number in identity.get("record_numbers", ()):
            if kind in {"", number.get("type")}:
                return str(number.get("number", ""))
        return None
