"""Lines of a label's text: none is wider than its place, and no character is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.fonts import find_font
from agent.drivers.label_layout import wrap
from agent.drivers.raster import Typeface

TYPEFACE = Typeface(find_font())


@given(
    st.text("iW· 字", max_size=60).map(lambda text: " ".join(text.split())), st.integers(30, 200)
)
def test_lines_stay_in_their_place(text: str, width: int) -> None:
    """Narrow and wide characters, with gaps at any place."""
    lines = wrap(text, 20, width, TYPEFACE)
    assert all(TYPEFACE.width(line, 20) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("字字字 字字", ["字字字", "字字"]),
        ("字字·字字字", ["字字·", "字字字"]),
        ("字字字字字字", ["字字字字", "字字"]),
        ("字字字字 字", ["字字字字", "字"]),
    ],
)
def test_where_a_line_breaks(text: str, lines: list[str]) -> None:
    """After a gap where there is one, else between characters; a space ends no line."""
    assert wrap(text, 20, 80, TYPEFACE) == lines
