"""A label's dots, made from its data and its template. No printer language, no medium by name.

Texts shrink until they fit. A name of 40 ideographs fits whole on every template; what is longer
than the area holds at its smallest size ends in …, so that a cut is seen.
"""

from functools import lru_cache

from agent.drivers.glyphs import printable
from agent.drivers.raster import Drawing, Placed, Typeface, box, invert, line_height
from agent.drivers.templates import (
    CAPTIONS,
    DOTS_PER_MODULE,
    Area,
    Field,
    SymbolPlace,
    find_template,
)
from agent.ports import Label
from shared.errors import Malformed
from shared.ids import label_number
from shared.qr import Bitmap, Level, render_bitmap
from shared.reasons import Reason

INVERTED_MARGIN = 5
ELLIPSIS = "…"
BREAKS = " ·"


def draw_label(label: Label, typeface: Typeface) -> Drawing:
    """Everything on the label, each piece a bitmap at its place.

    Raises Malformed: GLYPH_MISSING for a name or site the font cannot write, CODE_TOO_LONG for a
    code whose symbol does not fit. Raises Unavailable(FONT_MISSING).
    """
    template = find_template(label.template, label.temporary)
    texts = _read_texts(label)
    pieces = [_place_symbol(place, label.code) for place in template.symbols]
    pieces += [Placed(rule.x, rule.y, box(rule.width, rule.height)) for rule in template.rules]
    pieces += [
        _place_text(area, printed, typeface)
        for area in template.areas
        if (printed := printable(texts[area.field], typeface))
    ]
    drawing = Drawing(template.width, template.height, pieces)
    return drawing.turned() if template.along else drawing


def _read_texts(label: Label) -> dict[Field, str]:
    """What the label says; an empty text is not printed."""
    captions = CAPTIONS[label.language]
    return {
        Field.SITE: label.site,
        Field.NAME: label.name,
        Field.CAPTION: captions.number if label.record_number else "",
        Field.NUMBER: label.record_number,
        Field.DATE: label.date,
        Field.SHORT_NUMBER: f"#{label_number(label.id)}",
        Field.TEMPORARY: captions.temporary,
        Field.TEMPORARY_UNTIL: captions.temporary_until,
        Field.COPY: f"{captions.copy} {label.copy}" if label.copy > 1 else "",
    }


def _place_symbol(place: SymbolPlace, code: str) -> Placed:
    symbol = _draw_symbol(code, place.level, place.logo)
    if symbol.width > place.side:
        raise Malformed(Reason.CODE_TOO_LONG, "the code's symbol does not fit the label")
    offset = (place.side - symbol.width) // 2
    return Placed(place.x + offset, place.y + offset, symbol)


@lru_cache(maxsize=1)
def _draw_symbol(code: str, level: Level, logo: bool) -> Bitmap:
    """The latest one is kept: a wristband shows it twice, a copy again."""
    return render_bitmap(code, DOTS_PER_MODULE, level, logo=logo)


def _place_text(area: Area, text: str, typeface: Typeface) -> Placed:
    """``text`` as large as the area allows, in as many lines as then fit."""
    margin = INVERTED_MARGIN if area.inverted else 0
    bitmap = typeface.draw(*_fit(area, text, area.width - 2 * margin, typeface))
    if area.inverted:
        bitmap = invert(bitmap, margin)
    x = area.x + area.width - bitmap.width if area.flush_right else area.x
    return Placed(x, area.y + max(0, area.height - bitmap.height) // 2, bitmap)


def _fit(area: Area, text: str, width: int, typeface: Typeface) -> tuple[list[str], int]:
    """Lines and type size: the largest that breaks at gaps only, else the largest that fits."""
    for breaks in (BREAKS, ""):
        for size in area.sizes:
            lines = wrap(text, size, width, typeface, breaks)
            rows = max(1, area.height // line_height(size))
            if len(lines) <= rows:
                return lines, size
    return [*lines[: rows - 1], _shorten(lines[rows - 1], size, width, typeface)], size


def wrap(text: str, size: int, width: int, typeface: Typeface, breaks: str = BREAKS) -> list[str]:
    """Break after one of ``breaks`` where the line has one, else between characters; a space ends
    no line."""
    lines: list[str] = []
    line = ""
    for character in text:
        line += character
        while len(line) > 1 and typeface.width(line.rstrip(), size) > width:
            cut = max((line.rfind(gap, 0, -1) for gap in breaks), default=-1) + 1 or len(line) - 1
            lines.append(line[:cut].rstrip())
            line = line[cut:]
    return [*lines, line.rstrip()]


def _shorten(line: str, size: int, width: int, typeface: Typeface) -> str:
    while line and typeface.width(line + ELLIPSIS, size) > width:
        line = line[:-1]
    return line + ELLIPSIS
