"""``ehc derive --vectors``: one line in, one line out, and nothing personal in what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.keys.commands import derive_chunks
from central.keys.selftest import GOLDEN
from central.keys.vectors import VectorReader

VECTOR = {
    "id_type": GOLDEN.id_type,
    "id_number": GOLDEN.id_number,
    "name": GOLDEN.name,
    "root_key": GOLDEN.root_key,
}
ANSWER = {"mindex_id": GOLDEN.mindex_id, "factor": GOLDEN.factor, "ehc_id": GOLDEN.ehc_id}


def encode(vector: object) -> bytes:
    return json.dumps(vector, ensure_ascii=False).encode()


def answers(*lines: bytes) -> list[object]:
    text, _ = VectorReader().answer(lines)
    return [json.loads(line) for line in text.splitlines()]


def test_the_golden_vector() -> None:
    """The specification's sample person, also with escapes, more members and a lower-case key."""
    escaped = json.dumps({**VECTOR, "root_key": GOLDEN.root_key.lower(), "note": 1}).encode()
    assert answers(encode(VECTOR), escaped) == [ANSWER, ANSWER]


def test_root_keys_change_from_line_to_line() -> None:
    """Each line is derived with its own root key; mindex_id and factor stay."""
    other = {**VECTOR, "root_key": "00" * 16}
    first, second, third = answers(encode(VECTOR), encode(other), encode(VECTOR))
    assert first == third == ANSWER
    assert isinstance(second, dict)
    assert second["mindex_id"] == GOLDEN.mindex_id
    assert second["ehc_id"] != GOLDEN.ehc_id


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"not json", "request-malformed"),
        (b"[1]", "request-malformed"),
        (b'{"id_type":"01"}', "request-malformed"),
        (encode({**VECTOR, "root_key": "12"}), "request-malformed"),
        (encode({**VECTOR, "root_key": "x" * 32}), "request-malformed"),
        (encode({**VECTOR, "id_number": 5}), "request-malformed"),
        (encode({**VECTOR, "id_number": ""}), "document-number-malformed"),
        (encode({**VECTOR, "id_number": "9" * 31}), "document-number-malformed"),
        (encode({**VECTOR, "id_type": "1"}), "document-number-malformed"),
        (b"\xff\xfe", "request-malformed"),
        (b'{"x":' + b"[" * 100_000, "request-malformed"),
    ],
)
def test_a_bad_line_has_a_reason_and_the_others_are_done(line: bytes, error: str) -> None:
    """The answer names line and reason in both languages, and repeats nothing of the line."""
    text, good = VectorReader().answer([encode(VECTOR), line, b"", encode(VECTOR)])
    first, refusal, last = (json.loads(each) for each in text.splitlines())
    assert not good
    assert first == last == ANSWER
    assert (refusal["line"], refusal["error"]) == (2, error)
    assert " / " in refusal["message"]
    assert GOLDEN.id_number not in text.decode().splitlines()[1]
    assert GOLDEN.name not in text.decode().splitlines()[1]


def test_chunks_split_lines_anywhere() -> None:
    """Whatever the pipe delivers at once, lines are whole; the last may lack its end."""
    data = b"\n".join([encode(VECTOR)] * 3)
    for size in (1, 7, len(data)):
        chunks = [data[start : start + size] for start in range(0, len(data), size)]
        results = list(derive_chunks(chunks))
        assert (
            b"".join(text for text, _ in results)
            == (json.dumps(ANSWER).encode().replace(b" ", b"") + b"\n") * 3
        )
        assert all(good for _, good in results)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    """Any bytes give answers or refusals, a line for each line that is not blank."""
    lines = data.split(b"\n")
    text, _ = VectorReader().answer(lines)
    assert len(text.splitlines()) == sum(bool(line.strip()) for line in lines)
