"""What a Zebra says of itself besides its state, read: ~HI, ~HQOD, ~HQSN and ^HH's line on
reprinting. Pure parsers; silence is the reader's business.

Sentences quoted are those of the ZPL II programming guide. What cannot be read is Malformed
(PRINTER_GARBLED), never a guess.
"""

import re
from dataclasses import dataclass

from shared.errors import Malformed
from shared.reasons import Reason

ASK_IDENTIFICATION = b"~HI"
ASK_ODOMETER = b"~HQOD"
ASK_SERIAL = b"~HQSN"
ASK_CONFIGURATION = b"^XA^HH^XZ"

# "Each string starts with an <STX> control code and is terminated by an <ETX>": so do the pages
# of ~HQ and ^HH.
ANSWER_END = re.compile(rb"\x02[^\x02\x03]*\x03(?:\r\n)?")
_PAGE = re.compile(rb"\x02([^\x02\x03]*)\x03")

_MILLIMETRES = {"cm": 10.0, '"': 25.4}


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer to ~HI."""

    model: str
    version: str
    dots_per_mm: int


# "XXXXXX,V1.0.0,dpm,000KB,X": "XXXXXX = model of Zebra printer", "V1.0.0 = version of software",
# "dpm = dots/mm: 6, 8, 12, or 24 dots/mm printheads", "000KB = memory", "x = recognizable objects:
# only options specific to printer are shown".
_IDENTIFICATION = re.compile(r"([^,]+),([^,]+),(\d{1,2}),\s*\d+\s?KB(?:,.*)?")


def parse_identification(answer: bytes) -> Identification:
    """Read ~HI. Raises Malformed (PRINTER_GARBLED)."""
    match = _IDENTIFICATION.fullmatch(_page(answer))
    if match is None:
        raise Malformed(Reason.PRINTER_GARBLED, "host identification")
    return Identification(match[1].strip(), match[2].strip(), int(match[3]))


@dataclass(frozen=True, slots=True)
class Odometer:
    """How far a printer has moved paper in its life: at least ``mm``, less than ``mm`` + ``step``
    millimetres, since it shows whole units of its last digit."""

    mm: float
    step: float


# "PRINT METERS / TOTAL NONRESETTABLE: 21744 cm / USER RESETTABLE CNTR1: 24 cm": the unit is cm,
# or a double quote for inches, and "the units of measure are controlled by the ^MA command".
_TOTAL = re.compile(r'TOTAL NONRESETTABLE:\s*(\d+)(?:\.(\d+))?\s*(cm|")', re.IGNORECASE)


def parse_odometer(answer: bytes) -> Odometer:
    """Read ~HQOD. Raises Malformed (PRINTER_GARBLED)."""
    match = _TOTAL.search(_page(answer))
    if match is None:
        raise Malformed(Reason.PRINTER_GARBLED, "odometer")
    whole, decimals, unit = match.groups()
    millimetres = _MILLIMETRES[unit.lower()]
    value = float(f"{whole}.{decimals or 0}")
    return Odometer(value * millimetres, millimetres / 10 ** len(decimals or ""))


# "SERIAL NUMBER / 41A06440023".
_SERIAL = re.compile(r"SERIAL NUMBER\s*:?\s*([0-9A-Za-z-]{1,32})")


def parse_serial(answer: bytes) -> str:
    """Read ~HQSN. Raises Malformed (PRINTER_GARBLED)."""
    match = _SERIAL.search(_page(answer))
    if match is None:
        raise Malformed(Reason.PRINTER_GARBLED, "serial number")
    return match[1]


# ^HH, "Configuration Label Return: the printer's configuration as on its configuration label"; its
# line reads "DISABLED            REPRINT MODE".
_REPRINT = re.compile(r"^\s*(\S+)\s+REPRINT\b", re.MULTILINE)


def parse_reprints(answer: bytes) -> bool | None:
    """Whether the printer prints a label again by itself after an error; None where its
    configuration does not say. Raises Malformed (PRINTER_GARBLED)."""
    match = _REPRINT.search(_page(answer))
    return None if match is None else match[1] not in {"DISABLED", "OFF", "NO"}


def _page(answer: bytes) -> str:
    """What stands between STX and ETX."""
    match = _PAGE.search(answer)
    if match is None:
        raise Malformed(Reason.PRINTER_GARBLED, "an answer without its end")
    return match[1].decode("ascii", "replace").strip()
