"""A label's dots: what stands where on 50 × 30 mm at 203 dpi. No printer language.

    ┌──────────────────────────────────┐
    │ hospital                         │
    │ ──────────────────────────────── │
    │ ┌────────┐  name, as large as it │
    │ │  QR H  │  can be               │
    │ │  logo  │  record number        │
    │ └────────┘  date          copy   │
    └──────────────────────────────────┘

The head has 8 dots a millimetre. Texts shrink until they fit, and end in … only at the smallest
size; a name of 40 ideographs fits whole.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agent.drivers.glyphs import printable
from agent.drivers.raster import Placed, Typeface, box, invert, line_height
from agent.ports import Label
from shared.errors import Malformed
from shared.qr import Level, render_bitmap
from shared.reasons import Reason

WIDTH = 400
HEIGHT = 240

DOTS_PER_MODULE = 4
SYMBOL = 49 * DOTS_PER_MODULE
"""A static code at level H with its quiet zone: 24.5 mm (CONTRACTS §5)."""


class Area(NamedTuple):
    """Where a text may stand, and its type sizes in dots an em, the largest first."""

    x: int
    y: int
    width: int
    height: int
    sizes: Sequence[int]


QR_X, QR_Y = 6, 44
LEFT = QR_X + 4 * DOTS_PER_MODULE  # where the modules begin
RIGHT = 390
COLUMN = QR_X + SYMBOL  # the symbol's quiet zone is the gutter

SITE = Area(LEFT, 8, RIGHT - LEFT, 32, (26, 24, 22, 20, 18, 16))
RULE_Y, RULE_HEIGHT = 40, 2
NAME = Area(COLUMN, 54, RIGHT - COLUMN, 94, (54, 46, 38, 34, 30, 26, 22, 18))
CAPTION = Area(COLUMN, 148, RIGHT - COLUMN, 20, (16,))
NUMBER = Area(COLUMN, 167, RIGHT - COLUMN, 36, (30, 26, 22, 18, 15))
DATE = Area(COLUMN, 204, 110, 24, (19, 16))
COPY = Area(RIGHT - 68, 204, 58, 24, (18, 14, 11))
COPY_MARGIN = 5

NUMBER_CAPTION = "病历号"
COPY_MARK = "副本"
ELLIPSIS = "…"
BREAKS = " ·"


def draw_label(label: Label, typeface: Typeface) -> list[Placed]:
    """Everything on the label, each piece a bitmap at its place.

    Raises Malformed: GLYPH_MISSING for a name or site the font cannot write, CODE_TOO_LONG for a
    code whose symbol does not fit. Raises Unavailable(FONT_MISSING).
    """
    symbol = render_bitmap(label.code, DOTS_PER_MODULE, Level.H, logo=True)
    if symbol.width > SYMBOL:
        raise Malformed(Reason.CODE_TOO_LONG, "the code's symbol does not fit the label")
    offset = (SYMBOL - symbol.width) // 2
    pieces = [
        Placed(QR_X + offset, QR_Y + offset, symbol),
        Placed(LEFT, RULE_Y, box(RIGHT - LEFT, RULE_HEIGHT)),
    ]
    texts = [(SITE, label.site), (NAME, label.name), (DATE, label.date)]
    if label.record_number:
        texts += [(CAPTION, NUMBER_CAPTION), (NUMBER, label.record_number)]
    pieces += [
        _place(area, printed, typeface)
        for area, text in texts
        if (printed := printable(text, typeface.has_glyph))
    ]
    if label.copy > 1:
        mark = _place(COPY, f"{COPY_MARK} {label.copy}", typeface)
        black = invert(mark.bitmap, COPY_MARGIN)
        pieces.append(Placed(RIGHT - black.width, mark.y, black))
    return pieces


def _place(area: Area, text: str, typeface: Typeface) -> Placed:
    """``text`` as large as the area allows, in as many lines as then fit."""
    for size in area.sizes:
        lines = wrap(text, size, area.width, typeface)
        rows = max(1, area.height // line_height(size))
        if len(lines) <= rows:
            break
    else:
        lines = lines[:rows]
        lines[-1] = _shorten(lines[-1], size, area.width, typeface)
    return Placed(area.x, area.y, typeface.draw(lines, size))


def wrap(text: str, size: int, width: int, typeface: Typeface) -> list[str]:
    """Break after a space or a middle dot where the line has one, else between characters."""
    lines: list[str] = []
    line = ""
    for character in text:
        if typeface.width(line + character, size) <= width or not line:
            line += character
        elif character == " ":
            lines.append(line)
            line = ""
        else:
            cut = max(line.rfind(gap) for gap in BREAKS) + 1 or len(line)
            lines.append(line[:cut].rstrip())
            line = line[cut:] + character
    return [*lines, line]


def _shorten(line: str, size: int, width: int, typeface: Typeface) -> str:
    while line and typeface.width(line + ELLIPSIS, size) > width:
        line = line[:-1]
    return line + ELLIPSIS
