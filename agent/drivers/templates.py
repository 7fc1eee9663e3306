"""Every label's layout and captions as data: what stands where, how large, in which language.

One table, one entry a medium. Drawing reads it and knows no medium by name, so another medium is
another entry. Places are dots of a 203 dpi head, 8 a millimetre, from the top left corner of the
label as a person reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from shared.qr import Level

DOTS_PER_MM = 8
DOTS_PER_MODULE = 4
DEFAULT = "50x30"
"""The medium of a slip, and of a box that nobody has told otherwise."""


class Field(StrEnum):
    """What a label says in words."""

    SITE = "site"
    NAME = "name"
    CAPTION = "caption"  # of the record number
    NUMBER = "number"
    DATE = "date"
    SHORT_NUMBER = "short-number"
    COPY = "copy"
    TEMPORARY = "temporary"  # of a box's own code: what it is
    TEMPORARY_UNTIL = "temporary-until"  # where it is good, and for how long


@dataclass(frozen=True, slots=True)
class Area:
    """Where a text may stand, in the middle of its height, and its type sizes in dots an em, the
    largest first; 12 is 1.5 mm, the smallest that a thermal head prints readably."""

    field: Field
    x: int
    y: int
    width: int
    height: int
    sizes: Sequence[int]
    flush_right: bool = False
    inverted: bool = False  # white on black


@dataclass(frozen=True, slots=True)
class SymbolPlace:
    """Where the code stands: a square that holds the symbol and its quiet zone."""

    x: int
    y: int
    side: int
    level: Level
    logo: bool = False


class Rule(NamedTuple):
    """A black line."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Template:
    """One medium. ``along``: its text runs along the feed, so it is printed turned by 90°."""

    width: int
    height: int
    symbols: Sequence[SymbolPlace]
    areas: Sequence[Area]
    rules: Sequence[Rule] = ()
    along: bool = False

    @property
    def feed_dots(self) -> int:
        """How long the label is along the feed."""
        return self.width if self.along else self.height


class Captions(NamedTuple):
    """The label's own words in one language."""

    number: str
    copy: str
    temporary: str
    temporary_until: str


CAPTIONS = {
    "zh": Captions("病历号", "副本", "临时码", "仅限本院，联网后换正式码"),
    "en": Captions("Record No.", "Copy", "TEMPORARY", "For this hospital, until replaced"),
}

_WITH_LOGO = 49 * DOTS_PER_MODULE
"""A static code at level H with its quiet zone: 24.5 mm (CONTRACTS §5)."""
_PLAIN = 41 * DOTS_PER_MODULE
"""The same code at level M: 20.5 mm, for media of 25 mm (CONTRACTS §5)."""

# Beside a symbol its quiet zone of 16 dots is the gutter.
_50X30 = Template(
    width=400,
    height=240,
    symbols=(SymbolPlace(6, 44, _WITH_LOGO, Level.H, logo=True),),
    rules=(Rule(22, 40, 368, 2),),
    areas=(
        Area(Field.SITE, 22, 8, 368, 32, (26, 24, 22, 20, 18, 16, 13)),
        Area(Field.NAME, 202, 50, 188, 94, (54, 46, 38, 34, 30, 26, 22, 18)),
        Area(Field.CAPTION, 202, 147, 92, 20, (16,)),
        Area(Field.COPY, 304, 147, 86, 20, (16, 14, 12), flush_right=True, inverted=True),
        Area(Field.NUMBER, 202, 167, 188, 36, (30, 26, 22, 18, 15)),
        Area(Field.DATE, 202, 204, 124, 24, (19, 16)),
        Area(Field.SHORT_NUMBER, 330, 204, 60, 24, (19, 16), flush_right=True),
    ),
)

_51X25 = Template(
    width=408,
    height=200,
    symbols=(SymbolPlace(0, 36, _PLAIN, Level.M),),
    rules=(Rule(16, 34, 382, 2),),
    areas=(
        Area(Field.SITE, 16, 8, 382, 26, (21, 20, 18, 16, 14, 12)),
        Area(Field.NAME, 164, 41, 234, 76, (54, 46, 38, 34, 30, 26, 22, 18, 15)),
        Area(Field.CAPTION, 164, 117, 100, 20, (16,)),
        Area(Field.COPY, 312, 117, 86, 20, (16, 14, 12), flush_right=True, inverted=True),
        Area(Field.NUMBER, 164, 137, 234, 34, (28, 26, 22, 18, 14)),
        Area(Field.DATE, 164, 171, 124, 22, (18, 16)),
        Area(Field.SHORT_NUMBER, 338, 171, 60, 22, (18, 16), flush_right=True),
    ),
)

