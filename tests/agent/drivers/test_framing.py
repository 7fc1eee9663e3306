"""Framing: every way a scanner ends a code, and bytes that are no code."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.framing import LIMIT_BYTES, Framer, Piece
from shared.reasons import Reason

STATIC = b"98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
OTHER = STATIC.replace(b"98FF", b"00FF")


@pytest.mark.parametrize("terminator", [b"\r", b"\n", b"\r\n", b"\t", b"\t\r\n"])
def test_terminators_end_a_frame_once(terminator: bytes) -> None:
    """CR, LF, CRLF and Tab end a code; what follows them in the same breath is no empty code."""
    framer = Framer()
    assert framer.feed(STATIC + terminator + OTHER + terminator) == [STATIC, OTHER]
    assert framer.gap() == []


def test_silence_ends_a_frame_without_terminator() -> None:
    """A scanner that sends no terminator: the silence after a code hands it on."""
    framer = Framer()
    assert framer.feed(STATIC) == []
    assert framer.gap() == [STATIC]
    assert framer.gap() == []


def test_leading_enter_is_no_frame_and_no_promise() -> None:
    """A scanner that presses Enter first: glued codes come apart, the last one ends by silence."""
    framer = Framer()
    assert framer.feed(b"\r" + STATIC + b"\r" + OTHER) == [STATIC]
    assert framer.gap() == [OTHER]


def test_half_a_frame_of_a_terminating_scanner_is_dropped_once() -> None:
    """Half a code before a silence is dropped by a scanner that terminates; the next one counts
    as not having shown its habit, so a wrong conclusion costs one scan."""
    framer = Framer()
    assert framer.feed(STATIC + b"\r") == [STATIC]
    framer.feed(STATIC[:40])
    assert framer.gap() == [Reason.FRAME_CUT]
    assert framer.feed(STATIC) == []
    assert framer.gap() == [STATIC]


def test_broken_line_drops_half_a_frame() -> None:
    """When the line breaks, half a code is dropped whatever the scanner's habit."""
    framer = Framer()
    framer.feed(STATIC[:40])
    assert framer.cut() == [Reason.FRAME_CUT]
    assert framer.cut() == []


def test_overlong_frame_is_dropped_whole() -> None:
    """Beyond 3 KB a frame is dropped with its reason, its rest with it; the next one is whole."""
    framer = Framer()
    assert framer.feed(b"A" * LIMIT_BYTES) == []
    assert framer.feed(b"A" * 5000) == [Reason.CODE_TOO_LONG]
    assert framer.feed(b"tail\r" + STATIC + b"\r") == [STATIC]


def test_silence_ends_an_overlong_frame() -> None:
    """The rest of an overlong frame without terminator ends by silence."""
    framer = Framer()
    assert framer.feed(b"A" * (LIMIT_BYTES + 1)) == [Reason.CODE_TOO_LONG]
    assert framer.gap() == []
    assert framer.feed(STATIC + b"\r") == [STATIC]


def test_discarded_frame_is_dropped_up_to_its_end() -> None:
    """After lost bytes neither the head nor the tail of the frame becomes a code."""
    framer = Framer()
    framer.feed(STATIC[:10])
    assert framer.discard(Reason.FRAME_LOST) is Reason.FRAME_LOST
    assert framer.feed(STATIC[30:] + b"\r" + OTHER + b"\r") == [OTHER]


@given(
    codes=st.lists(
        st.binary(min_size=1, max_size=60).filter(lambda b: not set(b) & set(b"\r\n\t"))
    ),
    cuts=st.lists(st.integers(0, 400)),
)
def test_portions_do_not_matter(codes: list[bytes], cuts: list[int]) -> None:
    """One byte at a time, glued or in any portions: the same frames."""
    stream = b"".join(code + b"\r\n" for code in codes)
    framer = Framer()
    pieces: list[Piece] = []
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for start, end in pairwise(edges):
        pieces += framer.feed(stream[start:end])
    assert pieces == codes


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\t"])
@pytest.mark.parametrize("portion", [1, 7, 64])
def test_two_hundred_scans_are_two_hundred_codes(end: bytes, portion: int) -> None:
    """As fast as a clerk can hold codes before it, in whatever portions: each once, exact."""
    codes = [b"%064X:1" % number for number in range(200)]
    stream = b"".join(code + end for code in codes)
    framer = Framer()
    pieces: list[Piece] = []
    for start in range(0, len(stream), portion):
        pieces += framer.feed(stream[start : start + portion])
    assert pieces == codes


@pytest.mark.parametrize("end", [b"\r", b""])
def test_a_megabyte_without_end_is_told_once_and_kept_nowhere(end: bytes) -> None:
    """A scanner gone mad: one reason, no more memory than one frame, and the next code is right."""
    framer = Framer()
    pieces: list[Piece] = []
    for _ in range(256):
        pieces += framer.feed(b"A" * 4096)
        assert len(framer._buffer) <= LIMIT_BYTES
    assert pieces == [Reason.CODE_TOO_LONG]
    assert framer.feed(end) + framer.gap() == []
    assert framer.feed(STATIC + b"\r") == [STATIC]


def test_the_ear_hears_every_byte() -> None:
    """A technician's test hears what comes, terminators and dropped bytes too."""
    framer = Framer()
    heard = bytearray()
    framer.ear = heard.extend
    framer.feed(b"A" * (LIMIT_BYTES + 9) + b"\r\n")
    framer.feed(STATIC)
    assert heard == b"A" * (LIMIT_BYTES + 9) + b"\r\n" + STATIC
