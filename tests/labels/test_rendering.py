"""Labels as an independent renderer prints them and an independent reader reads them."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from agent.drivers.encoder import LabelEncoder
from agent.drivers.fonts import find_font
from agent.drivers.label_layout import ELLIPSIS, draw_label
from agent.drivers.raster import Placed, Typeface, write_picture
from agent.drivers.templates import CAPTIONS, TEMPLATES, find_template
from agent.drivers.zpl import build_format, parse_format
from agent.ports import Label
from shared.errors import Malformed, Unavailable
from shared.ids import label_number
from shared.qr import Bitmap
from shared.reasons import Reason
from tests.agent.drivers.labels import SAMPLE, STATIC_TEXT, make_label
from tests.golden.labels.cases import media_mm
from tests.labels.renderer import ZplRenderer, read_codes

MARGIN_DOTS = 8  # a millimetre: how far a label may lie beside the head
LONG_SITE = "某某省某某自治州第一人民医院附属妇女儿童医疗中心东院区门诊部综合楼"
DOTTED = "阿卜杜热合曼·买买提江吐尔逊古丽努尔·麦麦提艾力依明阿迪力·玉素甫江木合塔尔帕"
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
def encoder() -> LabelEncoder:
    return LabelEncoder()


class RecordingTypeface(Typeface):
    """Keeps what it is asked to draw."""

    def __init__(self) -> None:
        super().__init__(find_font())
        self.drawn: list[str] = []

    def draw(self, lines: Sequence[str], size: int) -> Bitmap:
        self.drawn.append("".join(lines))
        return super().draw(lines, size)


def print_label(label: Label, encoder: LabelEncoder, renderer: ZplRenderer) -> Image.Image:
    """As the printer prints it, its code read and its margins white."""
    picture = renderer.render(encoder.encode(label), *media_mm(label))
    template = find_template(label.template, label.temporary)
    assert set(read_codes(picture)) == {label.code}
    box = ImageChops.invert(picture).getbbox()
    assert box is not None
    left, top, right, bottom = box
    assert min(left, top, picture.width - right, picture.height - bottom) >= MARGIN_DOTS
    size = (
        (template.height, template.width) if template.along else (template.width, template.height)
    )
    assert picture.size == size
    return picture


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_every_name_prints_as_text_and_the_code_reads(
    name: str, template: str, encoder: LabelEncoder, renderer: ZplRenderer
) -> None:
    """Whatever the name, one label is printed, inside its margins, and its code is the one that
    was issued; a format without field data holds no command but the label's own."""
    label = make_label(name=name, template=template)
    print_label(label, encoder, renderer)
    zpl = encoder.encode(label)
    assert zpl.count(b"^XA") == zpl.count(b"^XZ") == zpl.count(b"^JZN") == 1
    assert b"~" not in zpl
    assert b"^FD" not in zpl


@pytest.mark.parametrize("language", CAPTIONS)
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("text", [MANY, DOTTED, "W" * 40, "Wm " * 14], ids=len)
def test_names_of_1_to_40_characters_fit_whole(text: str, template: str, language: str) -> None:
    """Each length is drawn to its last character, so a name is never mistaken for its beginning;
    what is longer than its place ends in …, never unmarked."""
    typeface = RecordingTypeface()
    for length in range(1, 41):
        name = text[:length].strip()
        draw_label(make_label(name=name, template=template, language=language), typeface)
        assert name.replace(" ", "") in [drawn.replace(" ", "") for drawn in typeface.drawn]
        typeface.drawn.clear()
    draw_label(make_label(name=MANY * 9, template=template, language=language), typeface)
    cut = [drawn for drawn in typeface.drawn if drawn.startswith(MANY[:39])]
    assert cut
    assert all(drawn.endswith(ELLIPSIS) for drawn in cut)


@pytest.mark.parametrize("language", CAPTIONS)
@pytest.mark.parametrize("template", TEMPLATES)
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
    changes: dict[str, object],
    template: str,
    language: str,
    encoder: LabelEncoder,
    renderer: ZplRenderer,
) -> None:
    """Long, short and missing fields: nothing leaves the label, the code reads."""
    label = make_label(template=template, language=language, **changes)
    print_label(label, encoder, renderer)


