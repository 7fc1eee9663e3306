"""The golden labels: their bytes, their pictures, and their codes read under wear.

Everything here begins with the files in ``tests/golden/labels``, which a fake printer on a real
kernel receives too. The renderer and the reader share no code with the product.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from PIL import Image, ImageChops, ImageFilter

from agent.drivers.encoder import LabelEncoder
from agent.drivers.printer_language import PrinterLanguage
from agent.drivers.templates import (
    CAPTIONS,
    DOTS_PER_MM,
    DOTS_PER_MODULE,
    TEMPLATES,
    TEMPORARY_TEMPLATES,
    find_template,
)
from shared.qr import QUIET_MODULES, logo_modules
from tests.golden.labels.cases import CASES, PRINTERS, media_mm, read_golden, read_picture
from tests.labels.epl import print_epl
from tests.labels.renderer import ZplRenderer, read_codes

ANEW = "look at the change, then: python -m tests.golden.labels (dots belong to fonts-noto-cjk)"

SYMBOL_MODULES = 41
SYMBOL_DOTS = SYMBOL_MODULES * DOTS_PER_MODULE
COVER_DOTS = 52
"""The side of a square that covers a tenth of the symbol: 52² is 10.05 % of 164²."""
CORNER_MODULES = 9
"""A finder pattern with its separator and the format information beside it (ISO/IEC 18004 §6)."""
WITH_LOGO = [
    case
    for case, label in CASES.items()
    if find_template(label.template, label.temporary).symbols[0].logo
]


@pytest.fixture(scope="module")
def encoder() -> LabelEncoder:
    return LabelEncoder()


def test_every_template_and_language_has_a_golden_label() -> None:
    """A new one is not forgotten; at least one template has the logo."""
    made = {(label.template, label.language, label.temporary) for label in CASES.values()}
    assert TEMPLATES.keys() == TEMPORARY_TEMPLATES.keys()
    assert made == set(product(TEMPLATES, CAPTIONS, (False, True)))
    assert WITH_LOGO


@pytest.mark.parametrize("language", PRINTERS)
@pytest.mark.parametrize("case", CASES)
def test_bytes_are_the_golden_ones(
    case: str, language: PrinterLanguage, encoder: LabelEncoder
) -> None:
    """Byte for byte, text included."""
    assert encoder.encode(CASES[case], language) == read_golden(case, language), ANEW


@pytest.mark.parametrize("language", PRINTERS)
@pytest.mark.parametrize("case", CASES)
def test_the_picture_is_the_golden_one(
    case: str, language: PrinterLanguage, renderer: ZplRenderer
) -> None:
    """The golden bytes, drawn by an eye that is not ours, on paper of its size, dot for dot: one
    picture, whichever language the printer speaks."""
    width, length = media_mm(CASES[case])
    dots = width * DOTS_PER_MM, length * DOTS_PER_MM
    data = read_golden(case, language)
    match language:
        case PrinterLanguage.ZPL:
            picture = renderer.render(data, width, length)
        case PrinterLanguage.EPL2:
            picture = print_epl(data, *dots)
    assert picture.size == dots
    assert ImageChops.difference(picture, read_picture(case)).getbbox() is None, ANEW


@pytest.mark.parametrize("case", CASES)
def test_the_code_reads_clean_blurred_and_turned(case: str, renderer: ZplRenderer) -> None:
    """Every symbol of the label: as printed, each quarter turned, and smeared by a dot either
    way, evenly and as optics do."""
    label = CASES[case]
    printed = renderer.render(read_golden(case, PrinterLanguage.ZPL), *media_mm(label))
    texts = [label.code] * len(find_template(label.template, label.temporary).symbols)
    views = {
        "clean": printed,
        "box blur": printed.filter(ImageFilter.BoxBlur(1)),
        "Gaussian blur": printed.filter(ImageFilter.GaussianBlur(1)),
        "90°": printed.transpose(Image.Transpose.ROTATE_90),
        "180°": printed.transpose(Image.Transpose.ROTATE_180),
        "270°": printed.transpose(Image.Transpose.ROTATE_270),
    }
    unread = [name for name, view in views.items() if read_codes(view) != texts]
    assert not unread


def squares() -> Iterator[tuple[int, int]]:
    """Where a tenth may be covered: on every module of the symbol beside logo and finders."""
    last = SYMBOL_DOTS - COVER_DOTS
    corner = CORNER_MODULES * DOTS_PER_MODULE
    logo = logo_modules(SYMBOL_MODULES) * DOTS_PER_MODULE
    middle = (SYMBOL_DOTS - logo) // 2
    kept = [(0, 0, corner), (SYMBOL_DOTS - corner, 0, corner), (0, SYMBOL_DOTS - corner, corner)]
    kept.append((middle, middle, logo))
    for y in range(0, last + 1, DOTS_PER_MODULE):
        for x in range(0, last + 1, DOTS_PER_MODULE):
            if not any(
                left - COVER_DOTS < x < left + side and top - COVER_DOTS < y < top + side
                for left, top, side in kept
            ):
                yield x, y


@pytest.mark.parametrize("ink", [0, 255], ids=["black", "white"])
@pytest.mark.parametrize("case", WITH_LOGO)
def test_the_code_reads_with_a_tenth_covered_beside_the_logo(
    case: str, ink: int, renderer: ZplRenderer
) -> None:
    """A stain or a scratch: one square of a tenth of the symbol, black or white, wherever it lies
    beside the logo and the finder patterns, also against the logo and over the timing and
    alignment patterns."""
    label = CASES[case]
    place = TEMPLATES[label.template].symbols[0]
    quiet = QUIET_MODULES * DOTS_PER_MODULE
    assert place.side == SYMBOL_DOTS + 2 * quiet
    assert COVER_DOTS**2 >= SYMBOL_DOTS**2 / 10
    printed = renderer.render(read_golden(case, PrinterLanguage.ZPL), *media_mm(label))
    unread = []
    for x, y in squares():
        left, top = place.x + quiet + x, place.y + quiet + y
        worn = printed.copy()
        worn.paste(ink, (left, top, left + COVER_DOTS, top + COVER_DOTS))
        if read_codes(worn) != [label.code]:
            unread.append((x, y))
    assert not unread
