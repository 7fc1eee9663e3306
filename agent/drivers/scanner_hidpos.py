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
    return Report(data, report[_SYMBOLOGY], bool(report[_CONTINUED]))


class ReportFramer(Framer):
    """Reports into frames. A frame ends with the report that nothing follows; a terminator besides
    comes off. Silence within a code, or a pull, means that the rest of it will not come."""

    def __init__(self) -> None:
        super().__init__()
        self._frame = bytearray()
        self._dropping = False  # the rest of a code, up to its end or to silence

    def take(self, report: bytes) -> list[Piece]:
        """One report, and what it completes."""
        if self.ear is not None:
            self.ear(report)
        try:
            part = parse_report(report)
        except Malformed as error:
            # The code it may belong to goes with it; one between two codes costs neither.
            self._dropping = self._dropping or bool(self._frame)
            self._frame.clear()
            return [error.reason]
        if self._dropping:
            self._dropping = part.continued
            return []
        self._frame += part.data
        if len(self._frame) > LIMIT_BYTES:
            self._frame.clear()
            self._dropping = part.continued
            return [Reason.CODE_TOO_LONG]
        if part.continued:
            return []
        frame = bytes(self._frame).strip(TERMINATORS)
        self._frame.clear()
        return [frame] if frame else []

    def gap(self) -> list[Piece]:
        self._dropping = False
        return self.cut()

    def cut(self) -> list[Piece]:
        if not self._frame:
            return []
        self._frame.clear()
        return [Reason.FRAME_CUT]


class HidPosLine:
    """An open hidraw device."""

    def __init__(self, path: str) -> None:
        """Open ``path``. Raises Unavailable: DEVICE_RULE_MISSING, DEVICE_IN_USE, DEVICE_ABSENT."""
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise explain(error.errno, "HID-POS scanner", _GROUP) from error
        self.framer = ReportFramer()

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
            pieces += self.framer.take(report)
        return pieces

    def close(self) -> None:
        os.close(self._fd)


class HidPosScanner(LineScanner):
    """A source of frames from one HID-POS device."""

    def open_line(self, path: str) -> HidPosLine:
        return HidPosLine(path)
