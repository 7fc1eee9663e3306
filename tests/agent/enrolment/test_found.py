"""What a box finds out about its machine: devices, serial number; by names alone."""

from pathlib import Path

import pytest

from agent.config import PrinterConfig, ScannerConfig
from agent.enrolment.found import find_machine, find_printer, find_scanner
from agent.enrolment.machine import PLACES, read_machine_serial
from shared.errors import Malformed, Unavailable


def write(root: Path, name: str, text: str) -> Path:
    """A file below a machine's root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def plug_in_keyboard(root: Path, name: str, event: str, vendor: str) -> None:
    """As udev and sysfs show a keyboard."""
    device = write(root, f"dev/input/{event}", "")
    link = root / "dev/input/by-id" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(device)
    write(root, f"sys/class/input/{event}/device/id/vendor", f"{vendor}\n")


def plug_in_usb(root: Path, number: str, device_class: str, vendor: str, product: str) -> None:
    """As sysfs shows a USB device with one interface."""
    write(root, f"sys/bus/usb/devices/{number}/idVendor", f"{vendor}\n")
    write(root, f"sys/bus/usb/devices/{number}/idProduct", f"{product}\n")
    write(root, f"sys/bus/usb/devices/{number}:1.0/bInterfaceClass", f"{device_class}\n")


def test_nothing_is_plugged_in(tmp_path: Path) -> None:
    """Then nothing is found."""
    assert find_scanner(tmp_path) == ScannerConfig()
    assert find_printer(tmp_path) == PrinterConfig()


def test_a_serial_scanner_goes_before_a_keyboard(tmp_path: Path) -> None:
    """A clerk's keyboard is never taken for a scanner."""
    plug_in_keyboard(tmp_path, "usb-A_Keyboard-event-kbd", "event0", "046d")
    assert find_scanner(tmp_path).kind == "none"
    plug_in_keyboard(tmp_path, "usb-Newland_FR20-event-kbd", "event3", "1EAB")
    found = find_scanner(tmp_path)
    assert (found.kind, Path(found.path).name) == ("hid", "usb-Newland_FR20-event-kbd")
    write(tmp_path, "dev/serial/by-id/usb-Newland_FR20-if00", "")
    found = find_scanner(tmp_path)
    assert (found.kind, Path(found.path).name) == ("serial", "usb-Newland_FR20-if00")


def test_a_label_printer_goes_before_others(tmp_path: Path) -> None:
    """Of printers alone; another maker's is taken where there is no Zebra."""
    plug_in_usb(tmp_path, "1-1", "03", "1eab", "8310")
    assert find_printer(tmp_path) == PrinterConfig()
    plug_in_usb(tmp_path, "1-2", "07", "04b8", "0202")
    assert find_printer(tmp_path) == PrinterConfig("usb", "04b8:0202")
    plug_in_usb(tmp_path, "1-3", "07", "0a5f", "0081")
    assert find_printer(tmp_path) == PrinterConfig("usb", "0a5f:0081")


def test_what_is_named_is_not_looked_for() -> None:
    """``kind:path`` or ``none``; anything else is a typing error."""
    machine = find_machine("serial:/dev/ttyACM0", "none", 0)
    assert machine.scanner == ScannerConfig("serial", "/dev/ttyACM0")
    assert machine.printer == PrinterConfig("none", "")
    assert machine.api_port == 0
    for wrong in ("serial", "serial:", ":x", "/dev/ttyACM0"):
        with pytest.raises(Malformed):
            find_machine(wrong, "none")


def test_the_serial_number_is_the_first_that_says_something(tmp_path: Path) -> None:
    """Firmware before device tree before systemd; what firmware was never told is none."""
    with pytest.raises(Unavailable):
        read_machine_serial(tmp_path)
    firmware, tree, machine_id = PLACES
    write(tmp_path, machine_id, "0123456789abcdef\n")
    assert read_machine_serial(tmp_path) == "0123456789abcdef"
    write(tmp_path, tree, "10000000abcd\0")
    assert read_machine_serial(tmp_path) == "10000000abcd"
    write(tmp_path, firmware, "To be filled by O.E.M.\n")
    assert read_machine_serial(tmp_path) == "10000000abcd"
    write(tmp_path, firmware, " SN 77-1 \n")
    assert read_machine_serial(tmp_path) == "SN 77-1"
