"""What a Zebra says of itself, read: ~HS and ~HQES. Pure parsers; silence is the reader's business.

Sentences quoted are those of the ZPL II programming guide. A bit or a value that the guide does
not name is OTHER_FAULT, never OK.
"""

import re
from dataclasses import dataclass

from shared.devices import PrinterCondition
from shared.errors import Malformed
from shared.reasons import Reason

ASK_HOST_STATUS = b"~HS"
ASK_ERRORS = b"~HQES"


@dataclass(frozen=True, slots=True)
class HostStatus:
    """The answer to ~HS. Zebra's present guide: it may stay away with media out, ribbon out, head
    open or a hot head, so these flags count when they come, and their absence proves nothing."""

    conditions: frozenset[PrinterCondition]
    continuous: bool
    label_length_dots: int
    formats_waiting: int
    labels_remaining: int
    label_waiting: bool

    @property
    def holds_labels(self) -> bool:
        """Whether something is still to come out."""
        return self.formats_waiting > 0 or self.labels_remaining > 0


# "Each string starts with an <STX> control code and is terminated by an <ETX><CR><LF> control
# code sequence."
_STRING = rb"\x02([^\x02\x03]*)\x03\r\n"
_HOST_STATUS = re.compile(_STRING * 3)
_FIELD_COUNTS = (12, 11, 2)
HOST_STATUS_END = re.compile(rb"(?:\x02[^\x02\x03]*\x03\r\n){3}")


def parse_host_status(answer: bytes) -> HostStatus:
    """Read the three strings of ~HS. Raises Malformed(DEVICE_FAULTY)."""
    match = _HOST_STATUS.search(answer)
    if match is None:
        raise Malformed(Reason.DEVICE_FAULTY, "host status is not three strings")
    strings = [part.decode("ascii", "replace").split(",") for part in match.groups()]
    if tuple(len(fields) for fields in strings) != _FIELD_COUNTS:
        raise Malformed(Reason.DEVICE_FAULTY, "host status has other fields")
    # "<STX>aaa,b,c,dddd,eee,f,g,h,iii,j,k,l<ETX><CR><LF>"
    # "<STX>mmm,n,o,p,q,r,s,t,uuuuuuuu,v,www<ETX><CR><LF>"
    (_, b, c, dddd, eee, f, g, h, _, j, k, l_), (mmm, _, o, p, q, _, _, t, u, _, _), _ = strings
    # "q = thermal transfer mode flag (1 = Thermal Transfer Mode selected)": without it there is
    # no ribbon to be out.
    thermal_transfer = q != "0"
    flags = (
        (b, PrinterCondition.NO_PAPER),  # "b = paper out flag (1 = paper out)"
        (c, PrinterCondition.PAUSED),  # "c = pause flag (1 = pause active)"
        (f, PrinterCondition.BUFFER_FULL),  # "f = buffer full flag (1 = receive buffer full)"
        # "g = communications diagnostic mode flag (1 = diagnostic mode active)": labels come out
        # as hexadecimal.
        (g, PrinterCondition.OTHER_FAULT),
        # "h = partial format flag (1 = partial format in progress)"
        (h, PrinterCondition.PARTIAL_FORMAT),
        # "j = corrupt RAM flag (1 = configuration data lost)"
        (j, PrinterCondition.OTHER_FAULT),
        (k, PrinterCondition.TOO_COLD),  # "k = temperature range (1 = under temperature)"
        (l_, PrinterCondition.TOO_HOT),  # "l = temperature range (1 = over temperature)"
        (o, PrinterCondition.HEAD_OPEN),  # "o = head up flag (1 = head in up position)"
        # "p = ribbon out flag (1 = ribbon out)"
        (p if thermal_transfer else "0", PrinterCondition.NO_RIBBON),
    )
    conditions = {condition for flag, condition in flags if flag == "1"}
    if any(flag not in {"0", "1"} for flag in (*(flag for flag, _ in flags), p, q, t)):
        conditions.add(PrinterCondition.OTHER_FAULT)
    return HostStatus(
        conditions=frozenset(conditions),
        # "mmm = function settings": bit 7, "media type: 0 = die-cut, 1 = continuous".
        continuous=bool(_number(mmm) & 0x80),
        label_length_dots=_number(dddd),  # "dddd = label length (value in number of dots)"
        formats_waiting=_number(eee),  # "eee = number of formats in receive buffer"
        labels_remaining=_number(u),  # "uuuuuuuu = labels remaining in batch"
        label_waiting=t == "1",  # "t = label waiting flag (1 = label waiting in Peel-off Mode)"
    )


@dataclass(frozen=True, slots=True)
class Errors:
    """The answer to ~HQES: what stops the printer, and whether it warns of something."""

    conditions: frozenset[PrinterCondition]
    warned: bool


# "ERRORS: 1 00000000 00000005": flag, group 2 (nibbles 16-9), group 1 (nibbles 8-1).
_ERRORS = re.compile(rb"ERRORS:\s+([01])\s+([0-9A-Fa-f]{8})\s+([0-9A-Fa-f]{8})")
_WARNINGS = re.compile(rb"WARNINGS:\s+([01])\s+([0-9A-Fa-f]{8})\s+([0-9A-Fa-f]{8})")

_ERROR_BITS = {
    0x0000_0001: PrinterCondition.NO_PAPER,  # "Media Out": nibble 1, 1
    0x0000_0002: PrinterCondition.NO_RIBBON,  # "Ribbon Out": nibble 1, 2
    0x0000_0004: PrinterCondition.HEAD_OPEN,  # "Head Open": nibble 1, 4
    0x0000_0008: PrinterCondition.CUTTER_FAULT,  # "Cutter Fault": nibble 1, 8
    0x0000_0010: PrinterCondition.TOO_HOT,  # "Printhead Over Temperature": nibble 2, 1
    0x0000_0020: PrinterCondition.TOO_HOT,  # "Motor Over Temperature": nibble 2, 2
    0x0000_0040: PrinterCondition.HEAD_FAULT,  # "Bad Printhead Element": nibble 2, 4
    0x0000_0080: PrinterCondition.HEAD_FAULT,  # "Printhead Detection Error": nibble 2, 8
    0x0000_0200: PrinterCondition.HEAD_FAULT,  # "Printhead Thermistor Open": nibble 3, 2
}


def parse_errors(answer: bytes) -> Errors:
    """Read the error and warning lines of ~HQES. Raises Malformed(DEVICE_FAULTY)."""
    errors, warnings = _ERRORS.search(answer), _WARNINGS.search(answer)
    if errors is None or warnings is None:
        raise Malformed(Reason.DEVICE_FAULTY, "error status has no error and warning line")
    bits = int(errors[2] + errors[3], 16)
    conditions = {condition for bit, condition in _ERROR_BITS.items() if bits & bit}
    unnamed = bits & ~sum(_ERROR_BITS)
    if unnamed or (errors[1] == b"1" and not bits):
        conditions.add(PrinterCondition.OTHER_FAULT)
    warned = warnings[1] == b"1" or int(warnings[2] + warnings[3], 16) != 0
    return Errors(frozenset(conditions), warned)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise Malformed(Reason.DEVICE_FAULTY, "host status has no number where one belongs")
    return int(text)
