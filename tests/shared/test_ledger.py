"""The ledger: every way a chain, a batch or an account can be wrong is found and named."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import STD
from shared.errors import Malformed, NotAuthentic, Refused
from shared.ids import BoxId
from shared.ledger import (
    HASH_BYTES,
    MAX_BODY_BYTES,
    Account,
    Finding,
    Head,
    Mark,
    Row,
    append,
    genesis_hash,
    genesis_head,
    hash_of,
    sign_batch,
    signed_bytes,
    verify_batch,
    verify_chain,
)
from shared.reasons import Reason
from tests.shared.strategies import refusal_of

BOX = BoxId("site1", "box1")
KEY = STD.signing_key(bytes(range(32)))
PUBLIC = STD.verify_key(KEY.public_bytes)
KEY_ID, EPOCH = 3, 2


def grow(count: int, epoch: int = EPOCH) -> tuple[list[Row], list[Mark], Head]:
    """A ledger of ``count`` rows with bodies 0, 1, 2, …"""
    rows, marks, head = [], [], genesis_head(STD, BOX, epoch)
    for number in range(count):
        id = number.to_bytes(16, "big")
        row, mark, head = append(STD, head, id, number % 4, 1000 + number, bytes([number]))
        rows.append(row)
        marks.append(mark)
    return rows, marks, head


ROWS, MARKS, HEAD = grow(8)
SIGNATURE = sign_batch(STD, KEY, BOX, KEY_ID, HEAD, ROWS)
HASHES = [mark.hash for mark in MARKS]


def reasons(marks: Sequence[Mark], *heads: Head) -> list[Reason]:
    """What verification finds, in its order."""
    return [finding.reason for finding in verify_chain(STD, BOX, marks, heads)]


# --- rows ----------------------------------------------------------------------------------------


def test_genesis_is_of_one_box_and_one_epoch() -> None:
    """H(suite ‖ box ‖ epoch), spelt out once."""
    expected = STD.digest(b"\x01\x0asite1/box1\x00\x00\x00\x02")
    assert genesis_hash(STD, BOX, EPOCH) == expected
    assert genesis_hash(STD, BOX, EPOCH + 1) != expected
    assert genesis_hash(STD, BoxId("site1", "box2"), EPOCH) != expected


def test_a_rows_hash() -> None:
    """H(prev ‖ seq ‖ id ‖ lane ‖ born ‖ H(body)), spelt out once (CONTRACTS §2)."""
    row = Row(5, b"i" * 16, 1, 6, b"p" * 32, b"body")
    plain = b"p" * 32 + b"\0" * 7 + b"\x05" + b"i" * 16 + b"\x01" + b"\0" * 7 + b"\x06"
    assert hash_of(STD, row) == STD.digest(plain + STD.digest(b"body"))


def test_rows_link() -> None:
    """Sequences from 1 without gaps, each naming the one before, the head naming the last."""
    assert [row.seq for row in ROWS] == list(range(1, 9))
    assert [row.prev for row in ROWS] == [genesis_hash(STD, BOX, EPOCH), *HASHES[:-1]]
    assert Head(EPOCH, 8, HASHES[-1]) == HEAD
    assert [hash_of(STD, row) for row in ROWS] == HASHES


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROWS[0]._replace(seq=0), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(seq=-1), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(seq=1 << 63), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(id=b"i" * 15), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(lane=-1), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(lane=256), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(born=-1), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(born=1 << 63), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(prev=b"p" * 33), Reason.MESSAGE_MALFORMED),
        (ROWS[0]._replace(body=bytes(MAX_BODY_BYTES + 1)), Reason.BODY_TOO_LARGE),
    ],
)
def test_a_row_out_of_its_widths_is_refused(row: Row, reason: Reason) -> None:
    """Nothing that a database could not keep, or whose bytes could be read two ways."""
    with pytest.raises(Malformed) as refusal:
        hash_of(STD, row)
    assert refusal.value.reason is reason


def test_the_largest_body_can_be_born_and_a_larger_one_cannot() -> None:
    """64 KiB (CONTRACTS §2)."""
    grown = partial(append, STD, HEAD, b"i" * 16, 0, 1)
    row, _, _ = grown(bytes(MAX_BODY_BYTES))
    assert len(row.body) == MAX_BODY_BYTES
    with pytest.raises(Malformed) as refusal:
        grown(bytes(MAX_BODY_BYTES + 1))
    assert refusal.value.reason is Reason.BODY_TOO_LARGE


# --- batches -------------------------------------------------------------------------------------


@given(st.permutations(ROWS), st.integers(0, 8))
def test_any_rows_in_any_order_make_a_batch(order: list[Row], count: int) -> None:
    """Signed and verified in the order they travel; the hashes come back in that order."""
    rows = order[:count]
    signature = sign_batch(STD, KEY, BOX, KEY_ID, HEAD, rows)
    hashes = verify_batch(STD, PUBLIC, BOX, KEY_ID, HEAD, rows, signature)
    assert hashes == [hash_of(STD, row) for row in rows]


def verify(
    box: BoxId = BOX,
    key_id: int = KEY_ID,
    head: Head = HEAD,
    rows: Sequence[Row] = ROWS,
    signature: bytes = SIGNATURE,
) -> list[bytes]:
    """The signed batch, with something changed."""
    return verify_batch(STD, PUBLIC, box, key_id, head, rows, signature)


FORGERIES: dict[str, Callable[[], object]] = {
    "another box": partial(verify, box=BoxId("site1", "box2")),
    "another key id": partial(verify, key_id=4),
    "another epoch": partial(verify, head=HEAD._replace(epoch=3)),
    "a further head": partial(verify, head=HEAD._replace(seq=9)),
    "another head": partial(verify, head=HEAD._replace(hash=b"h" * 32)),
    "a row less": partial(verify, rows=ROWS[:-1]),
    "a row twice": partial(verify, rows=[*ROWS, ROWS[0]]),
    "another order": partial(verify, rows=ROWS[::-1]),
    "another body": partial(verify, rows=[ROWS[0]._replace(body=b"x"), *ROWS[1:]]),
    "another id": partial(verify, rows=[ROWS[0]._replace(id=b"x" * 16), *ROWS[1:]]),
    "another lane": partial(verify, rows=[ROWS[0]._replace(lane=3), *ROWS[1:]]),
    "another birth": partial(verify, rows=[ROWS[0]._replace(born=0), *ROWS[1:]]),
    "another link": partial(verify, rows=[ROWS[0]._replace(prev=b"x" * 32), *ROWS[1:]]),
    "another sequence": partial(verify, rows=[ROWS[0]._replace(seq=99), *ROWS[1:]]),
    "half a signature": partial(verify, signature=SIGNATURE[:32]),
    "no signature": partial(verify, signature=b""),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_batch_is_refused(forgery: Callable[[], object]) -> None:
    """The signature covers suite, box, key, head and every carried row's hash."""
    with pytest.raises(NotAuthentic) as refusal:
        forgery()
    assert refusal.value.reason is Reason.SIGNATURE_WRONG


