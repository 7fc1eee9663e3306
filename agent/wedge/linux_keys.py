"""Keys on Linux: a keyboard of its own at ``/dev/uinput``, whatever the desktop
(docs.kernel.org, input/uinput). It has the keys of a US keyboard, as keyboard scanners have.
"""

import struct
from fcntl import ioctl
from pathlib import Path

from shared.errors import Refused, Unavailable
from shared.reasons import Reason

DEVICE = Path("/dev/uinput")
# linux/uinput.h
_UI_SET_EVBIT, _UI_SET_KEYBIT = 0x40045564, 0x40045565
_UI_DEV_SETUP, _UI_DEV_CREATE = 0x405C5503, 0x5501
# linux/input-event-codes.h
EV_SYN, EV_KEY = 0, 1
KEY_ENTER, KEY_LEFTSHIFT, KEY_SPACE = 28, 42, 57
_EVENT = struct.Struct("llHHi")

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
KEYS: dict[str, tuple[int, bool]] = {" ": (KEY_SPACE, False)} | {
    character: (first + place, shifted)
    for first, plain, shift in _ROWS
    for shifted, row in ((False, plain), (True, shift))
    for place, character in enumerate(row)
}
"""The key of each character, and whether with Shift."""


def build_strokes(text: str, *, enter: bool) -> list[tuple[int, int]]:
    """Keys pressed (1) and released (0), in order. Raises Refused (TYPING_IMPOSSIBLE). Pure."""
    strokes: list[tuple[int, int]] = []
    for character in text:
        if character not in KEYS:
            raise Refused(Reason.TYPING_IMPOSSIBLE, "a character that no US keyboard has")
        key, shifted = KEYS[character]
        tap = [(key, 1), (key, 0)]
        strokes += [(KEY_LEFTSHIFT, 1), *tap, (KEY_LEFTSHIFT, 0)] if shifted else tap
    return [*strokes, (KEY_ENTER, 1), (KEY_ENTER, 0)] if enter else strokes


class LinuxKeys:
    """Implements ``agent.wedge.keyboard.Keyboard``; the kernel's keyboard is made at once, since
    desktops need a moment to take up a new one."""

    def __init__(self, device: Path = DEVICE) -> None:
        """Raises Unavailable (TYPING_IMPOSSIBLE)."""
        try:
            self._file = device.open("wb", buffering=0)
        except OSError as error:
            raise _impossible(error) from error
        try:
            ioctl(self._file, _UI_SET_EVBIT, EV_KEY)
            for key in {KEY_ENTER, KEY_LEFTSHIFT, *(key for key, _ in KEYS.values())}:
                ioctl(self._file, _UI_SET_KEYBIT, key)
            # struct uinput_setup: bus (USB), vendor, product, version, name[80], ff_effects_max
            setup = struct.pack("HHHH80sI", 3, 0, 0, 1, b"onecode-wedge", 0)
            ioctl(self._file, _UI_DEV_SETUP, setup)
            ioctl(self._file, _UI_DEV_CREATE)
        except OSError as error:
            self._file.close()
            raise _impossible(error) from error

    def type(self, text: str, *, enter: bool) -> None:
        events = b"".join(
            _EVENT.pack(0, 0, EV_KEY, key, value) + _EVENT.pack(0, 0, EV_SYN, 0, 0)
            for key, value in build_strokes(text, enter=enter)
        )
        try:
            self._file.write(events)
        except OSError as error:
            raise _impossible(error) from error


def _impossible(error: OSError) -> Unavailable:
    return Unavailable(Reason.TYPING_IMPOSSIBLE, f"{DEVICE}: {error.strerror}")
