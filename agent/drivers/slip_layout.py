"""A slip's dots: lines of text on a label's paper, as large as all fit. No printer language.

The first line is the heading. A text without a glyph shows □: a slip is read once by a technician,
and one that does not come tells nothing.
"""

from collections.abc import Sequence

from agent.drivers.label_layout import wrap
from agent.drivers.raster import Drawing, Placed, Typeface, line_height
from agent.drivers.templates import TEMPLATES
from agent.ports import Slip

MARGIN, TOP = 10, 8
_HEADING_SIZES = (40, 34, 28, 24, 20)
_SIZES = (24, 22, 20, 18, 16, 15, 14, 13, 12)
"""Dots an em; 12 is 1.5 mm, the smallest that a thermal head prints readably."""


def draw_slip(slip: Slip, typeface: Typeface) -> Drawing:
    """Everything on the slip; what does not fit even at the smallest size is left out from below.

    Raises Unavailable(FONT_MISSING).
    """
    template = TEMPLATES[slip.template]
    heading, *texts = [_printable(text, typeface) for text in slip.lines]
    width = template.width - 2 * MARGIN
    size = next(
        (size for size in _HEADING_SIZES if typeface.width(heading, size) <= width),
        _HEADING_SIZES[-1],
    )
    pieces = [Placed(MARGIN, TOP, typeface.draw([wrap(heading, size, width, typeface)[0]], size))]
    top = TOP + line_height(size) + 2
    lines, size = fit_texts(texts, width, template.height - top, typeface)
    if lines:
        pieces.append(Placed(MARGIN, top, typeface.draw(lines, size)))
    drawing = Drawing(template.width, template.height, pieces)
    return drawing.turned() if template.along else drawing


def fit_texts(
    texts: Sequence[str], width: int, height: int, typeface: Typeface
) -> tuple[list[str], int]:
    """The lines of these texts, and the largest type size at which all fit; at the smallest, as
    many as do."""
    for size in _SIZES:
        lines = [line for text in texts for line in wrap(text, size, width, typeface)]
        if len(lines) * line_height(size) <= height:
            break
    return lines[: height // line_height(size)], size


def _printable(text: str, typeface: Typeface) -> str:
    return "".join(
        character if character.isprintable() and typeface.has_glyph(character) else "□"
        for character in text
    )
