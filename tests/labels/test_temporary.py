"""The label of a temporary code: what it says, that all of it fits, and that its code reads."""

import itertools

import pytest

from agent.drivers.encoder import LabelEncoder
from agent.drivers.label_layout import draw_label
from agent.drivers.templates import CAPTIONS, DOTS_PER_MODULE, TEMPORARY_TEMPLATES
from agent.ports import Label
from shared.qr import Level, symbol
from tests.agent.drivers.labels import make_label
from tests.golden.labels.cases import CASES
from tests.labels.renderer import ZplRenderer
from tests.labels.test_rendering import (
    DOTTED,
    LONG_SITE,
    MANY,
    NAMES,
    RecordingTypeface,
    print_label,
)

CODE = CASES["50x30-temporary-zh"].code


def make_temporary(**changes: object) -> Label:
    return make_label(**{"code": CODE, "record_number": "", "temporary": True, **changes})


@pytest.fixture(scope="module")
def encoder() -> LabelEncoder:
    return LabelEncoder()


@pytest.mark.parametrize("template", TEMPORARY_TEMPLATES)
def test_the_symbol_is_version_5_at_level_m_without_a_logo(template: str) -> None:
    """37 modules: 122 characters are the most that it holds (CONTRACTS §5)."""
    modules = len(symbol(CODE, Level.M))
    assert modules == 37 + 8
    for place in TEMPORARY_TEMPLATES[template].symbols:
        assert (place.side, place.level, place.logo) == (modules * DOTS_PER_MODULE, Level.M, False)


@pytest.mark.parametrize("language", CAPTIONS)
@pytest.mark.parametrize("template", TEMPORARY_TEMPLATES)
@pytest.mark.parametrize("copy", [1, 88])
def test_the_label_says_that_it_is_temporary(template: str, language: str, copy: int) -> None:
    """In its own language, whole, and where it is good; a copy says so too."""
    typeface = RecordingTypeface()
    draw_label(make_temporary(template=template, language=language, copy=copy), typeface)
    captions = CAPTIONS[language]
    drawn = [text.replace(" ", "") for text in typeface.drawn]
    for words in (captions.temporary, captions.temporary_until):
        assert words.replace(" ", "") in drawn
    assert (f"{captions.copy}88".replace(" ", "") in drawn) is (copy > 1)


@pytest.mark.parametrize("template", TEMPORARY_TEMPLATES)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_every_name_prints_and_the_code_reads(
    name: str, template: str, encoder: LabelEncoder, renderer: ZplRenderer
) -> None:
    """As on any label."""
    print_label(make_temporary(name=name, template=template), encoder, renderer)


@pytest.mark.parametrize("language", CAPTIONS)
@pytest.mark.parametrize("template", TEMPORARY_TEMPLATES)
@pytest.mark.parametrize("text", [MANY, DOTTED, "W" * 40, "Wm " * 14], ids=len)
def test_names_of_40_characters_fit_whole(text: str, template: str, language: str) -> None:
    """A name is never mistaken for its beginning."""
    typeface = RecordingTypeface()
    name = text[:40].strip()
    draw_label(make_temporary(name=name, template=template, language=language), typeface)
    assert name.replace(" ", "") in [drawn.replace(" ", "") for drawn in typeface.drawn]


@pytest.mark.parametrize("language", CAPTIONS)
@pytest.mark.parametrize("template", TEMPORARY_TEMPLATES)
def test_fields_do_not_touch_each_other(
    template: str, language: str, encoder: LabelEncoder
) -> None:
    """Each piece's black stays out of every other piece's place, the quiet zone included."""
    worst = make_temporary(
        name=MANY[:40], site=LONG_SITE, copy=88, template=template, language=language
    )
    pieces = encoder.draw(worst).pieces
    boxes = [(x, y, x + b.width, y + b.height) for x, y, b in pieces]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)
