"""The shipped simulators: labels as files, conditions a person can set, a scanner fed by calls."""

from contextlib import aclosing
from pathlib import Path

import pytest
from PIL import Image

from agent.drivers.encoder import LabelEncoder
from agent.drivers.simulated import SimulatedPrinter, SimulatedScanner
from agent.ports import (
    DeviceChanged,
    FrameDropped,
    FrameScanned,
    LabelPrinter,
    PrinterStatus,
    PrintOutcome,
    Scanner,
)
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.reasons import Reason
from tests.agent.drivers.labels import SAMPLE, STATIC_TEXT
from tests.agent.drivers.watcher import Watcher
from tests.fakes import noon_clock
from tests.labels.renderer import read_codes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "labels"


@pytest.fixture
def printer(folder: Path) -> SimulatedPrinter:
    return SimulatedPrinter(folder, LabelEncoder())


def list_suffixes(folder: Path) -> list[str]:
    """The kinds of files that lie there of the sample label."""
    return sorted(path.suffix for path in folder.glob(f"{SAMPLE.id}*"))


async def test_label_becomes_bytes_and_a_picture(printer: LabelPrinter, folder: Path) -> None:
    """A label lies in the folder as sent and as printed; the picture's code reads."""
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.CONFIRMED)
    assert (folder / f"{SAMPLE.id}.zpl").read_bytes() == LabelEncoder().encode(SAMPLE)
    with Image.open(folder / f"{SAMPLE.id}.png") as picture:
        assert picture.size == (400, 240)
        assert read_codes(picture.convert("L")) == [STATIC_TEXT]


async def test_conditions_fail_a_label(printer: SimulatedPrinter, folder: Path) -> None:
    """Without paper, set by call or by a word in the file, nothing is printed; then it works."""
    printer.set_conditions(PrinterCondition.NO_PAPER, PrinterCondition.HEAD_OPEN)
    outcome = await printer.print(SAMPLE)
    assert outcome.state is PrintState.FAILED
    assert outcome.reason is Reason.PRINT_CONDITION
    assert outcome.conditions == {PrinterCondition.NO_PAPER, PrinterCondition.HEAD_OPEN}
    (folder / "conditions").write_text("on-fire\n")
    status = await printer.read_status()
    other_fault = frozenset({PrinterCondition.OTHER_FAULT})
    assert status == PrinterStatus(DeviceState.FAULTY, other_fault)
    printer.set_conditions()
    assert (await printer.print(SAMPLE)).state is PrintState.CONFIRMED
    assert list_suffixes(folder) == [".png", ".zpl"]


async def test_cut_label_is_unknown_and_prints_nothing(
    printer: SimulatedPrinter, folder: Path
) -> None:
    """The cable pulled in the middle: UNKNOWN, half the bytes, no picture; the next is whole."""
    printer.cut_next_after(1000)
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
    assert len((folder / f"{SAMPLE.id}.zpl").read_bytes()) == 1000
    assert list_suffixes(folder) == [".zpl"]
    assert (await printer.print(SAMPLE)).state is PrintState.CONFIRMED


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (DeviceState.ABSENT, Reason.DEVICE_ABSENT),
        (DeviceState.DENIED, Reason.DEVICE_RULE_MISSING),
        (DeviceState.SILENT, Reason.DEVICE_SILENT),
    ],
)
async def test_a_printer_that_is_away_fails_a_label(
    printer: SimulatedPrinter, state: DeviceState, reason: Reason
) -> None:
    """Pulled, without rights or silent: FAILED with the reason, as of a real one."""
    printer.set_state(state)
    assert await printer.read_status() == PrinterStatus(state)
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, reason)


async def test_scanner_tells_what_it_is_fed() -> None:
    """Frames, drops and plugging come as events, in order, with the clock's time."""
    clock = noon_clock()
    fed = SimulatedScanner(clock)
    scanner: Scanner = fed
    fed.scan(b"CODE")
    fed.drop(Reason.FRAME_CUT)
    fed.unplug()
    async with aclosing(Watcher(scanner)) as watcher:
        assert [await watcher.next() for _ in range(4)] == [
            DeviceChanged(scanner.descriptor, DeviceState.READY),
            FrameScanned(b"CODE", clock.now()),
            FrameDropped(Reason.FRAME_CUT, clock.now()),
            DeviceChanged(scanner.descriptor, DeviceState.ABSENT, Reason.DEVICE_ABSENT),
        ]
