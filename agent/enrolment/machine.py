"""The machine's serial number, which an invite may be bound to.

The first of these that says something: the firmware's product serial (PC), the device tree's
(ARM), systemd's machine id. The first is readable by root alone until a rule gives it to the box's
user (``systemd/``). A technician may name it instead: ``enrol --serial``.
"""

from pathlib import Path

from shared.errors import Unavailable
from shared.reasons import Reason

PLACES = (
    "sys/class/dmi/id/product_serial",
    "sys/firmware/devicetree/base/serial-number",
    "etc/machine-id",
)

_MEANINGLESS = frozenset(
    {
        "",
        "0",
        "none",
        "default string",
        "not specified",
        "system serial number",
        "to be filled by o.e.m.",
        "123456789",
    }
)
"""What firmware says that was never told a serial number."""


def read_machine_serial(root: Path = Path("/")) -> str:
    """The serial number as printed text. Raises Unavailable (NOT_FOUND) when nothing has one."""
    for place in PLACES:
        try:
            text = (root / place).read_text(errors="replace")
        except OSError:
            continue
        serial = text.strip(" \t\r\n\0")
        if serial.lower() not in _MEANINGLESS and serial.isprintable():
            return serial
    raise Unavailable(Reason.NOT_FOUND, "no serial number: name it with --serial")
