"""Keys on Windows: ``SendInput`` with KEYEVENTF_UNICODE, so that no keyboard layout or input method
changes a character (learn.microsoft.com, winuser.h: SendInput, INPUT, KEYBDINPUT).
"""

import ctypes
import sys

from shared.errors import Unavailable
from shared.reasons import Reason

INPUT_KEYBOARD = 1
KEYEVENTF_KEYUP = 0x0002
KEYEVENTF_UNICODE = 0x0004
VK_RETURN = 0x0D


class KeyInput(ctypes.Structure):
    """KEYBDINPUT."""

    _fields_ = (
        ("wVk", ctypes.c_uint16),
        ("wScan", ctypes.c_uint16),
        ("dwFlags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("dwExtraInfo", ctypes.c_size_t),
    )


class _MouseInput(ctypes.Structure):
    """MOUSEINPUT: the largest member, which gives the union its size."""

    _fields_ = (
        ("dx", ctypes.c_int32),
        ("dy", ctypes.c_int32),
        ("mouseData", ctypes.c_uint32),
        ("dwFlags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("dwExtraInfo", ctypes.c_size_t),
    )


class _Union(ctypes.Union):
    _fields_ = (("ki", KeyInput), ("mi", _MouseInput))


class Input(ctypes.Structure):
    """INPUT."""

    _fields_ = (("type", ctypes.c_uint32), ("union", _Union))


def build_inputs(text: str, *, enter: bool) -> list[KeyInput]:
    """A press and a release for each UTF-16 unit, and for Enter its own key. Pure."""
    units = memoryview(text.encode("utf-16-le")).cast("H")
    strokes = [(0, unit, KEYEVENTF_UNICODE) for unit in units]
    if enter:
        strokes.append((VK_RETURN, 0, 0))
    return [
        KeyInput(key, unit, flags | up, 0, 0)
        for key, unit, flags in strokes
        for up in (0, KEYEVENTF_KEYUP)
    ]


class WindowsKeys:
    """Implements ``agent.wedge.keyboard.Keyboard``."""

    def type(self, text: str, *, enter: bool) -> None:
        library = getattr(ctypes, "windll", None)
        if library is None:
            raise Unavailable(Reason.TYPING_IMPOSSIBLE, sys.platform)
        keys = build_inputs(text, enter=enter)
        inputs = (Input * len(keys))(*(Input(INPUT_KEYBOARD, _Union(ki=key)) for key in keys))
        # One call: nothing that a person types comes in between.
        sent = library.user32.SendInput(len(keys), inputs, ctypes.sizeof(Input))
        if sent != len(keys):
            # A window of higher rights has the focus (User Interface Privilege Isolation).
            raise Unavailable(Reason.TYPING_IMPOSSIBLE, f"{sent} of {len(keys)}")
