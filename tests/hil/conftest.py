"""One booted guest with one box for all tests here, in the order of their files."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.broker import free_ports
from tests.devices.zebra import Zebra
from tests.hil.centre import Centre
from tests.hil.counter import Counter
from tests.hil.devices import (
    NEWLAND_VENDOR,
    Keyboard,
    KeyboardAndPrinter,
    PosScanner,
    Printer,
    SerialScanner,
)
from tests.hil.usb import Bus
from tests.hil.vm import Disk, Image, Machine

BUILT = Path(__file__).resolve().parents[2] / "build/hil"
IMAGE = Image(BUILT / "base", BUILT / "box")
API_PORT = 8700
NEWLAND = "Newland Auto-ID"
SCANNER = "/dev/input/by-id/usb-Newland_Auto-ID_FR20_SN1-event-kbd"


TIMES = pytest.StashKey[dict[str, float]]()


@dataclass(frozen=True)
class Hil:
    """Everything a test here touches."""

    bus: Bus
    centre: Centre
    counter: Counter
    scanner: Keyboard
    second_scanner: Keyboard
    stranger: Keyboard
    serial_scanner: SerialScanner
    pos_scanner: PosScanner
    printer: Printer
    both: KeyboardAndPrinter
    disk: Disk


@pytest.fixture(scope="session")
def hil(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Hil]:
    """The counter of ``open_hil``."""
    begun_at = time.monotonic()
    with open_hil(tmp_path_factory.mktemp("hil")) as opened:
        pytestconfig.stash[TIMES] = {"boot, box online": time.monotonic() - begun_at}
        yield opened


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What each part took, the image as it was last built."""
    times = {
        f"image: {part.name}, when built": float((part / "seconds").read_text()) for part in IMAGE
    }
    begun: dict[str, float] = config.stash.get(TIMES, {})
    times |= begun
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                times[report.location[2]] = report.duration
    terminalreporter.section("times in seconds")
    for name, seconds in times.items():
        terminalreporter.write_line(f"{seconds:7.1f}  {name}")


@contextmanager
def open_hil(directory: Path) -> Iterator[Hil]:
    """The guest is up, the box is online, one keyboard scanner and the printer are plugged in."""
    disk = Disk(directory / "state.img", directory / "state.log")
    shutil.copyfile(IMAGE.box / "state.img", disk.image)
    directory.joinpath("state.log").touch()
    scanner = Keyboard(
        "1-1", NEWLAND_VENDOR, 0x0003, manufacturer=NEWLAND, product="FR20", serial="SN1"
    )
    second = Keyboard(
        "1-2", NEWLAND_VENDOR, 0x0003, manufacturer=NEWLAND, product="FR20", serial="SN2"
    )
    stranger = Keyboard("1-3", 0x046D, 0xC31C, manufacturer="Logitech", product="Keyboard K120")
    serial = SerialScanner(
        "1-4", NEWLAND_VENDOR, 0x8306, manufacturer=NEWLAND, product="FR20 CDC", serial="SN4"
    )
    pos = PosScanner(
        "1-5", NEWLAND_VENDOR, 0x0010, manufacturer=NEWLAND, product="FR20 POS", serial="SN5"
    )
    printer = Printer("1-6", Zebra())
    both = KeyboardAndPrinter("1-7", 0x046D, 0x0001, manufacturer="Both", product="Everything")
    bus = Bus(scanner, second, stranger, serial, pos, printer, both)
    ssh_port, api_port = free_ports(2)
    centre = Centre(directory)
    with (
        bus,
        centre,
        Machine(IMAGE, directory / "vm", ssh_port, {api_port: API_PORT}, disk) as machine,
    ):
        counter = Counter(machine, bus, directory, api_port)
        machine.run("modprobe vhci_hcd")
        counter.plug_in(scanner)
        counter.plug_in(printer)
        counter.furnish(
            centre,
            directory,
            "auto",
            "auto",
        )
        centre.start()
        counter.start_agent()
        counter.wait_state("online", lambda state: state["link"]["state"] == "up")
        yield Hil(bus, centre, counter, scanner, second, stranger, serial, pos, printer, both, disk)
