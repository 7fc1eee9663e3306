"""Which devices a box uses that was told of none: whatever is plugged in, now or later."""

from typing import NamedTuple

from agent.config import PrinterConfig, ScannerConfig
from shared.errors import Malformed
from shared.reasons import Reason

API_PORT = 8700
AUTO = "auto"


class Machine(NamedTuple):
    """What is here, for a ``box.toml`` that does not say: devices, and the local API's port."""

    scanner: ScannerConfig = ScannerConfig()
    printer: PrinterConfig = PrinterConfig()
    api_port: int = API_PORT


def find_machine(scanner: str = "", printer: str = "", api_port: int = API_PORT) -> Machine:
    """Devices that were named (``kind:path``, ``auto``, ``none``); ``auto`` where none was.

    Raises Malformed (CONFIG_MALFORMED).
    """
    return Machine(
        parse_scanner(scanner or AUTO),
        parse_printer(printer or AUTO),
        api_port,
    )


def parse_scanner(text: str) -> ScannerConfig:
    """``kind:path``, ``auto`` or ``none``. Raises Malformed (CONFIG_MALFORMED)."""
    return ScannerConfig(*_split(text))


def parse_printer(text: str) -> PrinterConfig:
    """``kind:path``, ``auto`` or ``none``. Raises Malformed (CONFIG_MALFORMED)."""
    return PrinterConfig(*_split(text))


def _split(text: str) -> tuple[str, str]:
    kind, colon, path = text.partition(":")
    if text not in {"none", AUTO} and not (kind and colon and path):
        raise Malformed(Reason.CONFIG_MALFORMED, "a device is kind:path, auto or none")
    return kind, path
