"""A label into the bytes a printer takes. One encoder a printer.

Drawing (Pillow, segno, a font) is loaded with the first label: a box must scan within a second of
its start, and the first label comes later.
"""

from typing import TYPE_CHECKING

from agent.drivers.fonts import find_font
from agent.ports import Label

if TYPE_CHECKING:
    from agent.drivers.raster import Typeface


class ZplEncoder:
    """Labels as ZPL, 50 × 30 mm at 203 dpi."""

    def __init__(self, font: str = "") -> None:
        """``font`` is a font file; empty means the system's CJK font."""
        self._font = font
        self._typeface: Typeface | None = None

    def encode(self, label: Label) -> bytes:
        """Raises Malformed (GLYPH_MISSING, CODE_TOO_LONG) or Unavailable(FONT_MISSING)."""
        from agent.drivers.label_layout import HEIGHT, WIDTH, draw_label
        from agent.drivers.raster import Typeface
        from agent.drivers.zpl import build_format

        if self._typeface is None:
            self._typeface = Typeface(find_font(self._font))
        return build_format(draw_label(label, self._typeface), WIDTH, HEIGHT)