def test_any_touched_byte_of_what_is_signed_shows() -> None:
    """No byte is free: two batches with the same signed bytes are the same batch."""
    signed = signed_bytes(STD, BOX, KEY_ID, HEAD, HASHES)
    PUBLIC.verify(SIGNATURE, signed)
    for place in range(len(signed)):
        with pytest.raises(NotAuthentic):
            PUBLIC.verify(
                SIGNATURE, signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
            )


@pytest.mark.parametrize(
    "head",
    [
        HEAD._replace(epoch=-1),
        HEAD._replace(epoch=1 << 32),
        HEAD._replace(seq=-1),
        HEAD._replace(seq=1 << 63),
        HEAD._replace(hash=b"h" * 31),
    ],
)
def test_a_head_out_of_its_widths_is_refused(head: Head) -> None:
    """A hostile box's numbers are a refusal, never a crash of central."""
    with pytest.raises(Malformed):
        verify(head=head)


@pytest.mark.parametrize("key_id", [-1, 1 << 32])
def test_a_key_id_out_of_range_is_refused(key_id: int) -> None:
    """The same for the key it names."""
    with pytest.raises(Malformed):
        verify(key_id=key_id)


wild_rows = st.builds(
    Row,
    st.integers(),
    st.binary(max_size=20) | st.just(b"i" * 16),
    st.integers(),
    st.integers(),
    st.binary(max_size=40) | st.just(b"p" * 32),
    st.binary(max_size=40),
)


