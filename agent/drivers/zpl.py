"""ZPL II: a label's dots as a format a Zebra prints, and such a format read again. Pure.

A format holds graphics only, no field data: whatever a name contains, none of it can be read as
a command. Sentences quoted are those of the ZPL II programming guide.
"""

import re
from collections.abc import Iterator, Sequence

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

# "Alternative data compression scheme": G to Y stand before a digit that is repeated 1 to 19
# times, g to z before one repeated 20, 40 … 400 times, and both may stand together.
_ONES = " GHIJKLMNOPQRSTUVWXY"
_TWENTIES = " ghijklmnopqrstuvwxyz"
# "The comma (,) fills the line, to the right, with zeros (0) until the specified line byte is
# filled." "The colon (:) denotes repetition of the previous line."
_ZEROS, _AGAIN = ",", ":"

_RUN = re.compile(r"([0-9A-F])\1{2,399}")
_TOKEN = re.compile(r"([g-z]?)([G-Y]?)([0-9A-F,:])")
_SIZE_READ = re.compile(rb"\^PW(\d+)\^LL(\d+)")
_FIELD_READ = re.compile(rb"\^FO(\d+),(\d+)\^GFA,(\d+),\d+,(\d+),([0-9A-Fg-zG-Y,:]+)\^FS")


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
                data="".join(_compress(bitmap)),
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
        columns = int(bytes_per_row)
        rows = bytes.fromhex("".join(_expand(data.decode("ascii"), 2 * columns)))
        if len(rows) != int(total):
            raise Malformed(Reason.PRINT_CUT, "a graphic field is not complete")
        pieces.append(Placed(int(x), int(y), Bitmap(columns * 8, len(rows) // columns, rows)))
    return int(size[1]), int(size[2]), pieces


def _compress(bitmap: Bitmap) -> Iterator[str]:
    """The bitmap's rows, from the top, each as few characters as the scheme has for it."""
    length = bitmap.bytes_per_row
    before = b""
    for start in range(0, len(bitmap.rows), length):
        row = bitmap.rows[start : start + length]
        if row == before:
            yield _AGAIN
        else:
            digits = row.hex().upper()
            text = digits.rstrip("0")
            yield _RUN.sub(_write_run, text) + (_ZEROS if len(text) < len(digits) else "")
        before = row


def _write_run(run: re.Match[str]) -> str:
    twenties, ones = divmod(len(run[0]), len(_ONES))
    return f"{_TWENTIES[twenties]}{_ONES[ones]}{run[1]}".replace(" ", "")


def _expand(data: str, length: int) -> Iterator[str]:
    """Rows of ``length`` digits, whole ones only."""
    row = before = ""
    for twenties, ones, character in _TOKEN.findall(data):
        if character == _AGAIN:
            row = before
        elif character == _ZEROS:
            row = row.ljust(length, "0")
        else:
            count = 20 * _TWENTIES.index(twenties or " ") + _ONES.index(ones or " ")
            row += character * (count or 1)
        if len(row) == length:
            yield row
            row, before = "", row
