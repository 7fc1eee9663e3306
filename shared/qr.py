"""QR symbols for labels, pages and phones: modules, or one-bit bitmaps with the logo in the centre.

The only importer of segno. What a text means is ``shared.ehc``'s business, what stands around a
symbol the label's or the page's.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from html import escape

import segno

from shared.errors import Malformed
from shared.reasons import Reason

QUIET_MODULES = 4
"""The clear border every reader may rely on (ISO/IEC 18004 §9.1)."""

Modules = tuple[tuple[bool, ...], ...]
"""Rows of modules from the top, dark ones True."""


class Level(StrEnum):
    """How much damage a symbol survives: about 7, 15, 25 and 30 % of its codewords."""

    L = "l"
    M = "m"
    Q = "q"
    H = "h"


@dataclass(frozen=True, slots=True)
class Bitmap:
    """One bit a dot, black 1, rows from the top, each padded to whole bytes, highest bit left.

    It is what ``^GFA`` of ZPL takes.
    """

    width: int
    height: int
    rows: bytes

    @property
    def bytes_per_row(self) -> int:
        return (self.width + 7) // 8

    def is_black(self, x: int, y: int) -> bool:
        """The dot in column ``x``, row ``y``."""
        return bool(self.rows[y * self.bytes_per_row + x // 8] & 0x80 >> x % 8)


def symbol(text: str, level: Level, quiet_modules: int = QUIET_MODULES) -> Modules:
    """The smallest symbol of exactly this level, with its quiet zone.

    Raises Malformed (CODE_TOO_LONG) for a text that no symbol holds.
    """
    try:
        made = segno.make_qr(text, error=level.value, boost_error=False)
    except segno.DataOverflowError as error:
        raise Malformed(Reason.CODE_TOO_LONG) from error
    return tuple(
        tuple(bool(module) for module in row) for row in made.matrix_iter(border=quiet_modules)
    )


def render_bitmap(text: str, dots_per_module: int, level: Level, *, logo: bool = False) -> Bitmap:
    """The symbol with its quiet zone at ``dots_per_module``, on request with the logo.

    A logo is for level H only: it takes a twentieth of the symbol, and the rest of what the level
    repairs is left for a worn label. Raises ValueError for another level.
    """
    modules = symbol(text, level)
    pens = ("0" * dots_per_module, "1" * dots_per_module)
    rows = ["".join(pens[module] for module in row) for row in modules]
    rows = [row for row in rows for _ in range(dots_per_module)]
    if logo:
        if level is not Level.H:
            raise ValueError("a logo needs level H")
        side = logo_modules(len(modules) - 2 * QUIET_MODULES) * dots_per_module
        start = (len(rows) - side) // 2
        for y, logo_row in enumerate(render_logo(side), start):
            rows[y] = rows[y][:start] + logo_row + rows[y][start + side :]
    return pack_bitmap(rows)


def render_svg(text: str, level: Level, label: str = "") -> str:
    """The symbol with its quiet zone as an SVG element, one unit a module, black on white.

    It has no size of its own; ``label`` is what a screen reader says. Raises Malformed.
    """
    modules = symbol(text, level)
    side = len(modules)
    path = "".join(
        f"M{start} {y}h{end - start}v1H{start}z"
        for y, row in enumerate(modules)
        for start, end in _runs(row)
    )
    name = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" {name}'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path fill="#000" d="{path}"/></svg>'
    )


def render_png(text: str, dots_per_module: int, level: Level) -> bytes:
    """The symbol with its quiet zone as a PNG file. Raises Malformed (CODE_TOO_LONG)."""
    try:
        made = segno.make_qr(text, error=level.value, boost_error=False)
    except segno.DataOverflowError as error:
        raise Malformed(Reason.CODE_TOO_LONG) from error
    file = io.BytesIO()
    made.save(file, kind="png", scale=dots_per_module, border=QUIET_MODULES)
    return file.getvalue()


def render_terminal(text: str, level: Level) -> str:
    """The symbol for a dark terminal, two rows of modules a line; light modules are drawn.

    Raises Malformed (CODE_TOO_LONG).
    """
    modules = symbol(text, level, quiet_modules=2)
    below = (*modules[1:], tuple(True for _ in modules[0]))
    return "\n".join(
        "".join(_HALVES[dark, under] for dark, under in zip(row, next_row, strict=True))
        for row, next_row in zip(modules[::2], below[::2], strict=True)
    )


_HALVES = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}


def _runs(row: tuple[bool, ...]) -> Iterator[tuple[int, int]]:
    """Where dark modules begin and end."""
    edges = [x for x in range(1, len(row)) if row[x] != row[x - 1]]
    return zip(edges[::2], edges[1::2], strict=True)


def pack_bitmap(rows: Sequence[str]) -> Bitmap:
    """Rows of dots as digits, 1 is black, all of one length, as a bitmap."""
    width = len(rows[0])
    padding = -width % 8
    bytes_per_row = (width + padding) // 8
    packed = (int(row, 2) << padding for row in rows)
    return Bitmap(width, len(rows), b"".join(row.to_bytes(bytes_per_row, "big") for row in packed))


# --- the logo ------------------------------------------------------------------------------------

_LOGO_SHARE = 0.05  # of the symbol's area, white rim included
_RIM = 0.11  # white around the tile: one module of nine
_CORNER = 0.18  # radius of the tile's corners


def logo_modules(symbol_modules: int) -> int:
    """The logo's side in modules: odd like the symbol's, so that it lies on whole modules."""
    side = int((symbol_modules**2 * _LOGO_SHARE) ** 0.5)
    return side if side % 2 else side - 1


@lru_cache(maxsize=4)
def render_logo(side: int) -> tuple[str, ...]:
    """One Code's mark, ``side`` × ``side`` dots, 1 is black: a rounded black tile with a white 1.

    Drawn from its geometry, so that it is sharp at every resolution; the same for every label.
    """
    dots = [(number + 0.5) / side for number in range(side)]
    return tuple("".join("01"[_is_logo_black(x, y)] for x in dots) for y in dots)


def _is_logo_black(x: float, y: float) -> bool:
    return _in_tile(x, y) and not _in_one(x, y)


def _in_tile(x: float, y: float) -> bool:
    inner = 0.5 - _RIM - _CORNER  # from the centre to where a corner's circle is centred
    across, down = max(abs(x - 0.5) - inner, 0.0), max(abs(y - 0.5) - inner, 0.0)
    return across**2 + down**2 <= _CORNER**2


def _in_one(x: float, y: float) -> bool:
    stem = 0.44 <= x <= 0.58 and 0.24 <= y <= 0.76
    flag = 0.30 <= x <= 0.44 and 0.24 <= y - (0.44 - x) * 0.8 <= 0.40
    foot = 0.30 <= x <= 0.72 and 0.66 <= y <= 0.76  # the stroke of 一
    return stem or flag or foot