@pytest.mark.parametrize("language", CAPTIONS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_fields_do_not_touch_each_other(
    template: str, language: str, encoder: LabelEncoder
) -> None:
    """Each piece's black stays out of every other piece's place, the quiet zone included."""
    worst = make_label(
        name=MANY[:40],
        site=LONG_SITE,
        record_number="8" * 40,
        date="2026-12-28",
        copy=88,
        template=template,
        language=language,
    )
    pieces = encoder.draw(worst).pieces
    boxes = [(x, y, x + b.width, y + b.height) for x, y, b in pieces]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


@pytest.mark.parametrize("language", CAPTIONS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_copy_and_the_short_number_are_on_the_label(template: str, language: str) -> None:
    """A second label says so in its own language; a person can tell one label from another."""
    typeface = RecordingTypeface()
    label = make_label(template=template, language=language)
    draw_label(label, typeface)
    copy = f"{CAPTIONS[language].copy} 2"
    assert copy not in typeface.drawn
    assert f"#{label_number(label.id)}" in typeface.drawn
    draw_label(replace(label, copy=2), typeface)
    assert copy in typeface.drawn


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_drawing_knows_how_far_the_printer_feeds(template: str, encoder: LabelEncoder) -> None:
    """The length of the paper: what the printer's own counter is compared with."""
    label = make_label(template=template)
    assert encoder.draw(label).length_mm == media_mm(label)[1]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("\U00020000*", 1),  # CJK extension B; C, D, E, F, G and H follow
        ("王*\U0002a701", 3),
        ("王*\U0002b741", 3),
        ("王*\U0002b821", 3),
        ("王*\U0002ceb1", 3),
        ("王*\U00030001", 3),
        ("王*\U00031351", 3),
        ("ཀ*ཁ", 1),
        ("张*\ue000", 3),
        ("علي", 1),
    ],
)
def test_a_name_the_font_cannot_write_is_refused(
    name: str, position: int, template: str, encoder: LabelEncoder
) -> None:
    """Letters and ideographs without a glyph refuse the label; the error says which character
    of which font, and holds no other."""
    with pytest.raises(Malformed) as caught:
        encoder.encode(make_label(name=name, template=template))
    assert caught.value.reason is Reason.GLYPH_MISSING
    code = f"U+{ord(name[position - 1]):04X}"
    assert f"character {position} is {code}, which Noto Sans CJK SC" in str(caught.value)
    assert str(caught.value).isascii()


def test_emoji_are_visible_and_countable(encoder: LabelEncoder) -> None:
    """An emoji prints as □; two print as two; joiners and selectors print as nothing."""
    one, two, box, joined = (
        encoder.encode(make_label(name=name))
        for name in ("李*😀", "李*😀😀", "李*□", "李*\u2764\ufe0f")
    )
    assert one == box
    assert two != one
    assert joined == encoder.encode(make_label(name="李*\u2764"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_code_too_large_for_the_label_is_refused(template: str, encoder: LabelEncoder) -> None:
    """A text whose symbol is larger than its place is not squeezed."""
    with pytest.raises(Malformed) as caught:
        encoder.encode(make_label(code=STATIC_TEXT * 3, template=template))
    assert caught.value.reason is Reason.CODE_TOO_LONG


def test_a_missing_font_is_unavailable(tmp_path: Path) -> None:
    """A configured font that is not there, or is no font, says so."""
    (tmp_path / "no.ttf").write_bytes(b"no font")
    for name in ("missing.ttf", "no.ttf"):
        with pytest.raises(Unavailable) as caught:
            LabelEncoder(str(tmp_path / name)).encode(SAMPLE)
        assert caught.value.reason is Reason.FONT_MISSING


@pytest.mark.parametrize("template", TEMPLATES)
def test_our_picture_is_the_printers(
    template: str, encoder: LabelEncoder, renderer: ZplRenderer, tmp_path: Path
) -> None:
    """The simulator's picture of a label equals the independent renderer's, dot for dot."""
    label = make_label(template=template)
    zpl = encoder.encode(label)
    width, height, pieces = parse_format(zpl)
    write_picture(tmp_path / "label.png", width, height, pieces)
    ours = Image.open(tmp_path / "label.png").convert("L")
    theirs = renderer.render(zpl, *media_mm(label))
    assert ImageChops.difference(ours, theirs).getbbox() is None


def test_compressed_graphics_are_the_printers_too(renderer: ZplRenderer, tmp_path: Path) -> None:
    """Runs from one digit to a head's whole width mean to an independent reader what we mean."""
    black = [bytes([0xFF] * count + [0x5A] + [0] * (103 - count)) for count in range(104)]
    graphic = Bitmap(832, len(black), b"".join(black))
    write_picture(tmp_path / "ours.png", 832, 104, [Placed(0, 0, graphic)])
    theirs = renderer.render(build_format([Placed(0, 0, graphic)], 832, 104), 104, 13)
    ours = Image.open(tmp_path / "ours.png").convert("L")
    assert ImageChops.difference(ours, theirs).getbbox() is None
