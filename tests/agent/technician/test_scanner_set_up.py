"""``onecode-agent scanner`` against a simulated Newland scanner on a real pseudo-terminal."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.exits import Exit
from shared.reasons import Reason
from tests.agent.drivers.newland_peer import NewlandPeer
from tests.agent.drivers.pseudoterminal import Pseudoterminal
from tests.agent.technician.terminal_command import run

STATIC = b"98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"


class Scanner:
    """A scanner that answers on its terminal until it is put away."""

    def __init__(self, path: Path) -> None:
        self.peer = NewlandPeer()
        self.terminal = Pseudoterminal(path)
        self.terminal.plug_in()
        self._keeper = os.open(path, os.O_RDWR | os.O_NOCTTY)  # no hang-up between two commands
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        while (heard := os.read(self.terminal.master, 64)) != b"?":
            os.write(self.terminal.master, self.peer.hear(heard))

    def put_away(self) -> None:
        os.write(self._keeper, b"?")
        self._thread.join()
        os.close(self._keeper)
        self.terminal.close()


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[Scanner]:
    made = Scanner(tmp_path / "scanner")
    yield made
    made.put_away()


def run_on(scanner: Scanner, *arguments: str) -> tuple[int, str, str]:
    path = scanner.terminal.path
    act, *rest = arguments
    return run(path.parent, "scanner", act, "--scanner", f"serial:{path}", *rest)


def test_a_scanners_set_up_is_shown_in_the_words_that_set_it(scanner: Scanner) -> None:
    """As JSON and as lines; what the scanner does not know is a question mark, not an error."""
    code, said, errors = run_on(scanner, "show", "--json")
    assert (code, errors) == (Exit.HELD, "")
    assert json.loads(said) == {
        "interface": "keyboard",
        "terminator": "cr",
        "beep": "on",
        "volume": 20,
        "layout": "us",
    }
    del scanner.peer.values["GRBVLL"]
    code, said, _ = run_on(scanner, "show")
    assert code == Exit.HELD
    assert ["volume", "?"] in [line.split() for line in said.splitlines()]


@pytest.mark.parametrize(
    ("setting", "value", "name", "held"),
    [
        ("interface", "serial", "INTERF", "8"),
        ("interface", "hid-pos", "INTERF", "5"),
        ("interface", "2", "INTERF", "2"),
        ("terminator", "none", "TSUENA", "0"),
        ("terminator", "crlf", "TSUSET", "0D0A"),
        ("beep", "off", "GRBENA", "0"),
        ("volume", "3", "GRBVLL", "3"),
        ("layout", "us", "KBWCTY", "0"),
        ("layout", "8", "KBWCTY", "8"),
    ],
)
def test_one_thing_is_set_and_kept(
    scanner: Scanner, setting: str, value: str, name: str, held: str
) -> None:
    """The scanner holds it afterwards, for good unless asked otherwise."""
    code, said, errors = run_on(scanner, "set", setting, value)
    assert (code, errors) == (Exit.HELD, "")
    assert f"✓ {setting} {value}" in said
    assert scanner.peer.values[name] == held
    assert scanner.peer.commands[0].startswith(b"~\x010000@")


def test_a_setting_for_now_is_sent_as_such(scanner: Scanner) -> None:
    """``--temporary`` is the manual's ``#``."""
    run_on(scanner, "set", "beep", "off", "--temporary")
    assert scanner.peer.commands == [b"~\x010000#GRBENA0;\x03"]


def test_what_the_scanner_refuses_is_said(scanner: Scanner) -> None:
    """A number that no interface has: the scanner's NAK in words, exit 1."""
    code, _, errors = run_on(scanner, "set", "interface", "4")
    assert code == Exit.CHECK_FAILED
    assert Reason.SCANNER_SET_UP_REFUSED in errors
    assert "INTERF" in errors


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("beep", "loud"),
        ("volume", "21"),
        ("layout", "29"),
        ("terminator", "x"),
        ("interface", "-1"),
    ],
)
def test_a_value_that_is_none_is_not_sent(scanner: Scanner, setting: str, value: str) -> None:
    """Usage, with the setting's name; the scanner hears nothing."""
    code, _, errors = run_on(scanner, "set", "--", setting, value)
    assert code == Exit.USAGE
    assert f"setting-impossible ({setting})" in errors
    assert scanner.peer.commands == []


def test_a_keyboard_scanner_takes_no_commands(tmp_path: Path) -> None:
    """Said with the set-up code that makes it serial."""
    code, _, errors = run(tmp_path, "scanner", "show", "--scanner", "hid:/dev/input/event9")
    assert code == Exit.CHECK_FAILED
    assert "@INTERF8" in errors


def test_a_scanner_that_says_nothing_is_unavailable(tmp_path: Path) -> None:
    """A port behind which nobody answers: silent, exit 3."""
    terminal = Pseudoterminal(tmp_path / "scanner")
    terminal.plug_in()
    code, _, errors = run(tmp_path, "scanner", "set", "beep", "on", "--scanner", "serial:scanner")
    terminal.close()
    assert code == Exit.UNAVAILABLE
    assert Reason.DEVICE_SILENT in errors
