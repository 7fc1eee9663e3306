"""Which keys are pressed for a text, and which text is chosen."""

import ctypes
from pathlib import Path
from typing import Any

import pytest

from agent.wedge.choice import Choice, Wanted
from agent.wedge.linux_keys import KEY_ENTER, KEY_LEFTSHIFT, LinuxKeys, build_strokes
from agent.wedge.windows_keys import KEYEVENTF_KEYUP, Input, WindowsKeys, build_inputs
from shared.errors import Refused, Unavailable


def scan(**changes: Any) -> dict[str, Any]:
    identity = {
        "patient_id": "P17",
        "record_numbers": [
            {"type": "inpatient", "number": "ZY1"},
            {"type": "outpatient", "number": "MZ2"},
        ],
    }
    view = {"kind": "scan", "id": "1", "state": "shown", "verdict": "accepted"}
    return {**view, "identity": identity, **changes}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("patient-id", "P17"),
        ("record-number", "ZY1"),
        ("record-number:outpatient", "MZ2"),
        ("record-number:archive", None),
    ],
)
def test_the_number_that_was_asked_for(number: str, text: str | None) -> None:
    """And nothing in place of one that the patient does not have."""
    assert Choice(Wanted(number)).choose(scan()) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "asked"},
        {"again": True},
        {"verdict": "refused"},
        {"verdict": None},
        {"identity": None},
        {"kind": "state"},
    ],
    ids=str,
)
def test_what_is_no_good_answer_is_not_typed(changes: dict[str, Any]) -> None:
    """A phone that rests on the scanner types its owner once."""
    assert Choice(Wanted()).choose(scan(**changes)) is None


def test_what_central_says_later_is_not_typed() -> None:
    """By then another patient's form may have the focus."""
    choice = Choice(Wanted())
    assert choice.choose(scan(verdict="provisional", identity=None)) is None
    assert choice.choose(scan()) is None


def test_prefix_suffix_and_what_is_left_out() -> None:
    """As configured; a foreign code is untouched between them."""
    handed = {"kind": "handed-on", "text": " a\tb "}
    assert Choice(Wanted(prefix="<", suffix=">")).choose(handed) == "< a\tb >"
    assert Choice(Wanted(foreign=False)).choose(handed) is None
    assert Choice(Wanted(provisional=False)).choose(scan(verdict="provisional")) is None


def test_windows_gets_each_utf_16_unit_pressed_and_released() -> None:
    """Characters beyond the basic plane are two units; Enter is a key of its own."""
    keys = build_inputs("𠀀号", enter=True)
    assert [key.wScan for key in keys[::2]] == [0xD840, 0xDC00, 0x53F7, 0]
    assert [key.dwFlags & KEYEVENTF_KEYUP for key in keys] == [0, KEYEVENTF_KEYUP] * 4
    assert keys[-1].wVk == 0x0D
    assert ctypes.sizeof(Input) == 40  # winuser.h, 64 bits


def test_linux_presses_the_keys_of_a_us_keyboard() -> None:
    """Shift around a capital; what it has no key for is refused whole."""
    assert build_strokes("a", enter=True) == [(30, 1), (30, 0), (KEY_ENTER, 1), (KEY_ENTER, 0)]
    assert build_strokes("Z", enter=False) == [
        (KEY_LEFTSHIFT, 1),
        (44, 1),
        (44, 0),
        (KEY_LEFTSHIFT, 0),
    ]
    printable = "".join(map(chr, range(0x20, 0x7F)))
    assert build_strokes(printable, enter=False)
    with pytest.raises(Refused):
        build_strokes("1支", enter=False)


def test_a_pc_that_gives_no_leave_to_type_says_so(tmp_path: Path) -> None:
    """Before anything is handed over."""
    with pytest.raises(Unavailable, match="typing-impossible"):
        LinuxKeys(tmp_path / "uinput")
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="typing-impossible"):
        LinuxKeys(tmp_path / "file")
    with pytest.raises(Unavailable, match="typing-impossible"):
        WindowsKeys().type("1", enter=False)
