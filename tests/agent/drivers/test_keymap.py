"""Key events into text: recorded streams, Shift, CapsLock, held keys and lost events."""

from collections.abc import Iterable
from pathlib import Path

import evdev
import pytest

from agent.drivers.keymap import (
    EV_KEY,
    EV_LED,
    EV_SYN,
    KEYS,
    LED_CAPSL,
    PRESSED,
    RELEASED,
    REPEATED,
    SUB,
    SYN_DROPPED,
    SYN_REPORT,
    EventsLost,
    KeyDecoder,
    KeyEvent,
)

GOLDEN = Path(__file__).parents[2] / "golden/scanners"
STATIC = b"98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"

A, B, M, ONE, SEMICOLON = 30, 48, 50, 2, 39
SHIFT, CONTROL, ALT, CAPS_LOCK, NUM_LOCK, F5 = 42, 29, 56, 58, 69, 63
REPORT = KeyEvent(EV_SYN, SYN_REPORT, 0)
DROPPED = KeyEvent(EV_SYN, SYN_DROPPED, 0)


def down(code: int) -> KeyEvent:
    return KeyEvent(EV_KEY, code, PRESSED)


def up(code: int) -> KeyEvent:
    return KeyEvent(EV_KEY, code, RELEASED)


def tap(*codes: int) -> list[KeyEvent]:
    return [event for code in codes for event in (down(code), REPORT, up(code), REPORT)]


def typed(events: Iterable[KeyEvent], decoder: KeyDecoder | None = None) -> bytes:
    decoder = decoder or KeyDecoder()
    parts = [decoder.feed(event) for event in events]
    return b"".join(part for part in parts if isinstance(part, bytes))


def read_recording(name: str) -> list[KeyEvent]:
    lines = (GOLDEN / name).read_text().splitlines()
    return [KeyEvent(*map(int, line.split())) for line in lines if not line.startswith("#")]


def test_recorded_scan_gives_the_code() -> None:
    """A recorded scan of a static code, other events between its keys, gives its bytes and CR."""
    assert typed(read_recording("static-shift.events")) == STATIC + b"\r"


@pytest.mark.parametrize("code", KEYS)
def test_the_table_agrees_with_the_kernels_names(code: int) -> None:
    """Each code of the table is the key that the kernel's headers give that name."""
    plain, _ = KEYS[code]
    names = evdev.ecodes.KEY[code]
    name = (names if isinstance(names, str) else names[0]).removeprefix("KEY_")
    named = {
        "ENTER": "\r", "KPENTER": "\r", "TAB": "\t", "SPACE": " ", "MINUS": "-", "EQUAL": "=",
        "LEFTBRACE": "[", "RIGHTBRACE": "]", "SEMICOLON": ";", "APOSTROPHE": "'", "GRAVE": "`",
        "BACKSLASH": "\\", "COMMA": ",", "DOT": ".", "SLASH": "/", "KPASTERISK": "*",
        "KPSLASH": "/", "KPMINUS": "-", "KPPLUS": "+", "KPDOT": ".",
    }  # fmt: skip
    assert plain == named.get(name, name.removeprefix("KP").lower())


def test_shift_counts_while_it_is_held() -> None:
    """Shift, either key, from its press to its release, also across reports and repeats."""
    events = [down(SHIFT), KeyEvent(EV_KEY, SHIFT, REPEATED), *tap(A, SEMICOLON, ONE), up(SHIFT)]
    assert typed([*events, *tap(A, SEMICOLON)]) == b"A:!a;"


def test_caps_lock_turns_letters_over() -> None:
    """CapsLock, pressed and released, concerns letters only, and Shift turns them back."""
    events = [*tap(CAPS_LOCK, A, ONE), down(SHIFT), *tap(A, SEMICOLON), up(SHIFT)]
    assert typed([*events, *tap(CAPS_LOCK, A)]) == b"A1a:a"


def test_caps_lock_follows_its_led() -> None:
    """What the system says by the LED counts."""
    lit = KeyEvent(EV_LED, LED_CAPSL, 1)
    out = KeyEvent(EV_LED, LED_CAPSL, 0)
    assert typed([lit, *tap(A), out, *tap(A)]) == b"Aa"


def test_a_held_key_types_once() -> None:
    """The kernel's key repeat is a held key, not a second character."""
    repeats = [KeyEvent(EV_KEY, A, REPEATED)] * 5
    assert typed([down(A), *repeats, up(A)]) == b"a"


def test_keys_without_character_are_not_left_out_in_silence() -> None:
    """A function key or an Alt combination becomes SUB, which no code contains; locks type
    nothing; Ctrl+M is how scanners send CR."""
    assert typed(tap(A, F5, B)) == b"a" + SUB + b"b"
    assert typed([down(ALT), *tap(A), up(ALT)]) == SUB
    assert typed(tap(NUM_LOCK, A)) == b"a"
    assert typed([down(CONTROL), *tap(M), up(CONTROL)]) == b"\r"


def test_lost_events_are_told_once_the_queue_is_whole() -> None:
    """SYN_DROPPED: everything up to the next SYN_REPORT is ignored, then the device is asked."""
    decoder = KeyDecoder()
    told = [decoder.feed(event) for event in [DROPPED, down(A), up(SHIFT), REPORT, down(B)]]
    assert told == [b"", b"", b"", EventsLost(), b"b"]


def test_shift_after_lost_events_is_the_devices() -> None:
    """A Shift release lost with the dropped events does not stick, a press is not missed."""
    decoder = KeyDecoder()
    typed([down(SHIFT), DROPPED, REPORT], decoder)
    decoder.resync(set(), caps_lock=False)
    assert typed(tap(A), decoder) == b"a"
    typed([DROPPED, REPORT], decoder)
    decoder.resync({SHIFT, A}, caps_lock=True)
    assert typed(tap(A, ONE), decoder) == b"a!"
