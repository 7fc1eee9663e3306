"""A scanner in HID-POS mode, read by its reports: it types nothing, and no layout matters.

hidraw has no grab: another program may read the same reports, but nothing is typed anywhere.
"""

import os
from dataclasses import dataclass

from agent.drivers.access import explain
from agent.drivers.framing import LIMIT_BYTES, TERMINATORS, Framer, Piece
from agent.drivers.line import LineScanner
from shared.errors import Malformed
from shared.reasons import Reason

REPORT_BYTES = 64
REPORT_ID = 2
DATA_BYTES = 56
_DATA, _SYMBOLOGY, _CONTINUED = 2, 62, 63
_READ_REPORTS = 64
_GROUP = "input"


@dataclass(frozen=True, slots=True)
class Report:
    """One report: a part of what was scanned, and whether more of it follows."""

    data: bytes
    symbology: int
    continued: bool


def parse_report(report: bytes) -> Report:
    """Read 64 bytes: "id 02, length, 56 data bytes a report (bytes 2–57), byte 62 symbology, byte
    63 continued" (Newland FM420, as in hardware.md). Raises Malformed (FRAME_LOST, FRAME_CUT)."""
    if len(report) != REPORT_BYTES or report[0] != REPORT_ID:
        raise Malformed(Reason.FRAME_LOST, "no report of a bar code scanner")
    length = report[1]
    if length > DATA_BYTES:
        raise Malformed(Reason.FRAME_CUT, "a report longer than it may be")
    data = report[_DATA : _DATA + length]
    return Report(data, report[_SYMBOLOGY], bool(report[_CONTINUED] & 1))


class HidPosLine:
    """An open hidraw device. A frame ends with the report that nothing follows; what the scanner
    sends as a terminator besides comes off."""

    def __init__(self, path: str) -> None:
        """Open ``path``. Raises Unavailable: DEVICE_RULE_MISSING, DEVICE_IN_USE, DEVICE_ABSENT."""
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise explain(error.errno, "HID-POS scanner", _GROUP) from error
        self.framer = Framer()
        self._frame = bytearray()
        self._skipping = False

    def fileno(self) -> int:
        return self._fd

    def read(self) -> list[Piece]:
        pieces: list[Piece] = []
        for _ in range(_READ_REPORTS):
            try:
                report = os.read(self._fd, REPORT_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                raise explain(error.errno, "HID-POS scanner", _GROUP) from error
            if not report:
                raise explain(None, "HID-POS scanner", _GROUP)
            pieces += self._take(report)
        return pieces

    def close(self) -> None:
        os.close(self._fd)

    def _take(self, report: bytes) -> list[Piece]:
        if self.framer.ear is not None:
            self.framer.ear(report)
        try:
            part = parse_report(report)
        except Malformed as error:
            self._frame.clear()
            self._skipping = True  # the rest of it, up to its end
            return [error.reason]
        if self._skipping:
            self._skipping = part.continued
            return []
        self._frame += part.data
        if len(self._frame) > LIMIT_BYTES:
            self._frame.clear()
            self._skipping = part.continued
            return [Reason.CODE_TOO_LONG]
        if part.continued:
            return []
        frame = bytes(self._frame).strip(TERMINATORS)
        self._frame.clear()
        return [frame] if frame else []


class HidPosScanner(LineScanner):
    """A source of frames from one HID-POS device."""

    def open_line(self, path: str) -> HidPosLine:
        return HidPosLine(path)
