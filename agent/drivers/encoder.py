"""A label into the bytes a printer takes. One encoder a printer, its font opened at first use."""

from functools import cached_property

from agent.drivers.fonts import find_font
from agent.drivers.label_layout import HEIGHT, WIDTH, draw_label
from agent.drivers.raster import Typeface
from agent.drivers.zpl import build_format
from agent.ports import Label


class ZplEncoder:
    """Labels as ZPL, 50 × 30 mm at 203 dpi."""

    def __init__(self, font: str = "") -> None:
        """``font`` is a font file; empty means the system's CJK font."""
        self._font = font

    def encode(self, label: Label) -> bytes:
        """Raises Malformed (GLYPH_MISSING, CODE_TOO_LONG) or Unavailable(FONT_MISSING)."""
        return build_format(draw_label(label, self._typeface), WIDTH, HEIGHT)

    @cached_property
    def _typeface(self) -> Typeface:
        return Typeface(find_font(self._font))
