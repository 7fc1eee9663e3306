"""Settings reach a counter at work: new values at once, other devices, nothing else."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.config import PrinterConfig, ScannerConfig
from agent.drivers.slots import PrinterSlot, ScannerSlot
from agent.ports import DeviceChanged, FrameScanned, ScannerEvent
from agent.settings.effective import Effective, build_effective
from agent.workplace import Workplace, check_workplace
from shared.clock import SystemClock
from shared.devices import DeviceState
from shared.errors import Malformed
from shared.messages import MedicalStep, ScanAsk
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.agent.drivers.pseudoterminal import Pseudoterminal
from tests.agent.settings.centre import CONFIG
from tests.factories import STATIC_TEXT, accepted

PATIENCE_SECONDS = 20.0
NOW = build_effective(CONFIG, None)


class Place:
    """A desk whose values and devices settings may change."""

    def __init__(self, directory: Path) -> None:
        self.desk = Desk()
        self.scanner, self.printer = ScannerSlot(None), PrinterSlot(None)
        self.workplace = Workplace(
            arranged=NOW,
            directory=directory,
            font="",
            clock=SystemClock(),
            registrar=self.desk.registrar,
            judge=self.desk.judge,
            again=self.desk.again,
            counter=self.desk.counter,
            issuing=self.desk.issuing,
            scanner=self.scanner,
            printer=self.printer,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[tuple[Pseudoterminal, Pseudoterminal]]:
    """Two scanners, plugged in."""
    made = Pseudoterminal(tmp_path / "old"), Pseudoterminal(tmp_path / "new")
    for each in made:
        each.plug_in()
    yield made
    for each in made:
        each.close()


async def test_new_values_hold_for_the_next_scan(place: Place) -> None:
    """Counter, medical step, deadline and window: the next question has them."""
    desk = place.desk
    place.workplace.arrange(
        replace(
            NOW,
            counter="挂号9",
            medical_step=MedicalStep.PAY,
            ask_deadline=timedelta(seconds=3),
            register_deadline=timedelta(seconds=9),
            again=timedelta(0),
        )
    )
    for count in (1, 2):  # with no window, the second read is judged for itself
        scan = desk.begin(STATIC_TEXT)
        ask = await desk.uplink.asked(count)
        assert isinstance(ask, ScanAsk)
        assert (ask.counter, ask.medical_step) == ("挂号9", MedicalStep.PAY)
        assert ask.expires_at - ask.born == 3_000_000
        desk.uplink.answer(accepted(ask.id, desk.clock.now()))
        assert not (await scan).again
    assert desk.issuing.deadline == timedelta(seconds=9)


async def test_another_scanner_is_read_from_then_on(
    place: Place, terminals: tuple[Pseudoterminal, Pseudoterminal]
) -> None:
    """The old device is let go of; both are real terminals."""
    old, new = terminals
    events = aiter(place.scanner.events())

    async def until(state: DeviceState) -> ScannerEvent:
        while True:
            event = await anext(events)
            if isinstance(event, DeviceChanged) and event.state is state:
                return event

    async with asyncio.timeout(PATIENCE_SECONDS):
        await until(DeviceState.ABSENT)
        for terminal in (old, new):
            scanner = ScannerConfig("serial", terminal.path.name)
            place.workplace.arrange(replace(NOW, scanner=scanner))
            await until(DeviceState.READY)
            terminal.write(b"ABC\r")
            frame = await anext(events)
            assert isinstance(frame, FrameScanned)
        old.write(b"DEF\r")
        place.workplace.arrange(replace(NOW, scanner=ScannerConfig()))
        await until(DeviceState.ABSENT)


async def test_an_unchanged_device_is_left_alone(place: Place) -> None:
    """Another window does not reopen the printer."""
    printer = PrinterConfig("simulated", "labels")
    place.workplace.arrange(replace(NOW, printer=printer))
    assert place.printer.descriptor.name == "simulated label printer"
    before = place.printer.descriptor
    place.workplace.arrange(replace(NOW, printer=printer, again=timedelta(0)))
    assert place.printer.descriptor is before


@pytest.mark.parametrize(
    ("wanted", "reason", "setting"),
    [
        (replace(NOW, scanner=ScannerConfig("camera")), Reason.SETTING_IMPOSSIBLE, "scanner"),
        (
            replace(NOW, printer=PrinterConfig("usb", "zebra")),
            Reason.SETTING_IMPOSSIBLE,
            "printer",
        ),
        (replace(NOW, label="90x90"), Reason.SETTING_IMPOSSIBLE, "label"),
        (
            replace(NOW, printer=PrinterConfig("simulated", "x"), site_name="\U0003134a医院"),
            Reason.GLYPH_MISSING,
            "site_name",
        ),
    ],
)
def test_what_this_box_cannot_do(
    tmp_path: Path, wanted: Effective, reason: Reason, setting: str
) -> None:
    """A driver or a paper it has not, a name its font cannot write: refused by the setting."""
    with pytest.raises(Malformed) as caught:
        check_workplace(CONFIG, tmp_path, SystemClock(), wanted)
    assert (caught.value.reason, caught.value.detail) == (reason, setting)


def test_what_this_box_can_do(tmp_path: Path) -> None:
    """Where nothing is printed, no font is asked."""
    check_workplace(CONFIG, tmp_path, SystemClock(), NOW)
    unwritten = replace(NOW, site_name="\U0003134a医院")
    check_workplace(CONFIG, tmp_path, SystemClock(), unwritten)
