"""~HS and ~HQES read: every flag, unknown bits, garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.host_status import parse_errors, parse_host_status
from shared.devices import PrinterCondition
from shared.errors import Malformed

FIRST = "030,0,0,0240,000,0,0,0,000,0,0,0"
SECOND = "000,0,0,0,0,2,4,0,00000000,1,000"
THIRD = "1234,0"


def answer(first: str = FIRST, second: str = SECOND, third: str = THIRD) -> bytes:
    return "".join(f"\x02{part}\x03\r\n" for part in (first, second, third)).encode()


def with_field(text: str, position: int, value: str) -> str:
    fields = text.split(",")
    fields[position] = value
    return ",".join(fields)


def test_ready() -> None:
    """A printer with nothing to say has no conditions; its counts are read."""
    status = parse_host_status(
        answer(with_field(FIRST, 4, "002"), with_field(with_field(SECOND, 8, "00000003"), 7, "1"))
    )
    assert status.conditions == frozenset()
    assert (status.label_length_dots, status.formats_waiting) == (240, 2)
    assert (status.labels_remaining, status.label_waiting) == (3, True)


@pytest.mark.parametrize(
    ("position", "condition"),
    [
        (1, PrinterCondition.NO_PAPER),
        (2, PrinterCondition.PAUSED),
        (5, PrinterCondition.BUFFER_FULL),
        (6, PrinterCondition.OTHER_FAULT),
        (7, PrinterCondition.PARTIAL_FORMAT),
        (9, PrinterCondition.OTHER_FAULT),
        (10, PrinterCondition.TOO_COLD),
        (11, PrinterCondition.TOO_HOT),
    ],
)
def test_flags_of_the_first_string(position: int, condition: PrinterCondition) -> None:
    """Each flag of string 1 alone is its condition alone; another value is a fault."""
    assert parse_host_status(answer(with_field(FIRST, position, "1"))).conditions == {condition}
    odd = parse_host_status(answer(with_field(FIRST, position, "7"))).conditions
    assert odd == {PrinterCondition.OTHER_FAULT}


def test_flags_of_the_second_string() -> None:
    """Head up is HEAD_OPEN; ribbon out counts where thermal transfer is selected."""
    head_up = with_field(SECOND, 2, "1")
    ribbon_out = with_field(SECOND, 3, "1")
    transfer = with_field(ribbon_out, 4, "1")
    assert parse_host_status(answer(second=head_up)).conditions == {PrinterCondition.HEAD_OPEN}
    assert parse_host_status(answer(second=ribbon_out)).conditions == frozenset()
    assert parse_host_status(answer(second=transfer)).conditions == {PrinterCondition.NO_RIBBON}


def test_conditions_come_together() -> None:
    """Several flags are several conditions."""
    first = with_field(with_field(FIRST, 1, "1"), 2, "1")
    conditions = parse_host_status(answer(first, with_field(SECOND, 2, "1"))).conditions
    assert conditions == {
        PrinterCondition.NO_PAPER,
        PrinterCondition.PAUSED,
        PrinterCondition.HEAD_OPEN,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        answer()[:-1],
        answer(FIRST + ",0"),
        answer(third="1234"),
        answer(with_field(FIRST, 3, "long")),
        answer(second=with_field(SECOND, 8, "")),
    ],
)
def test_what_is_no_status_is_refused(wrong: bytes) -> None:
    """Cut, with other fields or without numbers: a typed refusal, never READY."""
    with pytest.raises(Malformed):
        parse_host_status(wrong)


def errors(flag: int, group2: str, group1: str, warning: str = "0 00000000 00000000") -> bytes:
    text = f"\x02\r\nPRINTER STATUS\r\n ERRORS:         {flag} {group2} {group1}\r\n"
    return f"{text} WARNINGS:       {warning}\r\n\x03".encode()


@pytest.mark.parametrize(
    ("bits", "conditions"),
    [
        ("00000000", set()),
        ("00000001", {PrinterCondition.NO_PAPER}),
        ("00000002", {PrinterCondition.NO_RIBBON}),
        ("00000005", {PrinterCondition.NO_PAPER, PrinterCondition.HEAD_OPEN}),
        ("00000008", {PrinterCondition.CUTTER_FAULT}),
        ("00000010", {PrinterCondition.TOO_HOT}),
        ("00000020", {PrinterCondition.TOO_HOT}),
        ("00000040", {PrinterCondition.HEAD_FAULT}),
        ("00000080", {PrinterCondition.HEAD_FAULT}),
        ("00000200", {PrinterCondition.HEAD_FAULT}),
        ("00000100", {PrinterCondition.OTHER_FAULT}),
        ("80000004", {PrinterCondition.OTHER_FAULT, PrinterCondition.HEAD_OPEN}),
    ],
)
def test_error_bits(bits: str, conditions: set[PrinterCondition]) -> None:
    """Each bit of ~HQES is its condition; a bit the guide does not name is a fault."""
    assert parse_errors(errors(int(bits != "00000000"), "00000000", bits)).conditions == conditions


def test_errors_without_known_bits_are_faults() -> None:
    """The flag alone, or bits of the second group alone, are faults too."""
    for answered in (errors(1, "00000000", "00000000"), errors(1, "00000001", "00000000")):
        assert parse_errors(answered).conditions == {PrinterCondition.OTHER_FAULT}


def test_warnings_do_not_stop() -> None:
    """A warning is told, and is no condition that stops work."""
    found = parse_errors(errors(0, "00000000", "00000000", "1 00000000 00000002"))
    assert found.warned
    assert found.conditions == frozenset()


@given(st.binary(max_size=200))
def test_no_bytes_make_anything_but_a_status_or_a_refusal(data: bytes) -> None:
    """Whatever a printer says, the parsers give a value or Malformed."""
    for parse in (parse_host_status, parse_errors):
        try:
            parse(data)
        except Malformed:
            continue
