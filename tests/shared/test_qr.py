"""Symbols: the sizes labels are laid out for, and read back by an independent reader."""

import io
import random
import re

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.ehc import Code, DynamicCode, Extension, build_code
from shared.errors import Malformed
from shared.qr import (
    QUIET_MODULES,
    Bitmap,
    Level,
    logo_modules,
    pack_bitmap,
    render_bitmap,
    render_logo,
    render_png,
    render_svg,
    render_terminal,
    symbol,
)
from shared.reasons import Reason
from tests.shared.ehc.test_derivation import EHC_ID, VALIDITY
from tests.shared.strategies import extensions, static_codes, temporary_codes

STATIC = f"{EHC_ID}:1"


def read(bitmap: Bitmap) -> list[str]:
    """What zxing-cpp sees in a bitmap, black ink on white."""
    return [found.text for found in zxingcpp.read_barcodes(picture(bitmap))]


def picture(bitmap: Bitmap) -> Image.Image:
    """The bitmap as a grey picture, for a reader or to be damaged."""
    ink = bytes(byte ^ 0xFF for byte in bitmap.rows)
    return Image.frombytes("1", (bitmap.width, bitmap.height), ink).convert("L")


def test_a_static_code_at_level_h_is_version_6() -> None:
    """41 modules and the quiet zone: 49, 24.5 mm at 4 dots of 1/8 mm (CONTRACTS §5)."""
    assert len(symbol(STATIC, Level.H, quiet_modules=0)) == 41
    bitmap = render_bitmap(STATIC, 4, Level.H, logo=True)
    assert (bitmap.width, bitmap.height) == (196, 196)
    assert len(bitmap.rows) == 196 * bitmap.bytes_per_row


def test_a_static_code_without_logo_is_version_4() -> None:
    """41 modules with the quiet zone at level M: 20.5 mm, for 25 mm media (CONTRACTS §5)."""
    assert len(symbol(STATIC, Level.M)) == 41


@given(extensions)
@settings(max_examples=5)
def test_an_extended_code_is_version_8(extension: Extension) -> None:
    """57 modules with the quiet zone at level M (CONTRACTS §5)."""
    text = build_code(DynamicCode(EHC_ID, VALIDITY, None, extension))
    assert len(symbol(text, Level.M)) == 57


@given(temporary_codes)
@settings(max_examples=5)
def test_a_temporary_code_is_version_5(code: Code) -> None:
    """37 modules and the quiet zone at level M (CONTRACTS §5)."""
    assert len(symbol(build_code(code), Level.M, quiet_modules=0)) == 37


