"""Record bodies: only central opens them, and only as the row they were born as."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import STD
from shared.errors import Malformed, NotAuthentic, Refused
from shared.ids import BoxId
from shared.reasons import Reason
from shared.sealing import (
    SEAL_BYTES,
    BodySealer,
    encapsulation_id,
    open_body,
    parse_encapsulation_id,
    unwrap_body_key,
    unwrap_pair_key,
    wrap_pair_key,
)
from tests.shared.strategies import refusal_of

BOX = BoxId("site1", "box1")
CENTRAL = STD.recipient_key(bytes(range(32)))
ID, LANE, BORN = bytes(range(16)), 2, 1_772_000_000_000_000
PLAIN = "电子健康卡".encode()


def new_sealer(box: BoxId = BOX) -> BodySealer:
    """As after a start of the box."""
    return BodySealer(STD, CENTRAL.public_bytes, box)


def open_sealed(sealer: BodySealer, body: bytes) -> bytes:
    """As central does it, with what the sealer made durable."""
    key = unwrap_body_key(CENTRAL, BOX, sealer.encapsulation.wrapped)
    return open_body(key, body, ID, LANE, BORN)


def test_central_opens_what_a_box_sealed() -> None:
    """Each body under the one encapsulation it names."""
    sealer = new_sealer()
    for plain in (PLAIN, b"", b"x" * 60_000):
        body = sealer.seal(plain, ID, LANE, BORN)
        assert parse_encapsulation_id(body) == sealer.encapsulation.id
        assert plain == b"" or plain not in body
        assert open_sealed(sealer, body) == plain
        assert len(body) == len(plain) + SEAL_BYTES


def test_no_two_bodies_are_sealed_alike() -> None:
    """The nonce counts, so the same record twice shows nothing."""
    sealer = new_sealer()
    bodies = [sealer.seal(PLAIN, ID, LANE, BORN) for _ in range(100)]
    assert len(set(bodies)) == 100
    counters = [int.from_bytes(body[18:26], "big") for body in bodies]
    assert counters == list(range(1, 101))


@pytest.mark.parametrize(
    ("id", "lane", "born"),
    [(bytes(16), LANE, BORN), (ID, 0, BORN), (ID, LANE, BORN + 1)],
    ids=["id", "lane", "born"],
)
def test_a_body_is_bound_to_its_row(id: bytes, lane: int, born: int) -> None:
    """A body cannot be moved under another row's id, lane or birth."""
    sealer = new_sealer()
    body = sealer.seal(PLAIN, ID, LANE, BORN)
    key = unwrap_body_key(CENTRAL, BOX, sealer.encapsulation.wrapped)
    with pytest.raises(NotAuthentic) as refusal:
        open_body(key, body, id, lane, born)
    assert refusal.value.reason is Reason.SEAL_BROKEN


def test_an_encapsulation_cannot_be_swapped() -> None:
    """Its id is its own digest, its key opens no other start's bodies, and it is of one box."""
    one, other = new_sealer(), new_sealer()
    assert encapsulation_id(STD, one.encapsulation.wrapped) == one.encapsulation.id
    assert encapsulation_id(STD, other.encapsulation.wrapped) != one.encapsulation.id
    with pytest.raises(NotAuthentic):
        open_sealed(other, one.seal(PLAIN, ID, LANE, BORN))
    with pytest.raises(NotAuthentic):
        unwrap_body_key(CENTRAL, BoxId("site1", "box2"), one.encapsulation.wrapped)
    with pytest.raises(NotAuthentic):
        unwrap_body_key(STD.new_recipient_key(), BOX, one.encapsulation.wrapped)


def test_a_body_renamed_to_another_encapsulation_does_not_open() -> None:
    """The name is under the seal."""
    one, other = new_sealer(), new_sealer()
    body = one.seal(PLAIN, ID, LANE, BORN)
    renamed = body[:2] + other.encapsulation.id + body[18:]
    with pytest.raises(NotAuthentic):
        open_sealed(one, renamed)


def test_any_touched_byte_and_any_cut_is_refused() -> None:
    """Form, suite, encapsulation, counter, ciphertext and tag."""
    sealer = new_sealer()
    body = sealer.seal(PLAIN, ID, LANE, BORN)
    for place in range(len(body)):
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        for damaged in (flipped, body[:place]):
            with pytest.raises(Refused):
                open_sealed(sealer, damaged)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(body: bytes) -> None:
    """Also rubbish that names a form and a suite we have."""
    for candidate in (body, b"\x01\x01" + body):
        assert refusal_of(partial(open_body, bytes(32), candidate, ID, LANE, BORN)) is not None


def test_what_is_no_body_names_no_encapsulation() -> None:
    """Too short, or of another form."""
    for body in (b"", b"\x01" * 25, b"\x02" * 60):
        with pytest.raises(Malformed):
            parse_encapsulation_id(body)


def test_a_cut_body_key_is_refused() -> None:
    """Central's own mistake is a refusal, too, never the library's error."""
    body = new_sealer().seal(PLAIN, ID, LANE, BORN)
    with pytest.raises(Malformed):
        open_body(b"short", body, ID, LANE, BORN)


def test_a_pair_key_opens_for_central_and_its_own_box_only() -> None:
    """Sealed to central, bound to the box's signing key, and to this purpose."""
    central, other = STD.new_recipient_key(), STD.new_recipient_key()
    signing = STD.new_signing_key().public_bytes
    wrapped = wrap_pair_key(STD, central.public_bytes, signing, b"k" * 32)
    assert unwrap_pair_key(central, signing, wrapped) == b"k" * 32
    foreign = STD.new_signing_key().public_bytes
    body_key = STD.encapsulate(central.public_bytes, b"k" * 32, signing)
    for key, bound, sealed in (
        (other, signing, wrapped),
        (central, foreign, wrapped),
        (central, signing, body_key),
        (central, signing, b""),
    ):
        with pytest.raises(NotAuthentic):
            unwrap_pair_key(key, bound, sealed)
    with pytest.raises(Malformed):
        unwrap_pair_key(central, signing, wrap_pair_key(STD, central.public_bytes, signing, b"k"))
