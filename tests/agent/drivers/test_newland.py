"""Newland's command syntax, byte for byte as its manuals print it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.newland import Answered, Entry, Status, Storage, build_command, parse_answer
from shared.errors import Malformed

# NLS-HR42 user manual, p. 16, examples 1 and 2.
SET_CODE_11 = bytes.fromhex(
    "7E 01 30 30 30 30 40 43 31 31 45 4E 41 31 2C 4D 49 4E 31 32 2C 4D 41 58 32 32 3B 03"
)
SET_CODE_11_ANSWER = bytes.fromhex(
    "02 01 30 30 30 30 40 43 31 31 45 4E 41 31 06 2C 4D 49 4E 31 32 06 2C 4D 41 58 32 32 06 3B 03"
)
ASK_CODE_11 = bytes.fromhex("7E 01 30 30 30 30 40 43 31 31 4D 49 4E 2A 2C 4D 41 58 2A 3B 03")
ASK_CODE_11_ANSWER = bytes.fromhex(
    "02 01 30 30 30 30 40 43 31 31 4D 49 4E 31 32 06 2C 4D 41 58 32 32 06 3B 03"
)


def test_the_manuals_commands() -> None:
    """Both examples of the manual are built to the byte."""
    entries = [Entry("C11", "ENA", "1"), Entry("C11", "MIN", "12"), Entry("C11", "MAX", "22")]
    assert build_command(entries) == SET_CODE_11
    assert build_command([Entry("C11", "MIN", "*"), Entry("C11", "MAX", "*")]) == ASK_CODE_11


def test_the_manuals_answers() -> None:
    """Both answers of the manual are read: tag, sub-tag, value and status of each."""
    assert parse_answer(SET_CODE_11_ANSWER) == (
        Answered(Entry("C11", "ENA", "1"), Status.DONE),
        Answered(Entry("C11", "MIN", "12"), Status.DONE),
        Answered(Entry("C11", "MAX", "22"), Status.DONE),
    )
    assert parse_answer(ASK_CODE_11_ANSWER) == (
        Answered(Entry("C11", "MIN", "12"), Status.DONE),
        Answered(Entry("C11", "MAX", "22"), Status.DONE),
    )


def test_another_tag_is_parted_by_a_semicolon() -> None:
    """Two groups in one command, and a setting that is forgotten when the power goes."""
    entries = [Entry("GRB", "ENA", "1"), Entry("KBW", "CTY", "0")]
    command = build_command(entries, Storage.UNTIL_POWER_OFF)
    assert command == b"~\x010000#GRBENA1;KBWCTY0;\x03"
    answer = b"\x02\x010000#GRBENA1\x15;KBWCTY0\x05;\x03"
    assert [each.status for each in parse_answer(answer)] == [
        Status.OUT_OF_RANGE,
        Status.UNKNOWN_COMMAND,
    ]


@pytest.mark.parametrize(
    "entry",
    [
        Entry("GR", "BENA", "1"),
        Entry("GRB", "ena", "1"),
        Entry("GRB", "ENA", "1;FACDEF"),
        Entry("GRB", "ENA", "1,DUR9"),
        Entry("GRB", "ENA", "\x03"),
    ],
)
def test_no_second_command_hides_in_a_value(entry: Entry) -> None:
    """A name that is none, and a value with a separator in it, are never sent."""
    with pytest.raises(Malformed):
        build_command([entry])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x02\x010000@;\x03",
        b"\x02\x010000@C11ENA1;\x03",
        b"\x02\x010000@C11ENA1\x06\x03",
        b"\x02\x010000@C11\x06;\x03",
        b"\x02\x010001@C11ENA1\x06;\x03",
        b"~\x010000@C11ENA1\x06;\x03",
        b"\x02\x010000@C11ENA1\x07;\x03",
        SET_CODE_11,
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    """No status, no name, another prefix, our own command sent back."""
    with pytest.raises(Malformed):
        parse_answer(answer)


@given(st.binary(max_size=40))
def test_garbage_is_refused_and_nothing_else(data: bytes) -> None:
    """Any bytes give an answer or Malformed, never another error."""
    try:
        parse_answer(b"\x02\x010000@" + data + b";\x03")
    except Malformed:
        return