@given(static_codes, st.sampled_from([3, 4, 5]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_static_code_reads_back_with_and_without_logo(code: Code, dots: int, logo: bool) -> None:
    """The text that is read is the text that was issued."""
    text = build_code(code)
    assert read(render_bitmap(text, dots, Level.H, logo=logo)) == [text]


@given(extensions)
@settings(max_examples=10, deadline=None)
def test_a_dynamic_code_reads_back(extension: Extension) -> None:
    """As a phone shows it."""
    text = build_code(DynamicCode(EHC_ID, VALIDITY, None, extension))
    assert read(render_bitmap(text, 4, Level.M)) == [text]


def test_the_logo_leaves_room_for_a_worn_label() -> None:
    """Beside the logo, a blot over a tenth of the modules (clear of the corners) still reads."""
    chance = random.Random(6)
    for _ in range(20):
        worn = picture(render_bitmap(STATIC, 4, Level.H, logo=True))
        x, y = chance.randrange(16, 112), chance.randrange(48, 96)
        worn.paste(255 * chance.randrange(2), (x, y, x + 64, y + 44))
        assert [found.text for found in zxingcpp.read_barcodes(worn)] == [STATIC]


def test_the_logo_takes_a_twentieth_of_the_symbol() -> None:
    """Nine modules of 41, on whole modules, in the very centre, and nothing else is touched."""
    side = logo_modules(41)
    assert side == 9
    assert side**2 <= 0.05 * 41**2
    plain, marked = (render_bitmap(STATIC, 4, Level.H, logo=logo) for logo in (False, True))
    start, end = 4 * (QUIET_MODULES + 16), 4 * (QUIET_MODULES + 25)
    for y in range(plain.height):
        for x in range(plain.width):
            if not (start <= x < end and start <= y < end):
                assert plain.is_black(x, y) == marked.is_black(x, y)
    square = range(start, end)
    drawn = tuple("".join("01"[marked.is_black(x, y)] for x in square) for y in square)
    assert drawn == render_logo(36)


@pytest.mark.parametrize("side", [18, 36, 45, 90])
def test_the_logo_has_a_white_rim_and_a_mark(side: int) -> None:
    """A white module around the tile, and a white 1 in it."""
    logo = render_logo(side)
    rim = range(side // 9)
    assert {logo[y][x] for y in rim for x in range(side)} == {"0"}
    assert {logo[y][x] for y in range(side) for x in rim} == {"0"}
    assert logo[side // 2][side // 4] == "1"
    assert logo[side // 2][side // 2] == "0"


def test_a_logo_needs_level_h() -> None:
    """A lower level would spend all it can repair on the logo."""
    with pytest.raises(ValueError, match="level H"):
        render_bitmap(STATIC, 4, Level.M, logo=True)


def test_a_text_no_symbol_holds_is_refused() -> None:
    """As one of ours, not of the library's."""
    with pytest.raises(Malformed) as refusal:
        symbol("A" * 5000, Level.H)
    assert refusal.value.reason is Reason.CODE_TOO_LONG


@given(
    st.integers(1, 40).flatmap(
        lambda width: st.lists(
            st.text("01", min_size=width, max_size=width), min_size=1, max_size=8
        )
    )
)
def test_a_bitmap_keeps_every_dot(rows: list[str]) -> None:
    """Highest bit left, rows padded with white to whole bytes."""
    bitmap = pack_bitmap(rows)
    assert (bitmap.width, bitmap.height) == (len(rows[0]), len(rows))
    assert len(bitmap.rows) == bitmap.bytes_per_row * bitmap.height
    assert [
        "".join("01"[bitmap.is_black(x, y)] for x in range(bitmap.width))
        for y in range(bitmap.height)
    ] == rows
    assert Bitmap(bitmap.bytes_per_row * 8, bitmap.height, bitmap.rows).is_black(
        bitmap.bytes_per_row * 8 - 1, 0
    ) is (rows[0][-1] == "1" and bitmap.width % 8 == 0)


def test_an_svg_draws_exactly_the_symbols_modules() -> None:
    """Every dark module lies in one run of the path, and the label is escaped."""
    modules = symbol(STATIC, Level.M)
    svg = render_svg(STATIC, Level.M, '"<健康码>')
    assert 'aria-label="&quot;&lt;健康码&gt;"' in svg
    drawn = {
        (int(start) + step, int(y))
        for start, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1H", svg)
        for step in range(int(length))
    }
    dark = {(x, y) for y, row in enumerate(modules) for x, module in enumerate(row) if module}
    assert drawn == dark


def test_a_png_is_read() -> None:
    """As a printed badge is."""
    image = Image.open(io.BytesIO(render_png(STATIC, 4, Level.M))).convert("L")
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [STATIC]


def test_a_terminals_symbol_is_read() -> None:
    """From a screen that is dark where nothing is drawn."""
    lines = render_terminal(STATIC, Level.M).splitlines()
    upper = str.maketrans(" ▄▀█", "1100")
    lower = str.maketrans(" ▄▀█", "1010")
    rows = [line.translate(half) for line in lines for half in (upper, lower)]
    large = ["".join(4 * dot for dot in row) for row in rows for _ in range(4)]
    assert read(pack_bitmap(large)) == [STATIC]
