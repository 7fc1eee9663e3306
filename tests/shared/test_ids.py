"""Ids: UUIDv7 bit for bit, and box names that fit topics and certificates."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.ids import (
    RESERVED_SITES,
    BoxId,
    label_number,
    new_record_id,
    parse_box_id,
    parse_record_id,
    record_id,
)
from shared.reasons import Reason
from tests.shared.strategies import refusal_of

BORN_AT = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


@given(st.integers(0, (1 << 48) - 1))
def test_the_bits_of_a_record_id(milliseconds: int) -> None:
    """RFC 9562 §5.7: 48 bits of time, version 7, variant 10, in the right places."""
    at = datetime.fromtimestamp(milliseconds % 253_402_300_799_000 / 1000, UTC)
    value = new_record_id(at).int
    assert value >> 80 == int(at.timestamp() * 1000)
    assert value >> 76 & 0xF == 7
    assert value >> 62 & 0b11 == 0b10


def test_the_standards_example_time() -> None:
    """RFC 9562 A.6: 2022-02-22 19:22:22 UTC is 017F22E279B0."""
    assert new_record_id(BORN_AT).hex.upper().startswith("017F22E279B07")


def test_ids_of_one_moment_differ() -> None:
    """74 bits of chance."""
    assert len({new_record_id(BORN_AT) for _ in range(1000)}) == 1000


def test_a_record_id_reads_back() -> None:
    """In its usual text form, also in capitals."""
    id = new_record_id(BORN_AT)
    assert parse_record_id(str(id)) == id
    assert parse_record_id(str(id).upper()) == id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "f82c4229-974d-4355-b0c1-286605d5f5f4",  # version 4
        "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",  # version 7, another variant
        "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    ],
)
def test_what_is_no_record_id(text: str) -> None:
    """Other versions, other variants and other ways to write one."""
    with pytest.raises(Malformed) as refusal:
        parse_record_id(text)
    assert refusal.value.reason is Reason.ID_MALFORMED


def test_a_uuid_of_another_version_is_no_record_id() -> None:
    """Not even as a value."""
    with pytest.raises(Malformed):
        record_id(UUID(int=0))


labels = st.from_regex(re.compile(r"[a-z0-9](?:[a-z0-9-]{0,29}[a-z0-9])?"), fullmatch=True)


@given(labels.filter(lambda site: site not in RESERVED_SITES), labels)
def test_a_box_id_reads_back_and_fits_a_common_name(site: str, box: str) -> None:
    """``<site>/<box>`` is the certificate's common name: at most 64 characters (RFC 5280)."""
    id = BoxId(site, box)
    assert parse_box_id(str(id)) == id
    assert len(str(id)) <= 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "site",
        "site/",
        "/box",
        "site/box/more",
        "Site/box",
        "site/box\n",
        "site/-box",
        "site/box-",
        "site/b+x",
        "site/b#x",
        "site/b x",
        "医院/box",
        "s" * 32 + "/box",
        "site/" + "b" * 32,
    ],
)
def test_what_is_no_box_id(text: str) -> None:
    """Nothing that a topic, a certificate or a file name would read differently."""
    with pytest.raises(Malformed) as refusal:
        parse_box_id(text)
    assert refusal.value.reason is Reason.ID_MALFORMED


def test_a_labels_number_is_four_digits_of_its_random_end() -> None:
    """What a clerk reads on the label and in the question: always four digits, and labels of one
    moment seldom share them."""
    assert label_number(record_id(UUID("019abcde-0000-7000-8000-000000000007"))) == "4727"
    numbers = {label_number(new_record_id(BORN_AT)) for _ in range(50)}
    assert all(re.fullmatch("[0-9]{4}", number) for number in numbers)
    assert len(numbers) > 40


@pytest.mark.parametrize("site", ["central", "lists"])
def test_reserved_sites(site: str) -> None:
    """They would collide with central's own topics (CONTRACTS §3)."""
    with pytest.raises(Malformed) as refusal:
        parse_box_id(f"{site}/box1")
    assert refusal.value.reason is Reason.ID_RESERVED


@given(st.text(max_size=80))
def test_any_text_gives_an_id_or_a_refusal(text: str) -> None:
    """And a box id that was read is written the same."""
    refusal_of(lambda: parse_record_id(text))
    if refusal_of(lambda: parse_box_id(text)) is None:
        assert str(parse_box_id(text)) == text
