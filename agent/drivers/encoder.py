"""A label into the bytes a printer takes. One encoder a printer.

Drawing (Pillow, segno, a font) is loaded with the first label: a box must scan within a second of
its start, and the first label comes later.
"""

from typing import TYPE_CHECKING

from agent.drivers.fonts import find_font
from agent.ports import Label, Slip

if TYPE_CHECKING:
    from agent.drivers.raster import Typeface


class ZplEncoder:
    """Labels as ZPL, 50 × 30 mm at 203 dpi."""

    def __init__(self, font: str = "") -> None:
        """``font`` is a font file; empty means the system's CJK font."""
        self._font = font
        self._typeface: Typeface | None = None

    def encode(self, label: Label | Slip) -> bytes:
        """Raises Malformed (GLYPH_MISSING, CODE_TOO_LONG) or Unavailable(FONT_MISSING)."""
        from agent.drivers.label_layout import HEIGHT, WIDTH, draw_label
        from agent.drivers.slip_layout import draw_slip
        from agent.drivers.zpl import build_format

        typeface = self._open()
        if isinstance(label, Slip):
            pieces = draw_slip(label, typeface)
        else:
            pieces = draw_label(label, typeface)
        return build_format(pieces, WIDTH, HEIGHT)

    def check_text(self, text: str) -> None:
        """Whether the font can write a text. Raises Malformed (GLYPH_MISSING), Unavailable."""
        from agent.drivers.glyphs import printable

        printable(text, self._open().has_glyph)

    def _open(self) -> "Typeface":
        from agent.drivers.raster import Typeface

        if self._typeface is None:
            self._typeface = Typeface(find_font(self._font))
        return self._typeface
