"""The national formula, pinned by the specification's own sample person (ehc-standard §1)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import Sm4
from shared.ehc import ProtectKey, RootKey, mindex_id_of, user_factor
from shared.ehc.derivation import CHINA
from shared.errors import Malformed
from shared.reasons import Reason

ROOT_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PROTECT_KEY = bytes.fromhex("11223344556677888877665544332211")
SAMPLE = ("01", "11010020171225006X", "电子健康卡")
MINDEX_ID = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
FACTOR = "92CDCE45A16799FD"
EHC_ID = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
VALIDITY = "92FD69141DFE1553A42251E2B0196148"
SAMPLE_TIME = datetime(2018, 1, 17, 11, 50, 3, tzinfo=CHINA)


def test_mindex_id() -> None:
    """SM3 over UTF-8; GBK would give another value."""
    assert mindex_id_of(*SAMPLE) == MINDEX_ID


def test_factor() -> None:
    """The four groups of eight bytes, XORed."""
    assert user_factor(MINDEX_ID).hex().upper() == FACTOR


def test_user_key() -> None:
    """The physical card's diversification: the factor and its complement under the root key."""
    user_key = RootKey(ROOT_KEY).user_key(bytes.fromhex(FACTOR))
    assert user_key.hex().upper() == "86C63180C2806ED1F47B859DE501215B"


def test_ehc_id() -> None:
    """Type and number, zero-padded to 32 bytes, under the user key."""
    assert RootKey(ROOT_KEY).derive(*SAMPLE).ehc_id == EHC_ID


def test_a_derivation_names_every_quantity() -> None:
    """What ``ehc derive`` prints is what the single functions give."""
    assert RootKey(ROOT_KEY).derive(*SAMPLE) == (MINDEX_ID, FACTOR, EHC_ID)


def test_validity() -> None:
    """BCD of the time in China, zero-padded on the right, under the protection key."""
    assert ProtectKey(PROTECT_KEY).build_validity(SAMPLE_TIME) == VALIDITY


def test_validity_is_the_same_moment_in_any_zone() -> None:
    """Callers hold UTC; the text holds China's time."""
    assert ProtectKey(PROTECT_KEY).build_validity(SAMPLE_TIME.astimezone(UTC)) == VALIDITY


def test_open_validity() -> None:
    """Back to the moment, aware UTC."""
    opened = ProtectKey(PROTECT_KEY).open_validity(VALIDITY)
    assert opened == SAMPLE_TIME
    assert opened is not None
    assert opened.tzinfo is UTC


MOMENTS = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the bounds are taken in the strategy's zone
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(MOMENTS)
def test_any_moment_comes_back_to_the_second(at: datetime) -> None:
    """No date is lost between building and opening."""
    key = ProtectKey(PROTECT_KEY)
    assert key.open_validity(key.build_validity(at)) == at.replace(microsecond=0)


@given(st.binary(min_size=16, max_size=16))
def test_what_another_key_built_does_not_open(block: bytes) -> None:
    """A guess opens to None; the nine zero bytes make a chance hit one in 2^72."""
    assert ProtectKey(PROTECT_KEY).open_validity(block.hex().upper()) is None


@given(st.text())
def test_opening_rubbish_gives_none(validity: str) -> None:
    """Whatever the text, a value or None."""
    opened = ProtectKey(PROTECT_KEY).open_validity(validity)
    assert opened is None or opened.utcoffset() == timedelta(0)


def _sealed(plain: str) -> str:
    return Sm4(PROTECT_KEY).encrypt(bytes.fromhex(plain)).hex().upper()


@pytest.mark.parametrize(
    "plain",
    [
        "20180117115003" + "00" * 8 + "01",  # padding that is not zero
        "2018011711500A" + "00" * 9,  # not decimal
        "20181317115003" + "00" * 9,  # month 13
        "00010101000000" + "00" * 9,  # before the first UTC moment
    ],
)
def test_a_block_that_is_no_time_gives_none(plain: str) -> None:
    """Each way a decrypted block can fail to be a time."""
    assert ProtectKey(PROTECT_KEY).open_validity(_sealed(plain)) is None


def test_officers_numbers_hold_chinese_characters() -> None:
    """Numbers outside ASCII are derived too, and 30 bytes are the most."""
    root = RootKey(ROOT_KEY)
    assert len(root.derive("04", "南字第01234567号", "某人").ehc_id) == 64
    with pytest.raises(Malformed) as refusal:
        root.derive("04", "字" * 11, "某人")
    assert refusal.value.reason is Reason.DOCUMENT_NUMBER_MALFORMED


@pytest.mark.parametrize(("id_type", "number"), [("1", "123"), ("001", "123"), ("01", "")])
def test_a_document_that_does_not_fit_the_formula_is_refused(id_type: str, number: str) -> None:
    """The formula is over a two-character type and some number, never over less."""
    with pytest.raises(Malformed):
        RootKey(ROOT_KEY).derive(id_type, number, "某人")


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_keys_are_sixteen_bytes(size: int) -> None:
    """A wrong key is refused when it is given, not when it is used."""
    for kind in (RootKey, ProtectKey):
        with pytest.raises(Malformed):
            kind(bytes(size))


@given(st.text(), st.text(), st.text())
def test_any_texts_give_a_value_or_a_refusal(id_type: str, number: str, name: str) -> None:
    """Lone surrogates and all."""
    try:
        derived = RootKey(ROOT_KEY).derive(id_type, number, name)
    except Malformed:
        return
    assert [len(quantity) for quantity in derived] == [64, 16, 64]
