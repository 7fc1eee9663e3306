"""``onecode-agent scan-test`` on a real pseudo-terminal: what comes, what is wrong, the cure."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.exits import Exit
from shared.reasons import Reason
from tests.agent.drivers.pseudoterminal import Pseudoterminal
from tests.agent.technician.terminal_command import TerminalCommand, run

STATIC = b"98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
HIDDEN = b"5CB9305E9D8A57E0"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Pseudoterminal]:
    made = Pseudoterminal(tmp_path / "scanner")
    made.plug_in()
    yield made
    made.close()


def scan_test(terminal: Pseudoterminal, *arguments: str) -> TerminalCommand:
    named = f"serial:{terminal.path}"
    return TerminalCommand(
        terminal.path.parent, "scan-test", "--scanner", named, "--seconds", "20", *arguments
    )


def read_facts(terminal: Pseudoterminal, sent: bytes, *arguments: str) -> list[dict[str, Any]]:
    with scan_test(terminal, "--json", "--count", "1", *arguments) as command:
        command.read_until('"ready"')
        terminal.write(sent)
        return command.read_facts()


def test_a_good_code_is_shown_byte_by_byte_and_held(terminal: Pseudoterminal) -> None:
    """Every byte with its time and value, the terminator by name, then the frame and that it is
    whole; the end is CR and LF; exit 0. Of the code itself the middle is not shown."""
    with scan_test(terminal, "--count", "1") as command:
        command.read_until("ready")
        terminal.write(STATIC + b"\r\n")
        lines = command.read_until("A static health code")
        code, rest, errors = command.end()
    assert (code, rest, errors) == (Exit.HELD, "", "")
    assert [line.split("ms")[1].split() for line in lines[:5]] == [
        ["39", "9"],
        ["38", "8"],
        ["46", "F"],
        ["46", "F"],
        ["··", "0"],
    ]
    assert lines[66].split("ms")[1].split() == ["0D", "CR", "⏎"]
    assert lines[67].split("ms")[1].split() == ["0A", "LF", "⏎"]
    assert "66 bytes, ended by CR LF: 98FF" in lines[68]
    assert HIDDEN.decode() not in "\n".join(lines)


def test_whole_codes_are_shown_on_request_only(terminal: Pseudoterminal) -> None:
    """``--show`` is a technician's choice; without it neither bytes nor frame give the code."""
    facts = read_facts(terminal, STATIC + b"\r", "--show")
    assert facts[-1]["text"] == STATIC.decode()
    assert bytes(int(fact["hex"], 16) for fact in facts if fact["kind"] == "byte") == STATIC + b"\r"
    hidden = read_facts(terminal, STATIC + b"\r")
    assert hidden[-1]["text"][:4] == "98FF"
    assert sum(fact["hex"] is not None for fact in hidden if fact["kind"] == "byte") == 6
    assert HIDDEN.decode() not in str(hidden)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (STATIC.lower() + b"\r", Reason.SCANNER_LOWER_CASE),
        (STATIC + STATIC + b"\r", Reason.FRAME_GLUED),
        (STATIC[1:] + b"\r", Reason.CODE_ID_LENGTH),
        (b"A" * 4000 + b"\r", Reason.CODE_TOO_LONG),
        (b"\xff\xfe\r", Reason.CODE_NOT_TEXT),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(
    terminal: Pseudoterminal, sent: bytes, reason: Reason
) -> None:
    """Each fault has its reason, in both languages with the next step, and exit 1."""
    with scan_test(terminal, "--count", "1") as command:
        command.read_until("ready")
        terminal.write(sent)
        command.read_until(f"✗ {reason}")
        assert reason.words.next_zh in next(iter(command.read_until(reason.words.zh)))
        command.read_until(reason.words.next_en)
        assert command.end()[0] == Exit.CHECK_FAILED


def test_a_payment_code_is_not_wrong(terminal: Pseudoterminal) -> None:
    """A text that is not ours is handed on at the counter: held."""
    facts = read_facts(terminal, b"134567890123456789\t")
    assert facts[-1]["what"] == "foreign text"
    assert (facts[-1]["reason"], facts[-1]["ended_by"]) == (None, "Tab")


def test_no_terminator_is_advised_against(terminal: Pseudoterminal) -> None:
    """A code that only silence ends is whole, and the technician is told what to set."""
    with scan_test(terminal, "--count", "1") as command:
        command.read_until("ready")
        terminal.write(STATIC)
        command.read_until("ended by silence")
        command.read_until("scanner set terminator cr")
        assert command.end()[0] == Exit.HELD


def test_ctrl_c_is_an_end_like_any_other(terminal: Pseudoterminal) -> None:
    """What was scanned until then decides; no traceback."""
    with scan_test(terminal) as command:
        command.read_until("ready")
        terminal.write(STATIC + b"\r")
        command.read_until("A static health code")
        command.interrupt()
        code, _, errors = command.end()
    assert (code, errors) == (Exit.HELD, "")


def test_a_scanner_that_is_held_says_by_whom(terminal: Pseudoterminal) -> None:
    """While the agent has the port: no traceback, what to stop, exit 3."""
    holder = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with scan_test(terminal) as command:
            code, said, errors = command.end()
    finally:
        os.close(holder)
    assert code == Exit.UNAVAILABLE
    assert "✗ device-" in said
    assert "systemctl stop onecode-agent" in errors
    assert "Traceback" not in errors


def test_a_scanner_that_is_not_there_and_one_that_is_silent(terminal: Pseudoterminal) -> None:
    """Both are unavailable, each with its own words."""
    with scan_test(terminal, "--seconds", "0.1") as command:
        code, _, errors = command.end()
    assert (code, errors.split()[1]) == (Exit.UNAVAILABLE, Reason.DEVICE_SILENT)
    terminal.path.unlink()
    with scan_test(terminal) as command:
        code, said, _ = command.end()
    assert code == Exit.UNAVAILABLE
    assert Reason.DEVICE_ABSENT in said


def test_usage_is_usage(tmp_path: Path) -> None:
    """A device that is none, and an option that is none."""
    assert run(tmp_path, "scan-test", "--scanner", "serial")[0] == Exit.USAGE
    assert run(tmp_path, "scan-test", "--count", "many")[0] == Exit.USAGE
