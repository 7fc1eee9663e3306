"""Which driver serves which configured device. A driver's library is imported when the driver is
chosen, so that a box loads what it uses.
"""

from functools import partial
from pathlib import Path

from agent.config import DEFAULT_LABEL, DocumentReaderConfig, PrinterConfig, ScannerConfig
from agent.drivers.discovery import Found, Mode
from agent.drivers.framing import Affixes
from agent.ports import DeviceDescriptor, DocumentReader, LabelPrinter, Scanner
from shared.clock import Clock
from shared.errors import Malformed
from shared.reasons import Reason


def open_scanner(config: ScannerConfig, directory: Path, clock: Clock) -> Scanner | None:
    """The configured scanner, None for kind ``none``; nothing is opened before its events are read.

    ``path`` is a device path, relative to ``directory`` if not absolute; ``auto`` is every scanner
    that is plugged in. Raises Malformed.
    """
    if config.kind == "none":
        return None
    if config.kind == "auto":
        from agent.drivers.discovery import list_scanners
        from agent.drivers.hotplug import watch_devices
        from agent.drivers.scanners import ScannerPark

        def open_found(found: Found) -> Scanner:
            return _open_line_scanner(found.mode, found.device, config, clock)

        return ScannerPark(list_scanners, watch_devices, open_found)
    if config.kind not in set(Mode):
        raise Malformed(Reason.CONFIG_MALFORMED, f"scanner kind {config.kind!r}")
    device = DeviceDescriptor(f"{config.kind} scanner", str(directory / config.path))
    return _open_line_scanner(Mode(config.kind), device, config, clock)


def _open_line_scanner(
    mode: Mode, device: DeviceDescriptor, config: ScannerConfig, clock: Clock
) -> Scanner:
    """The driver of a mode, for one device."""
    gap_seconds = config.gap_ms / 1000
    affixes = Affixes(config.prefix.encode(), config.suffix.encode())
    match mode:
        case Mode.SERIAL:
            from agent.drivers.scanner_serial import SerialScanner

            return SerialScanner(device, gap_seconds, clock, affixes)
        case Mode.KEYBOARD:
            from agent.drivers.scanner_hid import HidScanner

            return HidScanner(device, gap_seconds, clock, affixes)
        case Mode.HID_POS:
            from agent.drivers.scanner_hidpos import HidPosScanner

            return HidPosScanner(device, gap_seconds, clock, affixes)


def open_printer(
    config: PrinterConfig, directory: Path, font: str = "", template: str = DEFAULT_LABEL
) -> LabelPrinter | None:
    """The configured printer, None for kind ``none``; nothing is opened before it is used.

    ``path`` is ``vendor:product`` in hex for ``usb``, a folder for ``simulated``, relative to
    ``directory`` if not absolute; ``auto`` is whatever Zebra is plugged in. ``template``
    says which labels are in it. Raises Malformed.
    """
    if config.kind == "none":
        return None
    from agent.drivers.encoder import LabelEncoder

    encoder = LabelEncoder(font)
    match config.kind:
        case "auto" | "usb":
            from agent.drivers.printer import WiredPrinter
            from agent.drivers.printer_usb import ZEBRA, open_usb, parse_usb_path

            path = parse_usb_path(config.path) if config.kind == "usb" else ZEBRA
            device = DeviceDescriptor(
                "label printer", f"usb {config.path}".strip(), "", path.vendor_id, path.product_id
            )
            return WiredPrinter(device, partial(open_usb, path), encoder, template)
        case "simulated":
            from agent.drivers.simulated import SimulatedPrinter

            return SimulatedPrinter(directory / config.path, encoder)
    raise Malformed(Reason.CONFIG_MALFORMED, f"printer kind {config.kind!r}")


def open_document_reader(
    config: DocumentReaderConfig, directory: Path, clock: Clock
) -> DocumentReader | None:
    """The configured reader of identity cards, None for kind ``none``; as ``open_scanner``."""
    match config.kind:
        case "none":
            return None
        case "sam-v":
            from agent.drivers.document_reader import SamDocumentReader

            device = DeviceDescriptor("SAM_V", str(directory / config.path))
            return SamDocumentReader(device, clock)
    raise Malformed(Reason.CONFIG_MALFORMED, f"document reader kind {config.kind!r}")
