"""Which characters of a text a label prints, given what its font can draw. Pure.

A name must not be printed wrong: a letter, ideograph or digit without a glyph refuses the label
before any byte leaves (GLYPH_MISSING), saying which and where. A symbol without one, such as an
emoji, is printed as ``□``, visible and countable. What has no shape of its own (variation
selectors, joiners) is left out; controls print as ``□``. No error holds the text itself.
"""

import unicodedata
from collections.abc import Callable

from shared.errors import Malformed
from shared.reasons import Reason

REPLACEMENT = "□"

_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""Variation selectors: the base character is the same character (UTS #37)."""

_IDEOGRAPHS = range(0x20000, 0x40000)
"""Planes 2 and 3 hold ideographs only, also those newer than this Python's tables."""


def printable(text: str, has_glyph: Callable[[str], bool]) -> str:
    """``text`` as it is printed, on one line.

    Raises Malformed(GLYPH_MISSING); its detail is what a technician looks for in another font:
    ``character 2 is U+20BB7``. One character is not a name.
    """
    printed: list[str] = []
    for position, character in enumerate(" ".join(text.split()), start=1):
        if _is_shapeless(character):
            continue
        if not unicodedata.category(character).startswith("C") and has_glyph(character):
            printed.append(character)
        elif _is_writing(character):
            if not has_glyph(character):
                missing = f"character {position} is U+{ord(character):04X}"
                raise Malformed(Reason.GLYPH_MISSING, missing)
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
