"""A keyboard scanner that types a text: key by key, for a country's keyboard, well or badly set."""

from collections.abc import Iterator, Mapping

from agent.drivers.keymap import (
    EV_KEY,
    EV_SYN,
    KEYS,
    PRESSED,
    RELEASED,
    SYN_REPORT,
    KeyDecoder,
    KeyEvent,
)

LEFT_SHIFT = 42
REPORT = KeyEvent(EV_SYN, SYN_REPORT, 0)
GRAVE, ONE, SIX, Q, APOSTROPHE, DOT, SLASH = 41, 2, 7, 16, 40, 52, 53  # input-event-codes.h

Key = tuple[int, bool]
"""A key's code, and whether Shift is held."""

US: dict[str, Key] = {
    character: (code, shifted)
    for code, pair in KEYS.items()
    if code < 55  # the main block, not the keypad
    for shifted, character in zip((True, False), reversed(pair), strict=True)
}
_DIGITS_WITH_SHIFT = {digit: (ONE + place, True) for place, digit in enumerate("1234567890")}

GERMAN = US | {":": (DOT, True)}
FRENCH = US | _DIGITS_WITH_SHIFT | {"A": (Q, True), ":": (DOT, False)}
CZECH = US | _DIGITS_WITH_SHIFT | {":": (DOT, True)}
HUNGARIAN = US | {"0": (GRAVE, False), ":": (DOT, True)}
TURKISH = US | {":": (SLASH, True)}
JAPANESE = US | {":": (APOSTROPHE, False)}
RUSSIAN = US | {":": (SIX, True)}


def press(text: str, keyboard: Mapping[str, Key] = US) -> Iterator[KeyEvent]:
    """The events of a scanner that holds Shift where this keyboard asks for it."""
    for character in text:
        code, shifted = keyboard[character]
        if shifted:
            yield KeyEvent(EV_KEY, LEFT_SHIFT, PRESSED)
        yield KeyEvent(EV_KEY, code, PRESSED)
        yield REPORT
        yield KeyEvent(EV_KEY, code, RELEASED)
        if shifted:
            yield KeyEvent(EV_KEY, LEFT_SHIFT, RELEASED)
        yield REPORT


def turned_over(text: str) -> dict[str, Key]:
    """The US keyboard of a scanner that takes CapsLock for lit: letters with the other Shift."""
    return US | {letter: US[letter.swapcase()] for letter in text if letter.isalpha()}


def without_shift() -> dict[str, Key]:
    """The US keyboard of a scanner whose Shift never arrives."""
    return {character: (code, False) for character, (code, _) in US.items()}


def typed(text: str, keyboard: Mapping[str, Key] = US) -> bytes:
    """What the box reads when this text is typed for that keyboard."""
    decoder = KeyDecoder()
    parts = [decoder.feed(event) for event in press(text, keyboard)]
    return b"".join(part for part in parts if isinstance(part, bytes))
