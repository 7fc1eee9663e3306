"""Text into dots, and dots into a picture: the only importer of Pillow.

One dot is one bit, 1 is black, the left dot is the high bit: what a thermal head burns. No
grey, so nothing that a printer would have to threshold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from agent.drivers.fonts import FontFile
from agent.drivers.templates import DOTS_PER_MM
from shared.errors import Unavailable
from shared.qr import Bitmap
from shared.reasons import Reason

_NONCHARACTER = "\U0010ffff"
"""No font has it (Unicode §23.7), so drawing it gives the font's own mark for a missing glyph."""

_OPEN_SIZES = 4
"""An open size of a CJK font holds 2.4 MiB and opens in a millisecond."""
_KNOWN_GLYPHS = 4096
_KNOWN_TEXTS = 16
"""Site, caption and date are the same all day; names pass through."""

_PROBE_DOTS = 40
_BASELINE = 0.92
_LINE = 1.2
"""A line's box in parts of the type size: ideographs stand 0.88 above the baseline, descenders
hang 0.24 below it."""


class Placed(NamedTuple):
    """A bitmap with its top left corner at dot (x, y) of a label."""

    x: int
    y: int
    bitmap: Bitmap


@dataclass(frozen=True, slots=True)
class Drawing:
    """A label as it leaves the printer: ``width`` across the head, ``height`` along the feed, in
    dots."""

    width: int
    height: int
    pieces: list[Placed]

    @property
    def length_mm(self) -> float:
        """How far the printer feeds for it, without the gap between two labels."""
        return self.height / DOTS_PER_MM

    def turned(self) -> "Drawing":
        """Clockwise by 90°: what was its left is printed first."""
        pieces = [
            Placed(self.height - y - bitmap.height, x, _bitmap(_turn(_image(bitmap))))
            for x, y, bitmap in self.pieces
        ]
        return Drawing(self.height, self.width, pieces)


class Typeface:
    """One font at any size. Opened at first use, not when made; what is kept of it is bounded."""

    def __init__(self, font: FontFile) -> None:
        self._font = font
        self._at = lru_cache(_OPEN_SIZES)(self._open)
        self._advance = lru_cache(_KNOWN_GLYPHS)(self._measure)
        self.has_glyph = lru_cache(_KNOWN_GLYPHS)(self._has_glyph)
        self._drawn = lru_cache(_KNOWN_TEXTS)(self._draw)

    @cached_property
    def name(self) -> str:
        """As its maker calls it: ``Noto Sans CJK SC Regular``."""
        return " ".join(part for part in self._at(_PROBE_DOTS).getname() if part)

    def width(self, text: str, size: int) -> int:
        """How wide ``text`` is at ``size`` dots an em."""
        return math.ceil(sum(self._advance(character, size) for character in text))

    def draw(self, lines: Sequence[str], size: int) -> Bitmap:
        """Lines of text below each other, flush left, each ``line_height(size)`` high."""
        return self._drawn(tuple(lines), size)

    def _draw(self, lines: tuple[str, ...], size: int) -> Bitmap:
        font = self._at(size)
        width = max(self.width(line, size) for line in lines)
        image = Image.new("1", (width, line_height(size) * len(lines)))
        pen = ImageDraw.Draw(image)
        for number, line in enumerate(lines):
            baseline = number * line_height(size) + round(size * _BASELINE)
            pen.text((0, baseline), line, fill=1, font=font, anchor="ls")
        return Bitmap(image.width, image.height, image.tobytes())

    def _open(self, size: int) -> ImageFont.FreeTypeFont:
        # Basic layout: one character, one glyph, so a glyph checked is the glyph printed.
        try:
            return ImageFont.truetype(
                self._font.path, size, self._font.face, layout_engine=ImageFont.Layout.BASIC
            )
        except OSError as error:
            raise Unavailable(Reason.FONT_MISSING, "the font file cannot be read") from error

    def _measure(self, character: str, size: int) -> float:
        return self._at(size).getlength(character)

    def _has_glyph(self, character: str) -> bool:
        return character.isspace() or self._probe(character) != self._missing

    @cached_property
    def _missing(self) -> bytes:
        return self._probe(_NONCHARACTER)

    def _probe(self, character: str) -> bytes:
        image = Image.new("1", (2 * _PROBE_DOTS, 2 * _PROBE_DOTS))
        pen = ImageDraw.Draw(image)
        pen.text((0, _PROBE_DOTS), character, fill=1, font=self._at(_PROBE_DOTS), anchor="ls")
        return image.tobytes()


def line_height(size: int) -> int:
    """Dots from one line of text to the next."""
    return round(size * _LINE)


def box(width: int, height: int) -> Bitmap:
    """A black rectangle."""
    return _bitmap(Image.new("1", (width, height), 1))


def invert(bitmap: Bitmap, margin: int) -> Bitmap:
    """White on black, with ``margin`` dots of black left and right."""
    image = Image.new("1", (bitmap.width + 2 * margin, bitmap.height), 1)
    image.paste(0, (margin, 0), _image(bitmap))
    return _bitmap(image)


def flatten(drawing: Drawing) -> Bitmap:
    """The whole label as one bitmap."""
    image = Image.new("1", (drawing.width, drawing.height))
    for x, y, bitmap in drawing.pieces:
        piece = _image(bitmap)
        image.paste(1, (x, y), piece)
    return _bitmap(image)


def write_picture(path: Path, width: int, height: int, placed: Sequence[Placed]) -> None:
    """Save bitmaps at their places, black on white, as PNG."""
    picture = Image.new("1", (width, height), 1)
    for x, y, bitmap in placed:
        picture.paste(0, (x, y), _image(bitmap))
    picture.save(path)


def _turn(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.ROTATE_270)


def _image(bitmap: Bitmap) -> Image.Image:
    return Image.frombytes("1", (bitmap.width, bitmap.height), bitmap.rows)


def _bitmap(image: Image.Image) -> Bitmap:
    return Bitmap(image.width, image.height, image.tobytes())
