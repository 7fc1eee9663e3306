"""ZPL II: a label's dots as a format a Zebra prints, and such a format read again. Pure.

A format holds graphics only, no field data: whatever a name contains, none of it can be read as
a command. Sentences quoted are those of the ZPL II programming guide.
"""

import re
from collections.abc import Sequence

from agent.drivers.raster import Placed
from shared.errors import Malformed
from shared.qr import Bitmap
from shared.reasons import Reason

# "^XA … opening bracket; it indicates the start of a new label format." "^XZ … ending bracket."
# "^JZ: reprints a partially printed label caused by an error condition": N, or the printer
#   doubles a label that nobody sent again.
# "^LH … label home position." "^PW … print width." "^LL … label length."
# "^PQ … the total number of labels to print": one.
_START = "^XA^JZN^LH0,0^PW{width}^LL{height}"
_END = "^PQ1^XZ"

# "^FO x,y … field origin." "^GF a,b,c,d,data": A = ASCII hexadecimal, b = binary byte count,
# c = graphic field count, d = bytes per row.
_FIELD = "^FO{x},{y}^GFA,{total},{total},{bytes_per_row},{data}^FS"

_SIZE_READ = re.compile(rb"\^PW(\d+)\^LL(\d+)")
_FIELD_READ = re.compile(rb"\^FO(\d+),(\d+)\^GFA,(\d+),\d+,(\d+),([0-9A-F]+)\^FS")


def build_format(pieces: Sequence[Placed], width: int, height: int) -> bytes:
    """One label, ``width`` × ``height`` dots, printed once."""
    lines = [_START.format(width=width, height=height)]
    for x, y, bitmap in pieces:
        lines.append(
            _FIELD.format(
                x=x,
                y=y,
                total=len(bitmap.rows),
                bytes_per_row=bitmap.bytes_per_row,
                data=bitmap.rows.hex().upper(),
            )
        )
    lines.append(_END)
    return "\n".join(lines).encode("ascii") + b"\n"


def parse_format(zpl: bytes) -> tuple[int, int, list[Placed]]:
    """Width, height and graphics of a format as ``build_format`` makes them.

    A printer prints nothing before ^XZ, so an unfinished format raises Malformed(PRINT_CUT).
    """
    size = _SIZE_READ.search(zpl)
    if size is None or not zpl.rstrip().endswith(b"^XZ"):
        raise Malformed(Reason.PRINT_CUT, "the format is not complete")
    pieces = []
    for x, y, total, bytes_per_row, data in _FIELD_READ.findall(zpl):
        rows = bytes.fromhex(data.decode("ascii"))
        if len(rows) != int(total):
            raise Malformed(Reason.PRINT_CUT, "a graphic field is not complete")
        columns = int(bytes_per_row)
        pieces.append(Placed(int(x), int(y), Bitmap(columns * 8, len(rows) // columns, rows)))
    return int(size[1]), int(size[2]), pieces
