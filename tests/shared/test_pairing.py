"""Messages between a box and central: nothing sealed for one place opens in another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed, NotAuthentic, Refused
from shared.ids import BoxId
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from tests.shared.strategies import refusal_of

BOX = BoxId("site1", "box1")
KEY = PairKey(bytes(range(32)))
SEALED = KEY.seal(Direction.UP, BOX, "ask/scan", b"who is this?")


def test_it_opens_where_it_was_sealed_for() -> None:
    """The same key, direction, box and kind; and a key read again is the same key."""
    again = PairKey(bytes(range(32)))
    assert again.open(Direction.UP, BOX, "ask/scan", SEALED) == b"who is this?"


def test_two_seals_of_one_message_differ() -> None:
    """A watcher on the broker cannot tell that one code was asked twice."""
    assert KEY.seal(Direction.UP, BOX, "ask/scan", b"who is this?") != SEALED


@pytest.mark.parametrize(
    ("key", "direction", "box", "kind"),
    [
        (PairKey(bytes(32)), Direction.UP, BOX, "ask/scan"),
        (KEY, Direction.DOWN, BOX, "ask/scan"),
        (KEY, Direction.UP, BoxId("site1", "box2"), "ask/scan"),
        (KEY, Direction.UP, BoxId("site2", "box1"), "ask/scan"),
        (KEY, Direction.UP, BOX, "ask/register"),
    ],
    ids=["key", "direction", "box", "site", "kind"],
)
def test_it_opens_nowhere_else(key: PairKey, direction: Direction, box: BoxId, kind: str) -> None:
    """Wrong box, wrong kind, wrong direction, another key."""
    with pytest.raises(NotAuthentic) as refusal:
        key.open(direction, box, kind, SEALED)
    assert refusal.value.reason is Reason.SEAL_BROKEN


@pytest.mark.parametrize("place", range(len(SEALED)))
def test_any_touched_byte_and_any_cut_is_refused(place: int) -> None:
    """Suite, nonce, ciphertext and tag."""
    for bit in (1, 128):
        flipped = SEALED[:place] + bytes([SEALED[place] ^ bit]) + SEALED[place + 1 :]
        with pytest.raises(Refused):
            KEY.open(Direction.UP, BOX, "ask/scan", flipped)
    with pytest.raises(Refused):
        KEY.open(Direction.UP, BOX, "ask/scan", SEALED[:place])


def test_another_suite_is_named() -> None:
    """A box of the future is told apart from rubbish."""
    with pytest.raises(Refused) as refusal:
        KEY.open(Direction.UP, BOX, "ask/scan", b"\x02" + SEALED[1:])
    assert refusal.value.reason is Reason.SUITE_UNKNOWN


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    """Whoever does not hold the key says nothing."""
    assert refusal_of(lambda: KEY.open(Direction.DOWN, BOX, "down/reply", data)) is not None


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_half_a_key_is_no_key(size: int) -> None:
    """A cut key file would otherwise seal under a key anybody knows."""
    with pytest.raises(Malformed) as refusal:
        PairKey(bytes(size))
    assert refusal.value.reason is Reason.KEY_MALFORMED
