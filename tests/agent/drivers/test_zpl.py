"""ZPL formats: what is written is read again, compressed or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.raster import Placed
from agent.drivers.zpl import build_format, parse_format
from shared.errors import Malformed
from shared.qr import Bitmap
from shared.reasons import Reason

RUNS = st.lists(
    st.tuples(st.integers(0, 255), st.integers(1, 230)).map(lambda run: bytes([run[0]]) * run[1]),
    min_size=1,
    max_size=4,
).map(b"".join)
"""A row of long runs: digits repeated once to more than 400 times."""


def bitmap_of(rows: list[bytes]) -> Bitmap:
    """Rows cut to the shortest of them."""
    length = min(map(len, rows))
    return Bitmap(8 * length, len(rows), b"".join(row[:length] for row in rows))


@given(st.lists(st.lists(RUNS | st.binary(min_size=1, max_size=40), min_size=1, max_size=6)))
def test_graphics_come_back_dot_for_dot(graphics: list[list[bytes]]) -> None:
    """Whatever the dots: random, blank, black, rows that repeat, runs of every length."""
    pieces = [Placed(7 * x, 9 * x, bitmap_of(rows)) for x, rows in enumerate(graphics)]
    assert parse_format(build_format(pieces, 400, 240)) == (400, 240, pieces)


def test_compression_as_the_guide_writes_it() -> None:
    """Y counts 19, g 20, both together 39; a comma is white to the line's end, a colon the line
    before; two of a kind stand for themselves."""
    rows = ["0" * 40, "F" * 40, "F" * 40, "A" * 39 + "1", "B" * 19 + "22C" + "0" * 18]
    graphic = bitmap_of([bytes.fromhex(row) for row in rows])
    fields = build_format([Placed(0, 0, graphic)], 160, 5).splitlines()[1]
    assert fields == b"^FO0,0^GFA,100,100,20,,hF:gYA1YB22C,^FS"


def test_half_a_format_prints_nothing() -> None:
    """A cable pulled after any byte but the last one."""
    zpl = build_format([Placed(0, 0, Bitmap(8, 2, b"\x0f\xf0"))], 400, 240).rstrip()
    for kept in range(len(zpl)):
        with pytest.raises(Malformed) as caught:
            parse_format(zpl[:kept])
        assert caught.value.reason is Reason.PRINT_CUT
