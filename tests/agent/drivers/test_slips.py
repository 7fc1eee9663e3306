"""Slips leave by the road of labels: same bytes, same printer, same honesty."""

from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from agent.drivers.encoder import LabelEncoder
from agent.drivers.simulated import SimulatedPrinter
from agent.drivers.zpl import parse_format
from agent.ports import PrintOutcome, Slip
from shared.devices import PrinterCondition, PrintState
from shared.ids import new_record_id
from shared.reasons import Reason

SLIP = Slip(new_record_id(datetime(2026, 11, 22, tzinfo=UTC)), ("✓ 已入网 OK", "虚构市人民医院"))


async def test_a_slip_becomes_bytes_and_a_picture(tmp_path: Path) -> None:
    """On the paper of a label, with something on it."""
    printer = SimulatedPrinter(tmp_path, LabelEncoder())
    assert await printer.print_slip(SLIP) == PrintOutcome(PrintState.CONFIRMED)
    data = (tmp_path / f"{SLIP.id}.zpl").read_bytes()
    assert data == LabelEncoder().encode(SLIP)
    width, height, pieces = parse_format(data)
    assert (width, height) == (400, 240)
    assert len(pieces) == 2
    with Image.open(tmp_path / f"{SLIP.id}.png") as picture:
        assert picture.convert("L").getextrema() == (0, 255)


async def test_no_paper_no_slip(tmp_path: Path) -> None:
    """No byte leaves, and it is said why."""
    printer = SimulatedPrinter(tmp_path, LabelEncoder())
    printer.set_conditions(PrinterCondition.NO_PAPER)
    outcome = await printer.print_slip(SLIP)
    assert (outcome.state, outcome.reason) == (PrintState.FAILED, Reason.PRINT_CONDITION)


def test_a_character_no_font_has_is_shown_as_a_box() -> None:
    """A slip that does not come tells nothing: unlike a label, it is printed all the same."""
    odd = Slip(SLIP.id, ("名\U0010fffd", "\x07"))
    boxed = Slip(SLIP.id, ("名□", "□"))
    assert LabelEncoder().encode(odd) == LabelEncoder().encode(boxed)
