"""The catalogue: a configured kind gives its driver, and nothing is opened or loaded too early."""

import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from agent.config import PrinterConfig, ScannerConfig
from agent.drivers.catalog import open_printer, open_scanner
from agent.drivers.printer import WiredPrinter
from agent.drivers.scanner_hid import HidScanner
from agent.drivers.scanner_serial import SerialScanner
from agent.drivers.simulated import SimulatedPrinter
from shared.clock import SystemClock
from shared.devices import DeviceState
from shared.errors import Malformed
from shared.reasons import Reason
from tests.agent.drivers.pseudoterminal import Pseudoterminal
from tests.agent.drivers.watcher import Watcher


def test_kinds_of_scanners(tmp_path: Path) -> None:
    """serial, hid and none; a relative path is below the box's directory."""
    clock = SystemClock()
    serial = open_scanner(ScannerConfig(kind="serial", path="scanner"), tmp_path, clock)
    hid = open_scanner(ScannerConfig(kind="hid", path="/dev/input/event9"), tmp_path, clock)
    assert isinstance(serial, SerialScanner)
    assert serial.descriptor.location == str(tmp_path / "scanner")
    assert isinstance(hid, HidScanner)
    assert hid.descriptor.location == "/dev/input/event9"
    assert open_scanner(ScannerConfig(), tmp_path, clock) is None


def test_kinds_of_printers(tmp_path: Path) -> None:
    """usb, simulated and none; nothing is made in the folder before the first label."""
    usb = open_printer(PrinterConfig(kind="usb", path="0a5f:0080"), tmp_path)
    assert isinstance(usb, WiredPrinter)
    assert usb.descriptor.location == "usb 0a5f:0080"
    simulated = open_printer(PrinterConfig(kind="simulated", path="labels"), tmp_path)
    assert isinstance(simulated, SimulatedPrinter)
    assert not list(tmp_path.iterdir())
    assert open_printer(PrinterConfig(), tmp_path) is None


@pytest.mark.parametrize("kind", ["usb ", "bluetooth", ""])
def test_unknown_kinds_are_a_wrong_configuration(kind: str, tmp_path: Path) -> None:
    """A kind that is not in the catalogue is refused, not guessed."""
    with pytest.raises(Malformed) as scanner:
        open_scanner(ScannerConfig(kind=kind), tmp_path, SystemClock())
    with pytest.raises(Malformed) as printer:
        open_printer(PrinterConfig(kind=kind), tmp_path)
    assert {scanner.value.reason, printer.value.reason} == {Reason.CONFIG_MALFORMED}


@pytest.mark.parametrize("content", [None, b"no device"])
async def test_keyboard_that_is_not_there_is_absent(tmp_path: Path, content: bytes | None) -> None:
    """No path, or one that is no input device: ABSENT as data, tried again later."""
    path = tmp_path / "event9"
    if content is not None:
        path.write_bytes(content)
    scanner = open_scanner(ScannerConfig(kind="hid", path=str(path)), tmp_path, SystemClock())
    assert scanner is not None
    async with aclosing(Watcher(scanner)) as watcher:
        assert (await watcher.state())[0] is DeviceState.OPENING
        assert await watcher.state() == (DeviceState.ABSENT, Reason.DEVICE_ABSENT)


def test_a_box_loads_only_what_it_uses(tmp_path: Path) -> None:
    """With a serial scanner and a simulated printer, neither drawing nor other drivers load before
    the first label: a box scans within a second of its start."""
    program = f"""
import sys
from pathlib import Path
from agent.config import PrinterConfig, ScannerConfig
from agent.drivers.catalog import open_printer, open_scanner
from shared.clock import SystemClock
folder = Path({str(tmp_path)!r})
assert open_scanner(ScannerConfig(kind="serial", path="s"), folder, SystemClock())
assert open_printer(PrinterConfig(kind="simulated", path="p"), folder)
print(*sorted({{"PIL", "segno", "usb", "evdev", "serial"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["serial"]


@pytest.mark.parametrize("affix", ["]Q1", "<", "", " "])
def test_prefix_and_suffix_are_visible_ascii(affix: str) -> None:
    """What stands around each code is a setting of the box; a character that ends a frame, or
    cannot be typed, is refused when the configuration is read."""
    text = f"prefix = '{affix}'\nsuffix = '{affix}'"
    config = msgspec.toml.decode(text, type=ScannerConfig)
    assert (config.prefix, config.suffix) == (affix, affix)
    for wrong in ("\\t", "\\r", "\\u4E00", "x" * 17):
        with pytest.raises(msgspec.ValidationError):
            msgspec.toml.decode(f'prefix = "{wrong}"', type=ScannerConfig)


async def test_a_configured_scanner_takes_its_prefix_off(tmp_path: Path) -> None:
    """What ``box.toml`` says of a scanner reaches its frames."""
    terminal = Pseudoterminal(tmp_path / "scanner")
    terminal.plug_in()
    config = ScannerConfig(kind="serial", path="scanner", prefix="<", suffix=">")
    scanner = open_scanner(config, tmp_path, SystemClock())
    assert scanner is not None
    async with aclosing(Watcher(scanner)) as watcher:
        await watcher.ready()
        terminal.write(b"<AAA>\r")
        assert await watcher.frame() == b"AAA"
    terminal.close()
