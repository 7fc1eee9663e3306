"""Which characters of a text a label prints, given what its font can draw. Pure.

A name must not be printed wrong: a letter, ideograph or digit without a glyph refuses the label
before any byte leaves (GLYPH_MISSING), saying which and where. A symbol without one, such as an
emoji, is printed as ``□``, visible and countable. What has no shape of its own (variation
selectors, joiners) is left out; controls print as ``□``. No error holds the text itself.
"""

import unicodedata
from typing import Protocol

from shared.errors import Malformed
from shared.reasons import Reason

REPLACEMENT = "□"

_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""Variation selectors: the base character is the same character (UTS #37)."""

_IDEOGRAPHS = range(0x20000, 0x40000)
"""Planes 2 and 3 hold ideographs only, also those newer than this Python's tables."""


class Font(Protocol):
    """What has glyphs."""

    @property
    def name(self) -> str: ...

    def has_glyph(self, character: str) -> bool: ...


def printable(text: str, font: Font) -> str:
    """``text`` as it is printed, on one line.

    Raises Malformed(GLYPH_MISSING); its detail is what a technician looks for in another font:
    ``character 2 is U+20BB7, which Noto Sans CJK SC Regular lacks``. One character is not a name.
    """
    printed: list[str] = []
    for position, character in enumerate(" ".join(text.split()), start=1):
        if _is_shapeless(character):
            continue
        if not unicodedata.category(character).startswith("C") and font.has_glyph(character):
            printed.append(character)
        elif _is_writing(character):
            if not font.has_glyph(character):
                code = f"U+{ord(character):04X}"
                detail = f"character {position} is {code}, which {font.name} lacks"
                raise Malformed(Reason.GLYPH_MISSING, detail)
            printed.append(character)
        else:
            printed.append(REPLACEMENT)
    return "".join(printed)


def _is_shapeless(character: str) -> bool:
    code = ord(character)
    return unicodedata.category(character) == "Cf" or any(code in part for part in _SELECTORS)


def _is_writing(character: str) -> bool:
    """Letters, marks, digits; private use too, where hospitals keep ideographs of their own."""
    category = unicodedata.category(character)
    return category[0] in "LMN" or category == "Co" or ord(character) in _IDEOGRAPHS