_BLOCK_SYMBOL = SymbolPlace(0, 18, _PLAIN, Level.M)
_BLOCK_AREAS = (
    Area(Field.NAME, 168, 14, 732, 94, (76, 64, 54, 46, 38, 34, 30, 26)),
    Area(Field.CAPTION, 168, 113, 116, 34, (28, 22)),
    Area(Field.NUMBER, 290, 108, 450, 44, (36, 32, 28, 24, 20)),
    Area(Field.COPY, 760, 116, 140, 30, (24, 20, 16), flush_right=True, inverted=True),
    Area(Field.SITE, 168, 156, 440, 30, (24, 22, 20, 18, 16, 14, 12)),
    Area(Field.DATE, 630, 156, 150, 30, (24,)),
    Area(Field.SHORT_NUMBER, 800, 156, 100, 30, (24,), flush_right=True),
)
_BLOCKS = (192, 1140)
"""A wristband says all of it twice: whichever side of the wrist is up, one can be read. Its ends,
24 mm each, stay blank for the closure."""

_25X279 = Template(
    width=2232,
    height=200,
    along=True,
    symbols=tuple(replace(_BLOCK_SYMBOL, x=x) for x in _BLOCKS),
    areas=tuple(replace(area, x=x + area.x) for x in _BLOCKS for area in _BLOCK_AREAS),
)

_TEMPORARY_SYMBOL = 45 * DOTS_PER_MODULE
"""A temporary code at level M with its quiet zone: 22.5 mm, and no logo (CONTRACTS §5)."""

_TEMPORARY_50X30 = Template(
    width=400,
    height=240,
    symbols=(SymbolPlace(6, 46, _TEMPORARY_SYMBOL, Level.M),),
    rules=(Rule(22, 40, 368, 2),),
    areas=(
        Area(Field.SITE, 22, 8, 368, 32, (26, 24, 22, 20, 18, 16, 13)),
        Area(Field.NAME, 186, 48, 204, 76, (46, 38, 34, 30, 26, 22, 18, 15)),
        Area(Field.TEMPORARY, 186, 126, 116, 28, (24, 20, 18), inverted=True),
        Area(Field.COPY, 310, 128, 80, 24, (16, 14, 12), flush_right=True, inverted=True),
        Area(Field.TEMPORARY_UNTIL, 186, 156, 204, 44, (16, 15, 14, 13)),
        Area(Field.DATE, 186, 204, 124, 24, (19, 16)),
        Area(Field.SHORT_NUMBER, 330, 204, 60, 24, (19, 16), flush_right=True),
    ),
)

_TEMPORARY_51X25 = Template(
    width=408,
    height=200,
    symbols=(SymbolPlace(0, 10, _TEMPORARY_SYMBOL, Level.M),),
    areas=(
        Area(Field.SITE, 182, 8, 216, 30, (18, 16, 14, 12)),
        Area(Field.NAME, 182, 40, 216, 60, (38, 34, 30, 26, 22, 18, 15)),
        Area(Field.TEMPORARY, 182, 102, 116, 26, (22, 18), inverted=True),
        Area(Field.COPY, 314, 104, 84, 22, (16, 14, 12), flush_right=True, inverted=True),
        Area(Field.TEMPORARY_UNTIL, 182, 130, 216, 38, (14, 13, 12)),
        Area(Field.DATE, 182, 169, 124, 22, (18, 16)),
        Area(Field.SHORT_NUMBER, 338, 169, 60, 22, (18, 16), flush_right=True),
    ),
)

_TEMPORARY_BLOCK_AREAS = (
    Area(Field.NAME, 184, 14, 716, 90, (76, 64, 54, 46, 38, 34, 30, 26)),
    Area(Field.TEMPORARY, 184, 110, 190, 40, (34, 28, 24), inverted=True),
    Area(Field.TEMPORARY_UNTIL, 390, 112, 360, 36, (22, 20, 18, 16)),
    Area(Field.COPY, 760, 116, 140, 30, (24, 20, 16), flush_right=True, inverted=True),
    Area(Field.SITE, 184, 156, 424, 30, (24, 22, 20, 18, 16, 14, 12)),
    Area(Field.DATE, 630, 156, 150, 30, (24,)),
    Area(Field.SHORT_NUMBER, 800, 156, 100, 30, (24,), flush_right=True),
)

_TEMPORARY_25X279 = Template(
    width=2232,
    height=200,
    along=True,
    symbols=tuple(SymbolPlace(x, 10, _TEMPORARY_SYMBOL, Level.M) for x in _BLOCKS),
    areas=tuple(replace(area, x=x + area.x) for x in _BLOCKS for area in _TEMPORARY_BLOCK_AREAS),
)

TEMPLATES = {"50x30": _50X30, "51x25": _51X25, "25x279": _25X279}
"""By the names that settings use: width and length of the medium in millimetres."""

TEMPORARY_TEMPLATES = {
    "50x30": _TEMPORARY_50X30,
    "51x25": _TEMPORARY_51X25,
    "25x279": _TEMPORARY_25X279,
}
"""The same media for a code that a box gave while it was alone: it is longer, and says so."""


def find_template(name: str, temporary: bool) -> Template:
    """A label's template."""
    return (TEMPORARY_TEMPLATES if temporary else TEMPLATES)[name]
