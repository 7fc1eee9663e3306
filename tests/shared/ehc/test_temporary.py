"""Temporary codes: outside the national grammar, signed by the box."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import STD
from shared.ehc import (
    ForeignText,
    TemporaryCode,
    build_code,
    code_class,
    parse_code,
    sign_temporary,
    temporary_kid,
    temporary_serial,
    verify_temporary,
)
from shared.errors import Malformed, NotAuthentic
from shared.ids import new_record_id
from shared.messages import CodeClass
from shared.reasons import Reason
from tests.shared.strategies import temporary_codes

KEY = STD.signing_key(bytes(range(32)))
PUBLIC = STD.verify_key(KEY.public_bytes)
SIGNED = sign_temporary(KEY, box_number=12, kid=1, serial=1234)
TEXT = build_code(SIGNED)


def test_form() -> None:
    """122 characters behind two letters that no national reader takes for hex."""
    assert len(TEXT) == 122
    assert TEXT.startswith("TM")
    assert parse_code(TEXT) == SIGNED
    assert code_class(SIGNED) is CodeClass.TEMPORARY


def test_the_boxs_key_verifies_it() -> None:
    """And another box's does not."""
    verify_temporary(PUBLIC, SIGNED)
    with pytest.raises(NotAuthentic) as refusal:
        verify_temporary(STD.verify_key(STD.new_signing_key().public_bytes), SIGNED)
    assert refusal.value.reason is Reason.CODE_FORGED


@pytest.mark.parametrize(
    "changed",
    [replace(SIGNED, box_number=13), replace(SIGNED, kid=2), replace(SIGNED, serial=1235)],
)
def test_each_field_is_signed(changed: TemporaryCode) -> None:
    """A number cannot be moved to another box."""
    with pytest.raises(NotAuthentic):
        verify_temporary(PUBLIC, changed)


@given(temporary_codes)
def test_an_invented_code_is_refused(code: TemporaryCode) -> None:
    """Whatever the fields."""
    with pytest.raises(NotAuthentic):
        verify_temporary(PUBLIC, code)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT[:-1], Reason.CODE_TEMPORARY_MALFORMED),
        (TEXT[:40], Reason.CODE_TEMPORARY_MALFORMED),
        (TEXT + "A", Reason.CODE_TEMPORARY_MALFORMED),
        (TEXT[:-1] + "1", Reason.CODE_TEMPORARY_MALFORMED),
        (TEXT.lower(), Reason.CODE_LOWER_CASE),
        ("tm" + TEXT[2:], Reason.CODE_LOWER_CASE),
    ],
)
def test_half_a_code_is_refused(text: str, reason: Reason) -> None:
    """Cut, doubled, mistyped or in lower case."""
    with pytest.raises(Malformed) as refusal:
        parse_code(text)
    assert refusal.value.reason is reason


def test_a_short_text_with_the_same_letters_is_somebody_elses() -> None:
    """Article numbers begin with TM, too."""
    assert parse_code("TM" + "A" * 37) == ForeignText("TM" + "A" * 37)


@pytest.mark.parametrize(
    "code",
    [
        TemporaryCode(1 << 32, 1, 1, b"s" * 64),
        TemporaryCode(-1, 1, 1, b"s" * 64),
        TemporaryCode(1, 256, 1, b"s" * 64),
        TemporaryCode(1, 1, 1 << 48, b"s" * 64),
        TemporaryCode(1, 1, 1, b"s" * 63),
    ],
)
def test_fields_keep_their_width(code: TemporaryCode) -> None:
    """A number that does not fit is refused, never cut."""
    with pytest.raises(Malformed) as refusal:
        build_code(code)
    assert refusal.value.reason is Reason.CODE_TEMPORARY_MALFORMED


@given(st.uuids(version=4), st.integers(min_value=0, max_value=(1 << 32) - 1))
def test_kid_and_serial_fit_whatever_the_box_has(record: UUID, key_id: int) -> None:
    """Any record's id and any signing key's number make a code, and the same one each time."""
    kid, serial = temporary_kid(key_id), temporary_serial(record)
    first, again = (sign_temporary(KEY, 7, kid, serial) for _ in range(2))
    assert build_code(first) == build_code(again)
    assert parse_code(build_code(first)) == first


def test_records_of_one_moment_have_serials_of_their_own() -> None:
    """The serial is of the id's random end: a thousand codes of one second are a thousand."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    serials = {temporary_serial(new_record_id(at)) for _ in range(1000)}
    assert len(serials) == 1000
