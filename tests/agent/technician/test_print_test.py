"""``onecode-agent print-test`` on the simulated printer, and what it prints."""

import json
from pathlib import Path

import pytest

from agent.drivers.encoder import LabelEncoder
from agent.drivers.templates import TEMPLATES
from agent.drivers.zpl import parse_format
from agent.ports import Calibration
from agent.technician.print_test import ANSWERS, SAMPLE_TEXT
from shared.ehc import ForeignText, parse_code
from shared.exits import Exit
from tests.agent.drivers.labels import SAMPLE
from tests.agent.technician.terminal_command import run


def print_test(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The command with the simulated printer of a folder."""
    return run(folder, "print-test", "--printer", f"simulated:{folder / 'out'}", *arguments)


def test_two_whole_labels_hold(tmp_path: Path) -> None:
    """Both come out; the person says so: exit 0, and what scanning the sample shows."""
    code, out, errors = print_test(tmp_path, "--answer", "whole")
    assert (code, errors) == (Exit.HELD, "")
    assert out.count("confirmed") == 2
    assert "not a health code" in out
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "whole"])
def test_whatever_else_came_out_has_a_cure(tmp_path: Path, name: str) -> None:
    """In both languages; exit 1."""
    code, out, _ = print_test(tmp_path, "--answer", name)
    assert code == Exit.CHECK_FAILED
    assert ANSWERS[name].cure_zh in out
    assert ANSWERS[name].cure_en in out


def test_nobody_answers(tmp_path: Path) -> None:
    """No person at the keyboard: the question stays open, which is no success."""
    code, out, _ = print_test(tmp_path)
    assert code == Exit.CHECK_FAILED
    assert "Nobody answered" in out


def test_machines_read_lines(tmp_path: Path) -> None:
    """One JSON object a line."""
    code, out, _ = print_test(tmp_path, "--json", "--answer", "whole")
    facts = [json.loads(line) for line in out.splitlines()]
    assert code == Exit.HELD
    assert [fact["kind"] for fact in facts] == [
        "printer", "status", "label", "label", "printer", "answer",
    ]  # fmt: skip


def test_a_printer_without_paper_prints_nothing(tmp_path: Path) -> None:
    """The condition by name, and the next step."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/conditions").write_text("no-paper\n")
    code, out, errors = print_test(tmp_path, "--answer", "whole")
    assert code == Exit.CHECK_FAILED
    assert "no-paper" in out + errors
    assert not list((tmp_path / "out").glob("*.zpl"))


def test_no_printer_is_unavailable(tmp_path: Path) -> None:
    """Exit 3, and words."""
    code, _, errors = run(tmp_path, "print-test", "--printer", "usb:dead:beef")
    assert code == Exit.UNAVAILABLE
    assert errors


def test_the_samples_code_is_nobodys() -> None:
    """As long as a static code, and no health code: nothing can come of scanning it."""
    assert len(SAMPLE_TEXT) == len(SAMPLE.code)
    assert isinstance(parse_code(SAMPLE_TEXT.encode()), ForeignText)


@pytest.mark.parametrize("template", TEMPLATES)
def test_calibration_shows_the_labels_edges(template: str) -> None:
    """Its frame is a millimetre inside of the label on all sides, and nothing leaves the label."""
    zpl = LabelEncoder().encode(Calibration(SAMPLE.id, template))
    width, height, pieces = parse_format(zpl)
    right = max(x + bitmap.width for x, y, bitmap in pieces)
    bottom = max(y + bitmap.height for x, y, bitmap in pieces)
    assert min(x for x, _, _ in pieces) == min(y for _, y, _ in pieces) == 8
    assert width - 8 <= right <= width
    assert height - 8 <= bottom <= height