@given(
    st.integers(),
    st.builds(Head, st.integers(), st.integers(), st.binary(max_size=40) | st.just(b"h" * 32)),
    st.lists(wild_rows, max_size=3),
    st.binary(max_size=70),
)
def test_any_batch_of_a_stranger_is_refused(
    key_id: int, head: Head, rows: list[Row], signature: bytes
) -> None:
    """Whatever the numbers and widths."""
    assert isinstance(
        refusal_of(partial(verify, key_id=key_id, head=head, rows=rows, signature=signature)),
        Refused,
    )


# --- the chain -----------------------------------------------------------------------------------


def test_a_whole_chain_has_no_findings() -> None:
    """With its head, without, from the first row, and over two epochs."""
    _, later, later_head = grow(3, epoch=EPOCH + 1)
    assert reasons(MARKS) == []
    assert reasons(MARKS, HEAD) == []
    assert reasons([*MARKS, *later], HEAD, later_head) == []
    assert reasons([]) == []
    assert reasons([], genesis_head(STD, BOX, EPOCH)) == []


@pytest.mark.parametrize("missing", range(7))
def test_a_missing_row_is_a_gap(missing: int) -> None:
    """Named by its sequence; the rows after it still verify."""
    marks = MARKS[:missing] + MARKS[missing + 1 :]
    assert list(verify_chain(STD, BOX, marks, [HEAD])) == [
        Finding(Reason.LEDGER_GAP, EPOCH, missing + 1, missing + 1)
    ]


def test_rows_missing_before_the_head_are_a_gap() -> None:
    """What the box signed for and nobody has; also where nothing has arrived."""
    found = list(verify_chain(STD, BOX, MARKS[:5], [HEAD]))
    assert [(each.reason, each.first, each.last) for each in found] == [(Reason.LEDGER_GAP, 6, 8)]
    found = list(verify_chain(STD, BOX, [], [HEAD]))
    assert [(each.reason, each.first, each.last) for each in found] == [(Reason.LEDGER_GAP, 1, 8)]


def test_a_gap_wider_than_one_row_is_one_finding() -> None:
    """First and last missing sequence, both included."""
    found = list(verify_chain(STD, BOX, [MARKS[0], *MARKS[5:]]))
    assert found == [Finding(Reason.LEDGER_GAP, EPOCH, 2, 5)]


def test_two_rows_for_one_sequence_are_a_fork() -> None:
    """Whichever came first."""
    _, other, _ = append(STD, Head(EPOCH, 3, HASHES[2]), b"o" * 16, 0, 7, b"other")
    assert other.seq == 4
    for pair in ([MARKS[3], other], [other, MARKS[3]]):
        assert Reason.LEDGER_FORK in reasons([*MARKS[:3], *pair, *MARKS[4:]])


def test_a_head_that_differs_is_a_fork() -> None:
    """The box signed another hash for the sequence that is here."""
    assert reasons(MARKS, HEAD._replace(hash=b"h" * 32)) == [Reason.LEDGER_FORK]
    assert reasons(MARKS, Head(EPOCH, 4, b"h" * 32)) == [Reason.LEDGER_FORK, Reason.LEDGER_FORK]


