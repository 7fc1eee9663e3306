"""Labels as an independent renderer prints them and an independent reader reads them."""

import itertools
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from agent.drivers.encoder import ZplEncoder
from agent.drivers.raster import write_picture
from agent.drivers.zpl import parse_format
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason
from tests.agent.drivers.labels import SAMPLE, STATIC_TEXT, make_label
from tests.labels.renderer import ZplRenderer, read_codes

GOLDEN = Path(__file__).parents[1] / "golden/labels/sample.zpl"
MARGIN_DOTS = 8  # a millimetre: how far a label may lie beside the head
LONG_SITE = "某某省某某自治州第一人民医院附属妇女儿童医疗中心东院区门诊部综合楼"
MANY = "阿卜杜热合曼买买提江吐尔逊古丽努尔麦麦提艾力依明阿迪力玉素甫江木合塔尔帕尔哈提沙木沙克"

NAMES = {
    "one": "张",
    "masked": "张*三",
    "compound": "欧阳*华",
    "dotted": "阿*力·买买提",
    "40 ideographs": MANY[:40],
    "40 letters": "Wolfeschlegelsteinhausen bergerdorff WMWMWM"[:40],
    "200 letters": "Mamet " * 33,
    "end of format": "^XZ",
    "cancel all": "~JA",
    "field": "^FO0,0^GB400,240,400^FS",
    "markup": "<script>alert('x')</script>",
    "quotes": '"O\'Brien" \\& Co',
    "emoji": "李*😀👨‍👩‍👧",
    "rare": "𠮷*㑇",
    "spaces": "  Ana\tMaria\n  ",
    "none": "",
}


@pytest.fixture(scope="module")
def encoder() -> ZplEncoder:
    return ZplEncoder()


def ink(picture: Image.Image) -> tuple[int, int, int, int]:
    """The box around everything black."""
    box = ImageChops.invert(picture).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_every_name_prints_as_text_and_the_code_reads(
    name: str, encoder: ZplEncoder, renderer: ZplRenderer
) -> None:
    """Whatever the name, one label is printed, inside its margins, and its code is the one that
    was issued; a format without field data holds no command but the label's own."""
    zpl = encoder.encode(make_label(name=name))
    picture = renderer.render(zpl)
    assert picture.size == (400, 240)
    assert read_codes(picture) == [STATIC_TEXT]
    left, top, right, bottom = ink(picture)
    assert min(left, top) >= MARGIN_DOTS
    assert right <= 400 - MARGIN_DOTS
    assert bottom <= 240 - MARGIN_DOTS
    assert zpl.count(b"^XA") == zpl.count(b"^XZ") == zpl.count(b"^JZN") == 1
    assert b"~" not in zpl
    assert b"^FD" not in zpl


@pytest.mark.parametrize("length", range(1, 41))
def test_names_of_1_to_40_characters_fit_whole(length: int, encoder: ZplEncoder) -> None:
    """Up to 40 ideographs nothing is cut: each length prints more than the one before it could,
    so a name is never mistaken for its beginning."""
    zpl, shorter = (encoder.encode(make_label(name=MANY[:count])) for count in (length, length - 1))
    assert zpl != shorter


@pytest.mark.parametrize(
    "changes",
    [
        {"site": LONG_SITE},
        {"record_number": ""},
        {"record_number": "12345678901234567890"},
        {"record_number": "ZYH-2026-000000000000000000000000000001"},
        {"copy": 2},
        {"copy": 10_000},
        {"site": "", "name": "", "record_number": "", "date": ""},
    ],
)
def test_every_field_fits_and_the_code_reads(
    changes: dict[str, object], encoder: ZplEncoder, renderer: ZplRenderer
) -> None:
    """Long, short and missing fields: nothing leaves the label, the code reads."""
    picture = renderer.render(encoder.encode(make_label(**changes)))
    assert read_codes(picture) == [STATIC_TEXT]
    left, top, right, bottom = ink(picture)
    assert min(left, top, 400 - right, 240 - bottom) >= MARGIN_DOTS


def test_fields_do_not_touch_each_other(encoder: ZplEncoder) -> None:
    """Each piece's black stays out of every other piece's place, the quiet zone included."""
    worst = make_label(
        name=MANY[:40], site=LONG_SITE, record_number="8" * 40, date="2026-12-28", copy=88
    )
    _, _, pieces = parse_format(encoder.encode(worst))
    boxes = [(x, y, x + b.width - 7, y + b.height) for x, y, b in pieces]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def test_a_copy_says_so(encoder: ZplEncoder) -> None:
    """A second label of a registration differs from the first, and from the third."""
    labels = {encoder.encode(make_label(copy=copy)) for copy in (1, 2, 3)}
    assert len(labels) == 3


@pytest.mark.parametrize("name", ["\U00020000*", "ཀ*ཁ", "张*\ue000", "علي"])
def test_a_name_the_font_cannot_write_is_refused(name: str, encoder: ZplEncoder) -> None:
    """Letters and ideographs without a glyph refuse the label; the error does not hold them."""
    with pytest.raises(Malformed) as caught:
        encoder.encode(make_label(name=name))
    assert caught.value.reason is Reason.GLYPH_MISSING
    assert not any(ord(character) > 127 for character in str(caught.value))


def test_emoji_are_visible_and_countable(encoder: ZplEncoder) -> None:
    """An emoji prints as □; two print as two; joiners and selectors print as nothing."""
    one, two, box, joined = (
        encoder.encode(make_label(name=name))
        for name in ("李*😀", "李*😀😀", "李*□", "李*\u2764\ufe0f")
    )
    assert one == box
    assert two != one
    assert joined == encoder.encode(make_label(name="李*\u2764"))


def test_a_code_too_large_for_the_label_is_refused(encoder: ZplEncoder) -> None:
    """A text whose symbol is larger than 49 modules is not squeezed."""
    with pytest.raises(Malformed) as caught:
        encoder.encode(make_label(code=STATIC_TEXT * 3))
    assert caught.value.reason is Reason.CODE_TOO_LONG


def test_a_missing_font_is_unavailable(tmp_path: Path) -> None:
    """A configured font that is not there, or is no font, says so."""
    (tmp_path / "no.ttf").write_bytes(b"no font")
    for name in ("missing.ttf", "no.ttf"):
        with pytest.raises(Unavailable) as caught:
            ZplEncoder(str(tmp_path / name)).encode(SAMPLE)
        assert caught.value.reason is Reason.FONT_MISSING


def test_our_picture_is_the_printers(
    encoder: ZplEncoder, renderer: ZplRenderer, tmp_path: Path
) -> None:
    """The simulator's picture of a label equals the independent renderer's, dot for dot."""
    zpl = encoder.encode(SAMPLE)
    width, height, pieces = parse_format(zpl)
    write_picture(tmp_path / "label.png", width, height, pieces)
    ours = Image.open(tmp_path / "label.png").convert("L")
    theirs = renderer.render(zpl)
    assert ImageChops.difference(ours, theirs).getbbox() is None


def test_golden_label(encoder: ZplEncoder) -> None:
    """The sample label's bytes: field order, places, and the code's dots. Text is left out, whose
    dots belong to the font's version."""
    lines = encoder.encode(SAMPLE).splitlines()
    assert lines[:3] + lines[-1:] == GOLDEN.read_bytes().splitlines()
