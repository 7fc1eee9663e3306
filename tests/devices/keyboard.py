"""A keyboard below evdev, for a machine whose kernel has none: events as the kernel writes them,
over a pipe. Everything above evdev's device is the real driver; the real kernel is ``tests/hil``'s.
"""

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from agent.drivers.keymap import EV_KEY, EV_LED, EV_SYN, KEYS, LED_CAPSL, PRESSED, RELEASED

_EVENT = struct.Struct("llHHi")  # linux/input.h, struct input_event: time, type, code, value
_SHIFT = 42  # KEY_LEFTSHIFT
_READ_EVENTS = 64
ENTER = "\r"


class InputEvent(NamedTuple):
    """One event as evdev gives it."""

    type: int
    code: int
    value: int


class PipedKeyboard:
    """What ``evdev.InputDevice`` is to the driver; ``type_keys`` is the scanner's side."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        os.set_blocking(self._out, False)
        self.grabbed = False

    def __call__(self, _path: str) -> Self:
        """Stand in for the class: every opening is of this one device."""
        return self

    # --- what the driver does ---

    def fileno(self) -> int:
        return self._out

    def grab(self) -> None:
        self.grabbed = True

    def close(self) -> None:
        self.grabbed = False

    def capabilities(self) -> dict[int, list[int]]:
        return {EV_KEY: list(KEYS), EV_LED: [LED_CAPSL]}

    def set_led(self, led: int, value: int) -> None:
        """Accepted; this keyboard has no lamp."""

    def leds(self) -> list[int]:
        return []

    def active_keys(self) -> list[int]:
        return []

    def read(self) -> Iterator[InputEvent]:
        data = os.read(self._out, _EVENT.size * _READ_EVENTS)
        for _, _, kind, code, value in _EVENT.iter_unpack(data):
            yield InputEvent(kind, code, value)

    # --- what the scanner does ---

    def type_keys(self, events: list[InputEvent]) -> None:
        """Write events at once, as one report of the device."""
        os.write(self._in, b"".join(_EVENT.pack(0, 0, *event) for event in events))

    def dispose(self) -> None:
        """Close both ends."""
        os.close(self._in)
        os.close(self._out)


def build_keys(text: str) -> list[list[InputEvent]]:
    """The reports that type ``text``: press and release of each key, Shift around those that need
    it, each closed by SYN_REPORT."""
    typed = {plain: (code, False) for code, (plain, _) in reversed(KEYS.items())}
    typed |= {
        shifted: (code, True)
        for code, (plain, shifted) in reversed(KEYS.items())
        if shifted != plain
    }
    reports: list[list[InputEvent]] = []
    for character in text:
        code, shift = typed[character]
        held = [InputEvent(EV_KEY, _SHIFT, PRESSED)] if shift else []
        let_go = [InputEvent(EV_KEY, _SHIFT, RELEASED)] if shift else []
        end = InputEvent(EV_SYN, 0, 0)
        reports.append([*held, InputEvent(EV_KEY, code, PRESSED), end])
        reports.append([InputEvent(EV_KEY, code, RELEASED), *let_go, end])
    return reports
