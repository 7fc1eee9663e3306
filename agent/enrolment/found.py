"""Which scanner and printer a box has that was told of none. Looks at names only, opens nothing.

Scanner: the first of ``/dev/serial/by-id``, else the first keyboard in ``/dev/input/by-id`` whose
maker is Newland. Printer: the first USB printer, a Zebra before others (hardware.md); one that
does not answer as a label printer gets no label anyway.
"""

from pathlib import Path
from typing import NamedTuple

from agent.config import PrinterConfig, ScannerConfig
from shared.errors import Malformed
from shared.reasons import Reason

API_PORT = 8700
SCANNER_VENDOR = "1eab"
PRINTER_VENDOR = "0a5f"
_PRINTER_CLASS = "07"  # USB device class codes: 07h, printer


class Machine(NamedTuple):
    """What is here, for a ``box.toml`` that does not say: devices, and the local API's port."""

    scanner: ScannerConfig = ScannerConfig()
    printer: PrinterConfig = PrinterConfig()
    api_port: int = API_PORT


def find_machine(scanner: str = "", printer: str = "", api_port: int = API_PORT) -> Machine:
    """Devices that were named (``kind:path``, ``none``), else those that are plugged in.

    Raises Malformed (CONFIG_MALFORMED).
    """
    return Machine(
        parse_scanner(scanner) if scanner else find_scanner(),
        parse_printer(printer) if printer else find_printer(),
        api_port,
    )


def parse_scanner(text: str) -> ScannerConfig:
    """``kind:path`` or ``none``. Raises Malformed (CONFIG_MALFORMED)."""
    return ScannerConfig(*_split(text))


def parse_printer(text: str) -> PrinterConfig:
    """``kind:path`` or ``none``. Raises Malformed (CONFIG_MALFORMED)."""
    return PrinterConfig(*_split(text))


def find_scanner(root: Path = Path("/")) -> ScannerConfig:
    """The scanner that is plugged in; kind ``none`` when there is none."""
    for line in _list(root / "dev/serial/by-id"):
        return ScannerConfig("serial", str(line))
    for keyboard in _list(root / "dev/input/by-id"):
        if keyboard.name.endswith("-event-kbd"):
            vendor = root / "sys/class/input" / keyboard.resolve().name / "device/id/vendor"
            if _read(vendor) == SCANNER_VENDOR:
                return ScannerConfig("hid", str(keyboard))
    return ScannerConfig()


def find_printer(root: Path = Path("/")) -> PrinterConfig:
    """The printer that is plugged in; kind ``none`` when there is none."""
    found = []
    for interface in _list(root / "sys/bus/usb/devices"):
        if _read(interface / "bInterfaceClass") == _PRINTER_CLASS:
            device = interface.with_name(interface.name.partition(":")[0])
            vendor, product = _read(device / "idVendor"), _read(device / "idProduct")
            if vendor and product:
                found.append(f"{vendor}:{product}")
    found.sort(key=lambda path: not path.startswith(PRINTER_VENDOR))
    return PrinterConfig("usb", found[0]) if found else PrinterConfig()


def _split(text: str) -> tuple[str, str]:
    kind, colon, path = text.partition(":")
    if text != "none" and not (kind and colon and path):
        raise Malformed(Reason.CONFIG_MALFORMED, "a device is kind:path or none")
    return kind, path


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text().strip().lower()
    except OSError:
        return ""
