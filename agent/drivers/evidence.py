"""What a frame's bytes show about the scanner that sent it. Pure.

A code's alphabet is known, so text that becomes one of our codes when it is read the way a wrongly
set scanner writes it is evidence of that setting. It is evidence only: the code is never taken
from it, the frame is dropped and the clerk scans again. Text outside our grammar stays untouched.
"""

import re
from collections.abc import Iterator

from shared.ehc import Code, ForeignText, parse_code
from shared.errors import Malformed
from shared.reasons import Reason

_ANY_CODE = re.compile(r"(?:[0-9A-F]{64}|[0-9A-F]{48}):[01]|TM[0-9A-Z]{120}")
"""Where a code of ours stands: an id and its type, or a temporary code."""

SHORTEST = 50
"""An id of the older generation and its type. Nothing shorter is one of our codes."""

_DIGITS_WITH_SHIFT = {
    ord(sign): digit for sign, digit in zip("!@#$%^&*()", "1234567890", strict=True)
}

LAYOUTS: dict[str, dict[int, str]] = {
    "de es it pt da sv nb fi": {ord(">"): ":"},  # Shift and the key of the full stop
    "fr be": _DIGITS_WITH_SHIFT | {ord("Q"): "A", ord("."): ":"},
    "cs sk": _DIGITS_WITH_SHIFT | {ord(">"): ":"},
    "hu": {ord("`"): "0", ord(">"): ":"},
    "tr pt-br": {ord("?"): ":"},  # Shift and the key left of the right Shift
    "ja": {ord("'"): ":"},  # a key of its own, without Shift
    "ru": {ord("^"): ":"},  # Shift and 6
}
"""What a code's characters become when a scanner types for another country's keyboard and the
keys are read as a US keyboard's. Layouts that keep ``:`` and the alphabet in their US places
(uk, pl, he) do no harm."""


def find_fault(frame: bytes, *, typed: bool) -> Reason | None:
    """Why this frame cannot be as it was on the paper, None for anything that may be.

    ``typed``: it came as key presses, so that CapsLock, Shift and layouts matter. Gives
    FRAME_GLUED or a SCANNER_… reason.
    """
    if len(frame) < SHORTEST or not frame.isascii():
        return None
    text = frame.decode("ascii")
    if read_code(text) is not None:
        return None
    if _ANY_CODE.match(text) and len(_ANY_CODE.findall(text)) > 1:
        return Reason.FRAME_GLUED
    if typed:
        return _find_keyboard_fault(text)
    return Reason.SCANNER_LOWER_CASE if _is_code(text.upper()) else None


def _find_keyboard_fault(text: str) -> Reason | None:
    if _is_code(text.swapcase()):
        return Reason.SCANNER_CAPS_LOCK
    if _is_code(text.upper()) or _is_code(text.upper().replace(";", ":")):
        return Reason.SCANNER_SHIFT_LOST
    return Reason.SCANNER_LAYOUT if any(list_layouts(text)) else None


def list_layouts(text: str) -> Iterator[str]:
    """The layouts, by languages, under which this text would be one of our codes."""
    for languages, meant in LAYOUTS.items():
        if _is_code(text.translate(meant)):
            yield languages


def read_code(text: str) -> Code | None:
    """The code of ours that this text is, if it is one."""
    try:
        code = parse_code(text)
    except Malformed:
        return None
    return None if isinstance(code, ForeignText) else code


def _is_code(text: str) -> bool:
    return read_code(text) is not None
