"""A label or a slip into the bytes a printer takes: drawn once, written in the printer's language.

Drawing (Pillow, segno, a font) is loaded with the first label: a box must scan within a second of
its start, and the first label comes later.
"""

from typing import TYPE_CHECKING

from agent.drivers.fonts import find_font
from agent.drivers.printer_language import PrinterLanguage
from agent.ports import Calibration, Label, Slip

if TYPE_CHECKING:
    from agent.drivers.raster import Drawing, Typeface


class LabelEncoder:
    """Labels as bytes for a 203 dpi head."""

    def __init__(self, font: str = "") -> None:
        """``font`` is a font file; empty means the system's CJK font."""
        self._font = font
        self._typeface: Typeface | None = None

    def encode(
        self, label: Label | Slip | Calibration, language: PrinterLanguage = PrinterLanguage.ZPL
    ) -> bytes:
        """Raises Malformed (GLYPH_MISSING, CODE_TOO_LONG) or Unavailable(FONT_MISSING)."""
        return self.build(self.draw(label), language)

    def build(self, drawing: "Drawing", language: PrinterLanguage) -> bytes:
        """A drawing in the printer's language."""
        from agent.drivers import epl, zpl
        from agent.drivers.raster import flatten

        match language:
            case PrinterLanguage.ZPL:
                return zpl.build_format(drawing.pieces, drawing.width, drawing.height)
            case PrinterLanguage.EPL2:
                return epl.build_format(flatten(drawing))

    def draw(self, label: Label | Slip | Calibration) -> "Drawing":
        """The dots, and how long the label is. Raises what ``encode`` raises."""
        from agent.drivers.calibration_layout import draw_calibration
        from agent.drivers.label_layout import draw_label
        from agent.drivers.slip_layout import draw_slip

        typeface = self._open()
        match label:
            case Label():
                return draw_label(label, typeface)
            case Slip():
                return draw_slip(label, typeface)
            case Calibration():
                return draw_calibration(label, typeface)

    def check_text(self, text: str) -> None:
        """Whether the font can write a text. Raises Malformed (GLYPH_MISSING), Unavailable."""
        from agent.drivers.glyphs import printable

        printable(text, self._open())

    def _open(self) -> "Typeface":
        from agent.drivers.raster import Typeface

        if self._typeface is None:
            self._typeface = Typeface(find_font(self._font))
        return self._typeface