def test_rows_beyond_the_head_are_a_fork() -> None:
    """More rows than the box ever signed for."""
    found = list(verify_chain(STD, BOX, MARKS, [Head(EPOCH, 5, HASHES[4])]))
    assert [(each.reason, each.first, each.last) for each in found] == [(Reason.LEDGER_FORK, 6, 8)]


def test_another_genesis_is_a_fork() -> None:
    """An empty epoch's head that is not this box's."""
    assert reasons([], Head(EPOCH, 0, b"h" * 32)) == [Reason.LEDGER_FORK]


def test_a_row_that_does_not_name_the_row_before_is_a_wrong_link() -> None:
    """A row exchanged together with its own hash breaks the next row's link."""
    before = Head(EPOCH, 3, HASHES[2])
    _, exchanged, _ = append(STD, before, b"o" * 16, 0, 7, b"other")
    found = list(verify_chain(STD, BOX, [*MARKS[:3], exchanged, *MARKS[4:]], [HEAD]))
    assert [(each.reason, each.first) for each in found] == [(Reason.LEDGER_LINK, 5)]


def test_a_first_row_of_another_box_is_a_wrong_link() -> None:
    """The chain hangs on its own genesis."""
    other = BoxId("site1", "box2")
    assert [each.reason for each in verify_chain(STD, other, MARKS)] == [Reason.LEDGER_LINK]


@pytest.mark.parametrize(
    "changed",
    [
        {"id": b"x" * 16},
        {"lane": 0},
        {"born": 5},
        {"body_hash": b"x" * 32},
        {"lane": -1},
        {"lane": 256},
        {"born": -1},
        {"id": b""},
        {"body_hash": b""},
    ],
    ids=str,
)
def test_content_that_was_changed_is_a_wrong_hash(changed: dict[str, int | bytes]) -> None:
    """One finding, at that row; also for values no row can have."""
    marks = [*MARKS[:3], Mark(**{**MARKS[3]._asdict(), **changed}), *MARKS[4:]]
    found = list(verify_chain(STD, BOX, marks, [HEAD]))
    assert [(each.reason, each.first) for each in found] == [(Reason.LEDGER_HASH, 4)]


def test_bytes_cannot_move_between_fields() -> None:
    """A mark whose fields are shifted by a byte is wrong, whatever its bytes would hash to."""
    mark = MARKS[3]
    tail = bytes([mark.lane]) + mark.born.to_bytes(8, "big") + mark.body_hash
    shifted = mark._replace(
        id=mark.id + tail[:1],
        lane=tail[1],
        born=int.from_bytes(tail[2:10], "big"),
        body_hash=tail[10:],
    )
    assert reasons([*MARKS[:3], shifted, *MARKS[4:]]) == [Reason.LEDGER_HASH]


@given(st.integers(0, 7), st.integers(0, HASH_BYTES * 8 - 1))
def test_a_flipped_bit_of_any_hash_is_found(place: int, bit: int) -> None:
    """Wherever it is."""
    flipped = int.from_bytes(HASHES[place], "big") ^ 1 << bit
    mark = MARKS[place]._replace(hash=flipped.to_bytes(HASH_BYTES, "big"))
    assert reasons([*MARKS[:place], mark, *MARKS[place + 1 :]], HEAD)


# --- the account ---------------------------------------------------------------------------------


def test_the_account() -> None:
    """created = acknowledged + pending + tombstoned, and it says so."""
    account = Account(created=12, acknowledged=9, pending=2, tombstoned=1)
    assert account.holds
    assert str(account) == "created 12 = acknowledged 9 + pending 2 + tombstoned 1 ✓"


@pytest.mark.parametrize("account", [Account(12, 9, 2, 0), Account(12, 9, 2, 2)])
def test_an_account_with_a_row_missing_or_twice_does_not_hold(account: Account) -> None:
    """Either way."""
    assert not account.holds
    assert str(account).endswith("✗")
