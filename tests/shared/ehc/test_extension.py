"""The signed extension: verified with a public key alone, bound to its one code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import STD
from shared.ehc import (
    DynamicCode,
    Extension,
    ForeignExtension,
    build_code,
    extension_signed_bytes,
    extension_times,
    parse_code,
    sign_extension,
    verify_extension,
)
from shared.errors import Malformed, NotAuthentic
from shared.reasons import Reason
from tests.shared.ehc.test_derivation import EHC_ID, VALIDITY
from tests.shared.strategies import dynamic_codes, extensions, refusal_of

KEY = STD.signing_key(bytes(range(32)))
PUBLIC = STD.verify_key(KEY.public_bytes)
ISSUED_AT = datetime(2026, 3, 2, 8, 30, 15, 999_999, tzinfo=UTC)
SIGNED = sign_extension(
    KEY,
    DynamicCode(EHC_ID, VALIDITY),
    kid=7,
    nonce=b"\x01\x02\x03\x04",
    issued_at=ISSUED_AT,
    ttl_seconds=60,
)
EXTENSION = verify_extension(PUBLIC, SIGNED)


def test_a_signed_code_verifies_after_its_way_through_a_qr() -> None:
    """Built, scanned, read and verified with the public key."""
    code = parse_code(build_code(SIGNED))
    assert isinstance(code, DynamicCode)
    assert verify_extension(PUBLIC, code) == SIGNED.extension


def test_times() -> None:
    """Issue is cut to the second; expiry follows after ttl seconds."""
    extension = verify_extension(PUBLIC, SIGNED)
    issued_at, expires_at = extension_times(extension)
    assert issued_at == ISSUED_AT.replace(microsecond=0)
    assert expires_at - issued_at == timedelta(seconds=60)
    assert issued_at.tzinfo is UTC


def test_times_do_not_depend_on_the_zone_of_the_caller() -> None:
    """The same moment in another zone is the same extension."""
    there = ISSUED_AT.astimezone(timezone(timedelta(hours=8)))
    again = sign_extension(
        KEY, SIGNED, kid=7, nonce=b"\x01\x02\x03\x04", issued_at=there, ttl_seconds=60
    )
    assert again == SIGNED


@pytest.mark.parametrize(
    "spliced",
    [
        replace(SIGNED, ehc_id="0" * 64),
        replace(SIGNED, validity="0" * 32),
        replace(SIGNED, payment="PAY1"),
        replace(SIGNED, extension=ForeignExtension("13800000000")),
        replace(SIGNED, extension=None),
    ],
)
def test_a_tail_on_another_code_is_refused(spliced: DynamicCode) -> None:
    """Weakness 1 of the national text (ehc-standard §3) is closed."""
    with pytest.raises(NotAuthentic) as refusal:
        verify_extension(PUBLIC, spliced)
    assert refusal.value.reason is Reason.CODE_FORGED


@given(extensions)
def test_an_invented_extension_is_refused(extension: Extension) -> None:
    """Every field is under the signature."""
    with pytest.raises(NotAuthentic):
        verify_extension(PUBLIC, replace(SIGNED, extension=extension))


@pytest.mark.parametrize(
    "changed",
    [
        replace(EXTENSION, kid=8),
        replace(EXTENSION, nonce=b"\0\0\0\0"),
        replace(EXTENSION, issued_at=1),
        replace(EXTENSION, ttl_seconds=255),
    ],
)
def test_each_field_is_signed(changed: Extension) -> None:
    """A longer life, for one, cannot be written into a code."""
    with pytest.raises(NotAuthentic):
        verify_extension(PUBLIC, replace(SIGNED, extension=changed))


def test_another_domains_key_does_not_verify() -> None:
    """The key decides, not the form."""
    with pytest.raises(NotAuthentic):
        verify_extension(STD.verify_key(STD.new_signing_key().public_bytes), SIGNED)


@given(dynamic_codes, dynamic_codes, extensions)
def test_no_two_codes_have_the_same_signed_bytes(
    one: DynamicCode, other: DynamicCode, extension: Extension
) -> None:
    """Lengths keep the fields apart."""
    same = (one.ehc_id, one.validity, one.payment) == (other.ehc_id, other.validity, other.payment)
    bytes_of = extension_signed_bytes
    assert (bytes_of(one, extension) == bytes_of(other, extension)) is same


def test_spare_bits_must_be_zero() -> None:
    """The last of the 119 characters carries three bits more than the data: one text a value."""
    text = build_code(SIGNED)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    refusals = [refusal_of(partial(parse_code, text[:-1] + last)) for last in alphabet]
    reasons = [refusal.reason for refusal in refusals if refusal is not None]
    assert reasons == [Reason.CODE_EXTENSION_MALFORMED] * 28


@given(st.integers(208, 255))
def test_a_kid_whose_first_character_is_a_digit_is_not_ours(kid: int) -> None:
    """kid ≤ 207 (CONTRACTS §5)."""
    with pytest.raises(Malformed):
        sign_extension(KEY, SIGNED, kid=kid, nonce=b"abcd", issued_at=ISSUED_AT, ttl_seconds=60)
