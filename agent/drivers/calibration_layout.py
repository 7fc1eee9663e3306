"""A calibration label's dots: where its edges are, how long a millimetre is, how dark it prints.

A frame one millimetre inside of the label, a ruler along its top and its left edge, lines of one to
four dots with gaps as wide, and a black square. No printer language.
"""

from collections.abc import Iterator

from agent.drivers.raster import Drawing, Placed, Typeface, box
from agent.drivers.templates import DOTS_PER_MM, TEMPLATES
from agent.ports import Calibration

EDGE = DOTS_PER_MM
"""From the label's edge to the frame: what is cut off shows at once."""
THICK = 2
_TICKS = ((10, 28), (5, 20), (1, 10))  # every so many millimetres, so many dots long
_LINES = (1, 2, 3, 4)  # dots
_SIDE = 40
_GAP = 10


def draw_calibration(calibration: Calibration, typeface: Typeface) -> Drawing:
    """Raises Unavailable (FONT_MISSING)."""
    template = TEMPLATES[calibration.template]
    width, height = template.width, template.height
    pieces = [*_frame(width, height), *_ruler(width, height)]
    left, top = EDGE + _TICKS[0][1] + 12, EDGE + _TICKS[0][1] + 10
    title = typeface.draw([f"校准 Calibration  {calibration.template} mm"], 22)
    pieces.append(Placed(left, top, title))
    top += title.height + 8
    for thickness in _LINES:
        for at in range(0, _SIDE, 2 * thickness):
            pieces.append(Placed(left + at, top, box(thickness, _SIDE)))
            pieces.append(Placed(left, top + _SIDE + _GAP + at, box(_SIDE, thickness)))
        left += _SIDE + _GAP
    pieces.append(Placed(left, top, box(2 * _SIDE + _GAP, 2 * _SIDE + _GAP)))
    drawing = Drawing(width, height, pieces)
    return drawing.turned() if template.along else drawing


def _frame(width: int, height: int) -> Iterator[Placed]:
    across, down = width - 2 * EDGE, height - 2 * EDGE
    yield Placed(EDGE, EDGE, box(across, THICK))
    yield Placed(EDGE, height - EDGE - THICK, box(across, THICK))
    yield Placed(EDGE, EDGE, box(THICK, down))
    yield Placed(width - EDGE - THICK, EDGE, box(THICK, down))


def _ruler(width: int, height: int) -> Iterator[Placed]:
    """Millimetres from the label's own edges."""
    for millimetre in range(2, width // DOTS_PER_MM - 1):
        yield Placed(millimetre * DOTS_PER_MM, EDGE, box(1, _length(millimetre)))
    for millimetre in range(2, height // DOTS_PER_MM - 1):
        yield Placed(EDGE, millimetre * DOTS_PER_MM, box(_length(millimetre), 1))


def _length(millimetre: int) -> int:
    return next(length for step, length in _TICKS if millimetre % step == 0)
