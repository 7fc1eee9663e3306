"""What a box finds out about its machine: devices, serial number; by names alone."""

from pathlib import Path

import pytest

from agent.config import PrinterConfig, ScannerConfig
from agent.enrolment.found import find_machine
from agent.enrolment.machine import PLACES, read_machine_serial
from shared.errors import Malformed, Unavailable


def write(root: Path, name: str, text: str) -> Path:
    """A file below a machine's root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_is_not_named_is_found() -> None:
    """Whatever is plugged in, now or later: a technician need not know a path."""
    machine = find_machine()
    assert (machine.scanner, machine.printer) == (ScannerConfig("auto"), PrinterConfig("auto"))


def test_what_is_named_is_not_looked_for() -> None:
    """``kind:path``, ``auto`` or ``none``; anything else is a typing error."""
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
