"""Messages as bytes: pinned by golden files, strict in, stable out, whatever comes."""

from functools import partial
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codec import Codec, anchors, asks, batches, receipts, records, replies, statuses
from shared.crypto import STD
from shared.errors import Malformed, OneCodeError, Refused
from shared.ids import parse_box_id
from shared.ledger import verify_batch
from shared.lists import ListHead, Page, list_heads, list_pages
from shared.messages import Anchor, Ask, Batch, Receipt, Record, Reply, Status
from shared.notices import Command, Noticed, acknowledgements, commands
from shared.reasons import Reason
from tests.golden.samples import KEY, MESSAGES, SAMPLES, read_golden
from tests.shared.strategies import refusal_of

CODECS: dict[str, tuple[Codec[Any], Any]] = {
    "records": (records, Record),
    "batches": (batches, Batch),
    "receipts": (receipts, Receipt),
    "anchors": (anchors, Anchor),
    "asks": (asks, Ask),
    "replies": (replies, Reply),
    "statuses": (statuses, Status),
    "commands": (commands, Command),
    "list heads": (list_heads, ListHead),
    "list pages": (list_pages, Page),
    "acknowledgements": (acknowledgements, Noticed),
}
TAGGED = [name for name in SAMPLES if name.split("-")[0] in {"record", "ask", "reply"}]


def as_map(name: str) -> dict[str, Any]:
    """A golden message as the plain map it is on the wire."""
    read: dict[str, Any] = msgspec.msgpack.decode(read_golden(name))
    return read


def refusal_of_map(name: str, content: object) -> OneCodeError | None:
    """What the codec of a golden message says to another content."""
    codec, _ = SAMPLES[name]
    return refusal_of(lambda: codec.decode(msgspec.msgpack.encode(content)))


def test_every_kind_has_a_golden_file() -> None:
    """And every golden file is of a kind that exists."""
    kinds = {member for _, family in CODECS.values() for member in get_args(family) or (family,)}
    assert {type(message) for _, message in SAMPLES.values()} == kinds
    assert {path.stem for path in MESSAGES.glob("*.hex")} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_message_is_its_golden_bytes(name: str) -> None:
    """Encoding gives the file byte for byte, decoding the message, and again."""
    codec, message = SAMPLES[name]
    golden = read_golden(name)
    assert codec.encode(message) == golden
    assert codec.decode(golden) == message
    assert codec.encode(codec.decode(golden)) == golden


@pytest.mark.parametrize("name", SAMPLES)
def test_an_unknown_field_is_refused(name: str) -> None:
    """Strict in: nothing is dropped silently."""
    refusal = refusal_of_map(name, {**as_map(name), "colour": 1})
    assert isinstance(refusal, Malformed)
    assert refusal.reason is Reason.MESSAGE_MALFORMED


@pytest.mark.parametrize("name", SAMPLES)
def test_a_missing_or_mistyped_field_is_refused(name: str) -> None:
    """Each field in turn, unless it has a default."""
    _, message = SAMPLES[name]
    content = as_map(name)
    required = {f.encode_name for f in msgspec.structs.fields(message) if f.required}
    assert required
    for field in content:
        without = {key: value for key, value in content.items() if key != field}
        refusal = refusal_of_map(name, without)
        assert (refusal is not None) is (field in required or field == "kind")
        assert refusal_of_map(name, {**content, field: 1.5}) is not None


@pytest.mark.parametrize("name", SAMPLES)
def test_a_version_of_the_future_is_told_apart(name: str) -> None:
    """So that central parks it; with fields nobody knows yet, too."""
    for future in ({"version": 2}, {"version": 9, "colour": 1}):
        refusal = refusal_of_map(name, {**as_map(name), **future})
        assert refusal is not None
        assert refusal.reason is Reason.SCHEMA_UNKNOWN
        assert not isinstance(refusal, Malformed)


