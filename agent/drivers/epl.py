"""EPL2: a label's dots as one raster image, for printers that do not speak ZPL. Pure.

Sentences quoted are those of the EPL2 programming guide. The image is the whole label, so that no
text of a name is ever read as a command.
"""

import re

from shared.devices import PrinterCondition
from shared.errors import Malformed
from shared.qr import Bitmap
from shared.reasons import Reason

ASK_ERRORS = b"\r\n^ee\r\n"
ERRORS_END = re.compile(rb"\d\d\r\n")

# "N: clears the image buffer prior to building a new label image." "qp1: width of the label in
# dots." "Qp1,p2: label length in dots, gap length in dots." "GWp1,p2,p3,p4,DATA: p3 = width of
# graphic in bytes, p4 = length of graphic in dots, DATA = raw binary data without graphic file
# formatting." "P1: prints one copy."
_START = "\nN\nq{width}\nQ{height},{gap}\nGW0,0,{bytes_per_row},{rows},"
_END = b"\nP1\n"
GAP_DOTS = 24
"""Between two labels on the roll: 3 mm. The printer's sensor finds the true one."""


def build_format(label: Bitmap) -> bytes:
    """One whole label, printed once. In GW data a dot that is 0 prints black."""
    start = _START.format(
        width=label.width,
        height=label.height,
        gap=GAP_DOTS,
        bytes_per_row=label.bytes_per_row,
        rows=label.height,
    )
    return start.encode("ascii") + bytes(byte ^ 0xFF for byte in label.rows) + _END


# "^ee: error report, immediate." "00 no error; 07 paper or ribbon empty; 11 print head open"; what
# is not named here is a fault, never OK.
_CONDITIONS = {
    "07": PrinterCondition.NO_PAPER,
    "11": PrinterCondition.HEAD_OPEN,
}
_NO_ERROR = "00"


def parse_errors(answer: bytes) -> frozenset[PrinterCondition]:
    """Read the answer to ^ee: two digits, CR and LF. Raises Malformed (PRINTER_GARBLED)."""
    match = ERRORS_END.search(answer)
    if match is None:
        raise Malformed(Reason.PRINTER_GARBLED, "error report")
    code = match[0][:2].decode()
    if code == _NO_ERROR:
        return frozenset()
    return frozenset({_CONDITIONS.get(code, PrinterCondition.OTHER_FAULT)})
