"""A keyboard scanner's key events into the bytes it typed. Pure: a state machine over recorded
events, US layout.

It knows the kernel's event codes (linux/input-event-codes.h), no device. A key that stands for
no character becomes SUB, which no code contains: the parser refuses it, nothing is left out in
silence.
"""

from collections.abc import Collection
from typing import NamedTuple

EV_SYN, EV_KEY, EV_LED = 0x00, 0x01, 0x11
SYN_REPORT, SYN_DROPPED = 0, 3
LED_CAPSL = 0x01
RELEASED, PRESSED, REPEATED = 0, 1, 2  # the value of an EV_KEY event

SUB = b"\x1a"

_SHIFT = frozenset({42, 54})  # KEY_LEFTSHIFT, KEY_RIGHTSHIFT
_CONTROL = frozenset({29, 97})  # KEY_LEFTCTRL, KEY_RIGHTCTRL
_ALT = frozenset({56, 100, 125, 126})  # KEY_LEFTALT, KEY_RIGHTALT, KEY_LEFTMETA, KEY_RIGHTMETA
_MODIFIERS = _SHIFT | _CONTROL | _ALT
_CAPS_LOCK = 58
_LOCKS = frozenset({_CAPS_LOCK, 69, 70})  # and KEY_NUMLOCK, KEY_SCROLLLOCK
_FIRST_BUTTON = 0x100  # BTN_MISC: codes from here on are no keys


def _rows() -> dict[int, tuple[str, str]]:
    """Key code → character without and with Shift."""
    keys: dict[int, tuple[str, str]] = {
        28: ("\r", "\r"),  # KEY_ENTER
        96: ("\r", "\r"),  # KEY_KPENTER
        15: ("\t", "\t"),  # KEY_TAB
        57: (" ", " "),  # KEY_SPACE
    }
    for first, plain, shifted in (
        (2, "1234567890-=", "!@#$%^&*()_+"),  # from KEY_1
        (16, "qwertyuiop[]", "QWERTYUIOP{}"),  # from KEY_Q
        (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),  # from KEY_A
        (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),  # from KEY_BACKSLASH
        (71, "789-456+1230.", "789-456+1230."),  # from KEY_KP7, as with NumLock on
    ):
        keys.update(enumerate(zip(plain, shifted, strict=True), first))
    keys[55] = ("*", "*")  # KEY_KPASTERISK
    keys[98] = ("/", "/")  # KEY_KPSLASH
    return keys


KEYS = _rows()


class KeyEvent(NamedTuple):
    """One event of the kernel, its time left out."""

    type: int
    code: int
    value: int


class EventsLost(NamedTuple):
    """The kernel dropped events; its queue starts anew: ask the device for its state."""


class KeyDecoder:
    """What one keyboard types.

    Shift counts while a Shift key is down; CapsLock turns over at each press, and follows the
    LED when the system sets it; it concerns letters only. Repeats (value 2) are a held key, not
    a typed one.
    """

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._caps_lock = False
        self._lost = False

    def feed(self, event: KeyEvent) -> bytes | EventsLost:
        """The bytes this event types, mostly none.

        "SYN_DROPPED: … Client should ignore all events up to and including next SYN_REPORT event
        and query the device" (kernel, input/event-codes). EventsLost says that this point is
        reached; ``resync`` then takes the device's answer.
        """
        if self._lost:
            if event.type != EV_SYN or event.code != SYN_REPORT:
                return b""
            self._lost = False
            return EventsLost()
        if event.type == EV_SYN and event.code == SYN_DROPPED:
            self._lost = True
        elif event.type == EV_LED and event.code == LED_CAPSL:
            self._caps_lock = bool(event.value)
        elif event.type == EV_KEY and event.code < _FIRST_BUTTON:
            return self._key(event.code, event.value)
        return b""

    def resync(self, held: Collection[int], caps_lock: bool) -> None:
        """Take the keys that are down and the CapsLock LED as the device reports them."""
        self._held = set(held) & _MODIFIERS
        self._caps_lock = caps_lock

    def _key(self, code: int, value: int) -> bytes:
        if code in _MODIFIERS:
            if value == RELEASED:
                self._held.discard(code)
            else:
                self._held.add(code)
            return b""
        if value != PRESSED:
            return b""
        if code in _LOCKS:
            self._caps_lock ^= code == _CAPS_LOCK
            return b""
        return self._character(code)

    def _character(self, code: int) -> bytes:
        if code not in KEYS or self._held & _ALT:
            return SUB
        plain, shifted = KEYS[code]
        upper = bool(self._held & _SHIFT) ^ (self._caps_lock and plain.isalpha())
        character = ord(shifted if upper else plain)
        if self._held & _CONTROL:  # Ctrl+M types CR: how scanners send control characters
            return bytes([ord(shifted) & 0x1F]) if 0x3F < ord(shifted) < 0x60 else SUB
        return bytes([character])