@pytest.mark.parametrize("name", TAGGED)
def test_a_kind_of_the_future_is_told_apart(name: str) -> None:
    """A record this side has no struct for."""
    refusal = refusal_of_map(name, {**as_map(name), "kind": "hologram"})
    assert refusal is not None
    assert refusal.reason is Reason.SCHEMA_UNKNOWN


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("version", [0, -1, True, "1", None])
def test_a_version_that_never_was_is_malformed(name: str, version: object) -> None:
    """It is rubbish, not the future."""
    refusal = refusal_of_map(name, {**as_map(name), "version": version})
    assert refusal is not None
    assert refusal.reason is Reason.MESSAGE_MALFORMED


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("ask-scan", "id", b"i" * 15),
        ("ask-scan", "id", b"i" * 17),
        ("ask-scan", "born", -1),
        ("ask-scan", "expires_at", 1 << 63),
        ("reply-scan", "central_at", 253_402_300_800_000_000),
        ("record-print", "label", b""),
        ("record-scan-again", "first", b"i" * 20),
        ("receipt", "rows", [[1, b"h" * 31]]),
        ("status", "since", -1),
    ],
)
def test_widths_and_ranges_are_part_of_the_type(name: str, field: str, value: object) -> None:
    """Whatever decodes has ids of 16 bytes, hashes of 32, and times that are a ``datetime``."""
    refusal = refusal_of_map(name, {**as_map(name), field: value})
    assert isinstance(refusal, Malformed)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_cut_of_a_message_is_refused(name: str) -> None:
    """From nothing to all but the last byte, and with a byte too many."""
    codec, _ = SAMPLES[name]
    golden = read_golden(name)
    for length in range(len(golden)):
        assert refusal_of(partial(codec.decode, golden[:length])) is not None
    assert refusal_of(partial(codec.decode, golden + b"\0")) is not None


@pytest.mark.parametrize("name", SAMPLES)
def test_every_flipped_bit_gives_a_message_or_a_refusal(name: str) -> None:
    """Never anything else, and never the same message from other bytes."""
    codec, message = SAMPLES[name]
    for damaged in flips(read_golden(name)):
        if refusal_of(partial(codec.decode, damaged)) is None:
            assert codec.decode(damaged) != message


def test_every_flipped_bit_of_a_batch_shows() -> None:
    """Not read, not verified, or outside of what is signed: the wrapped keys, which have their
    own binding."""
    _, batch = SAMPLES["batch"]
    for damaged in flips(read_golden("batch")):
        if refusal_of(partial(_open_batch, damaged)) is None:
            opened = batches.decode(damaged)
            assert opened.encapsulations != batch.encapsulations
            assert (opened.head, opened.rows) == (batch.head, batch.rows)


def _open_batch(data: bytes) -> None:
    batch = batches.decode(data)
    if batch.suite != STD.id:
        raise Refused(Reason.SUITE_UNKNOWN)
    key = STD.verify_key(KEY.public_bytes)
    box = parse_box_id(batch.box)
    verify_batch(STD, key, box, batch.key_id, batch.head, batch.rows, batch.signature)


def flips(data: bytes) -> list[bytes]:
    """The data with each of its bits turned over once."""
    number, size = int.from_bytes(data, "big"), len(data)
    return [(number ^ 1 << bit).to_bytes(size, "big") for bit in range(size * 8)]


@pytest.mark.parametrize("codec", [codec for codec, _ in CODECS.values()], ids=CODECS)
@given(data=st.binary(max_size=300))
def test_any_bytes_give_a_message_or_a_refusal(codec: Codec[Any], data: bytes) -> None:
    """Whatever comes from the wire."""
    refusal_of(lambda: codec.decode(data))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_any_value_in_any_field_gives_a_message_or_a_refusal(
    name: str, data: st.DataObject
) -> None:
    """A message well-formed but for one field."""
    content = as_map(name)
    field = data.draw(st.sampled_from(sorted(content)))
    refusal_of_map(name, {**content, field: data.draw(json_like)})


@pytest.mark.parametrize("codec", [codec for codec, _ in CODECS.values()], ids=CODECS)
@pytest.mark.parametrize(
    "data",
    [
        b"\x91" * 100_000,  # nested beyond any stack
        b"\xdd\xff\xff\xff\xff",  # four thousand million elements, none of them sent
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x81\xa4kind\xa1\xff",  # text that is no UTF-8
    ],
    ids=["nested", "array", "map", "binary", "text"],
)
def test_hostile_shapes_are_refused(codec: Codec[Any], data: bytes) -> None:
    """Without memory or stack running out."""
    assert refusal_of(partial(codec.decode, data)) is not None
