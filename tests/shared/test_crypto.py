"""Named operations, against the published vectors of their standards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import KEY_BYTES, NONCE_BYTES, STD, TAG_BYTES, Sm4, SuiteId, sm3, suite
from shared.errors import Malformed, NotAuthentic, Refused
from shared.reasons import Reason


def test_sm3() -> None:
    """GB/T 32905 A.1: the digest of ``abc``."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_sm4() -> None:
    """GB/T 32907 A.1: one block, both ways, and the kept encryptor gives it again."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    cipher = Sm4(key)
    for _ in range(2):
        assert cipher.encrypt(key).hex() == "681edf34d206965e86b3e94f536e4246"
        assert cipher.decrypt(cipher.encrypt(key)) == key


def test_digest() -> None:
    """FIPS 180-4: SHA-256 of ``abc``."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert STD.digest(b"abc").hex() == expected


def test_mac() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert STD.mac(b"Jefe", b"what do ya want for nothing?").hex() == expected


def test_derive() -> None:
    """RFC 5869, test case 3: HKDF-SHA-256 without salt and info, cut to 32 bytes."""
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert STD.derive(b"\x0b" * 22, b"").hex() == expected


def test_purposes_give_different_keys() -> None:
    """A key of one purpose says nothing of another's."""
    assert STD.derive(b"secret", b"one") != STD.derive(b"secret", b"two")


def test_signature() -> None:
    """RFC 8032 §7.1, test 1."""
    key = STD.signing_key(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.public_bytes.hex() == public
    signature = key.sign(b"")
    assert signature.hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    STD.verify_key(key.public_bytes).verify(signature, b"")


def test_a_signature_of_something_else_is_refused() -> None:
    """Other data, another key, half a signature."""
    key, other = STD.new_signing_key(), STD.new_signing_key()
    signature = key.sign(b"data")
    for public, given_signature, data in (
        (key.public_bytes, signature, b"date"),
        (other.public_bytes, signature, b"data"),
        (key.public_bytes, signature[:-1], b"data"),
        (key.public_bytes, b"", b"data"),
    ):
        with pytest.raises(NotAuthentic) as refusal:
            STD.verify_key(public).verify(given_signature, data)
        assert refusal.value.reason is Reason.SIGNATURE_WRONG


def test_aead() -> None:
    """AES-256-GCM, test case 14 of the GCM specification: zero key, zero nonce, zero block."""
    aead = STD.aead(bytes(32))
    sealed = aead.seal(bytes(12), bytes(16), b"")
    assert sealed.hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    assert aead.open(bytes(12), sealed, b"") == bytes(16)


@given(st.binary(max_size=64), st.binary(max_size=64), st.data())
def test_a_seal_that_was_touched_does_not_open(
    plain: bytes, bound_to: bytes, data: st.DataObject
) -> None:
    """Any byte of ciphertext or tag, the nonce, what it is bound to, any cut."""
    aead, nonce = STD.aead(bytes(range(32))), bytes(NONCE_BYTES)
    sealed = aead.seal(nonce, plain, bound_to)
    assert aead.open(nonce, sealed, bound_to) == plain
    place = data.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    for wrong_nonce, wrong, wrong_bound in (
        (nonce, flipped, bound_to),
        (nonce, sealed[:place], bound_to),
        (nonce, sealed, bound_to + b"x"),
        (b"\1" * NONCE_BYTES, sealed, bound_to),
        (b"", sealed, bound_to),
    ):
        with pytest.raises(NotAuthentic) as refusal:
            aead.open(wrong_nonce, wrong, wrong_bound)
        assert refusal.value.reason is Reason.SEAL_BROKEN


def test_an_encapsulation_opens_for_its_recipient_alone() -> None:
    """HPKE: another recipient, another binding, or a touched byte, and it stays shut."""
    key, other = STD.new_recipient_key(), STD.new_recipient_key()
    wrapped = STD.encapsulate(key.public_bytes, b"secret", b"box 1")
    again = STD.recipient_key(key.to_bytes())
    assert again.public_bytes == key.public_bytes
    assert again.decapsulate(wrapped, b"box 1") == b"secret"
    assert STD.encapsulate(key.public_bytes, b"secret", b"box 1") != wrapped
    flipped = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    for recipient, encapsulation, bound_to in (
        (other, wrapped, b"box 1"),
        (key, wrapped, b"box 2"),
        (key, flipped, b"box 1"),
        (key, wrapped[:40], b"box 1"),
        (key, b"", b"box 1"),
    ):
        with pytest.raises(NotAuthentic) as refusal:
            recipient.decapsulate(encapsulation, bound_to)
        assert refusal.value.reason is Reason.SEAL_BROKEN


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_what_is_no_key_is_refused_when_it_is_given(size: int) -> None:
    """Half a key file is a refusal of ours, never the library's error later."""
    for use in (
        STD.signing_key,
        STD.verify_key,
        STD.recipient_key,
        STD.aead,
        lambda key: STD.encapsulate(key, b"secret", b""),
    ):
        with pytest.raises(Malformed) as refusal:
            use(bytes(size))
        assert refusal.value.reason is Reason.KEY_MALFORMED


def test_a_public_key_of_low_order_is_refused() -> None:
    """All zeros agree on nothing (RFC 7748 §6.1)."""
    with pytest.raises(Malformed):
        STD.encapsulate(bytes(KEY_BYTES), b"secret", b"")


def test_suites_by_number() -> None:
    """``std`` is there; ``gm`` and unknown numbers are refused, for now and for ever."""
    assert suite(SuiteId.STD) is STD
    assert STD.id == 1
    for number in (0, SuiteId.GM, 255):
        with pytest.raises(Refused) as refusal:
            suite(number)
        assert refusal.value.reason is Reason.SUITE_UNKNOWN


def test_the_tag_is_what_it_is_said_to_be() -> None:
    """Sizes others compute with."""
    assert len(STD.aead(bytes(KEY_BYTES)).seal(bytes(NONCE_BYTES), b"", b"")) == TAG_BYTES
