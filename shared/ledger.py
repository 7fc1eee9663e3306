"""The ledger: rows in a hash chain per box and epoch, signed batches, the account. Pure.

A record becomes a row inside the transaction that commits it: it gets the next sequence and is
linked to the row before. Anyone holding rows and a signed head can prove that
created = acknowledged + pending + tombstoned (CONTRACTS §2). Hashes and signatures cover
transmitted bytes, never a re-encoding. Nothing here does I/O or knows what a body says.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from shared.crypto import SigningKey, Suite, VerifyKey
from shared.errors import Malformed
from shared.ids import BoxId
from shared.reasons import Reason

HASH_BYTES = 32
MAX_BODY_BYTES = 64 * 1024
"""A larger body cannot be born, and is not authentic (CONTRACTS §2)."""
FIRST_SEQ = 1
EPOCHS_A_MACHINE = 1000
"""Central gives a joining machine every thousandth epoch; those between are the machine's own, one
after each quarantine of its queue, so that no two machines of a name meet in one."""
_INT64 = 1 << 63  # what a database keeps
_HASHED = Struct(f">{HASH_BYTES}sQ16sBQ{HASH_BYTES}s")
"""prev ‖ seq ‖ id ‖ lane ‖ born ‖ H(body); every part has a fixed width."""


class Lane(IntEnum):
    """How dear a row is: the first two lanes are never given up to make room."""

    IDENTITY = 0
    PRINT = 1
    USE = 2
    TELEMETRY = 3


class RowState(IntEnum):
    """Where a row stands at the box; "sent" is kept in memory only (CONTRACTS §2)."""

    PENDING = 0
    SETTLED = 1
    TOMBSTONED = 2


class Row(NamedTuple):
    """One record in the ledger, as it is stored and sent.

    ``born`` is microseconds since 1970 UTC, ``prev`` the hash of row ``seq`` - 1 (or genesis).
    """

    seq: int
    id: bytes
    lane: int
    born: int
    prev: bytes
    body: bytes


class Head(NamedTuple):
    """How far a box's ledger has got; ``seq`` 0 with the genesis hash before the first row."""

    epoch: int
    seq: int
    hash: bytes


class Mark(NamedTuple):
    """What is left of a row once its body may be gone: enough to verify the chain."""

    epoch: int
    seq: int
    id: bytes
    lane: int
    born: int
    prev: bytes
    body_hash: bytes
    hash: bytes


Link = tuple[int, int, bytes, int, int, bytes, bytes, bytes, bytes]
"""A row with its hashes, as it is stored: epoch, seq, id, lane, born, prev, body, H(body), hash."""


def row_of(link: Link) -> Row:
    """The row without its hashes, as it is sent."""
    return Row(*link[1:7])


def genesis_hash(suite: Suite, box: BoxId, epoch: int) -> bytes:
    """``prev`` of an epoch's first row: H(suite ‖ length of box ‖ box ‖ epoch)."""
    name = str(box).encode()
    return suite.digest(bytes([suite.id, len(name)]) + name + epoch.to_bytes(4, "big"))


def genesis_head(suite: Suite, box: BoxId, epoch: int) -> Head:
    """The head of an epoch in which nothing has happened yet."""
    return Head(epoch, 0, genesis_hash(suite, box, epoch))


def row_hash(  # noqa: PLR0913, PLR0917 - the six hashed quantities of CONTRACTS §2
    suite: Suite, prev: bytes, seq: int, id: bytes, lane: int, born: int, body_hash: bytes
) -> bytes:
    """H(prev ‖ seq ‖ id ‖ lane ‖ born ‖ H(body)), of parts whose widths were checked."""
    return suite.digest(_HASHED.pack(prev, seq, id, lane, born, body_hash))


def hash_of(suite: Suite, row: Row) -> bytes:
    """The hash of a row, after checking its widths. Raises Malformed."""
    seq, id, lane, born, prev, body = _checked(row)
    digest = suite.digest
    return digest(_HASHED.pack(prev, seq, id, lane, born, digest(body)))


def _checked(row: Row) -> Row:
    seq, id, lane, born, prev, body = row
    if len(prev) != HASH_BYTES or len(id) != 16 or seq < FIRST_SEQ:
        raise Malformed(Reason.MESSAGE_MALFORMED, "row with wrong widths")
    if not 0 <= lane < 256 or not 0 <= born < _INT64 or seq >= _INT64:
        raise Malformed(Reason.MESSAGE_MALFORMED, "row out of range")
    if len(body) > MAX_BODY_BYTES:
        raise Malformed(Reason.BODY_TOO_LARGE)
    return row


def append(  # noqa: PLR0913, PLR0917 - a row's quantities, in their order
    suite: Suite, head: Head, id: bytes, lane: int, born: int, body: bytes
) -> tuple[Row, Mark, Head]:
    """The next row after ``head``, its mark, and the new head. Raises Malformed (size)."""
    row = _checked(Row(head.seq + 1, id, lane, born, head.hash, body))
    (link,), grown = append_all(suite, head, [(id, lane, born, body)])
    return row, Mark(*link[:6], *link[7:]), grown


def append_all(
    suite: Suite, head: Head, records: Iterable[tuple[bytes, int, int, bytes]]
) -> tuple[list[Link], Head]:
    """The rows after ``head`` for records of (id, lane, born, body) that were made here, whose
    widths are known, and the new head. Raises Malformed (size).
    """
    epoch, seq, prev = head
    digest, pack = suite.digest, _HASHED.pack
    links: list[Link] = []
    for id, lane, born, body in records:
        if len(body) > MAX_BODY_BYTES:
            raise Malformed(Reason.BODY_TOO_LARGE)
        seq += 1
        body_hash = digest(body)
        hash = digest(pack(prev, seq, id, lane, born, body_hash))
        links.append((epoch, seq, id, lane, born, prev, body, body_hash, hash))
        prev = hash
    return links, Head(epoch, seq, prev)


def signed_bytes(
    suite: Suite, box: BoxId, key_id: int, head: Head, hashes: Sequence[bytes]
) -> bytes:
    """What a batch's signature covers: suite, box, key id, head, and the carried rows' hashes."""
    name = str(box).encode()
    return b"".join(
        (
            b"onecode batch 1\0",
            bytes([suite.id, len(name)]),
            name,
            key_id.to_bytes(4, "big"),
            head.epoch.to_bytes(4, "big"),
            head.seq.to_bytes(8, "big"),
            head.hash,
            len(hashes).to_bytes(4, "big"),
            *hashes,
        )
    )


def sign_batch(  # noqa: PLR0913, PLR0917 - everything that is signed
    suite: Suite, key: SigningKey, box: BoxId, key_id: int, head: Head, rows: Sequence[Row]
) -> bytes:
    """The signature of a batch carrying ``rows`` under ``head``."""
    return key.sign(signed_bytes(suite, box, key_id, head, [hash_of(suite, r) for r in rows]))


def verify_batch(  # noqa: PLR0913, PLR0917 - everything that is signed
    suite: Suite,
    key: VerifyKey,
    box: BoxId,
    key_id: int,
    head: Head,
    rows: Sequence[Row],
    signature: bytes,
) -> list[bytes]:
    """The carried rows' hashes, in their order. Raises NotAuthentic or Malformed."""
    if len(head.hash) != HASH_BYTES or not 0 <= head.epoch < 1 << 32:
        raise Malformed(Reason.MESSAGE_MALFORMED, "head with wrong widths")
    if not 0 <= head.seq < _INT64 or not 0 <= key_id < 1 << 32:
        raise Malformed(Reason.MESSAGE_MALFORMED, "head or key id out of range")
    hashes = [hash_of(suite, row) for row in rows]
    key.verify(signature, signed_bytes(suite, box, key_id, head, hashes))
    return hashes


def anchor_bytes(suite: Suite, box: BoxId, head: Head) -> bytes:
    """What central signs when every row up to ``head`` is in its custody, without a gap."""
    name = str(box).encode()
    return b"".join(
        (
            b"onecode anchor 1\0",
            bytes([suite.id, len(name)]),
            name,
            head.epoch.to_bytes(4, "big"),
            head.seq.to_bytes(8, "big"),
            head.hash,
        )
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the chain's verification found wrong, by sequence numbers (both included)."""

    reason: Reason
    epoch: int
    first: int
    last: int
    detail: str = ""


def verify_chain(
    suite: Suite,
    box: BoxId,
    marks: Iterable[Mark],
    heads: Iterable[Head] = (),
    starts: Iterable[Head] = (),
) -> Iterator[Finding]:
    """Check marks ordered by (epoch, seq): each hash, each link, no gap, no fork, every head met.

    ``heads`` are the furthest known head of each epoch; rows missing before one are a gap, a
    different hash at its sequence a fork. ``starts`` are where an epoch's rows begin that were
    pruned up to there; others begin at their genesis.
    """
    wanted = {head.epoch: head for head in heads}
    begun = {start.epoch: start for start in starts}
    digest, pack = suite.digest, _HASHED.pack
    epoch, seq, last_hash = -1, 0, b""
    head_seq, head_hash = -1, b""
    for at_epoch, at, id, lane, born, prev, body_hash, hash in marks:
        if at_epoch != epoch:
            yield from _end_epoch(wanted.pop(epoch, None), seq)
            epoch = at_epoch
            start = begun.pop(epoch, None) or genesis_head(suite, box, epoch)
            yield from _check_start(wanted.get(epoch), start)
            _, seq, last_hash = start
            head = wanted.get(epoch)
            head_seq, head_hash = (head.seq, head.hash) if head else (-1, b"")
        if at <= seq:
            yield Finding(Reason.LEDGER_FORK, epoch, at, at, "two rows, one sequence")
            continue
        if at > seq + 1:
            yield Finding(Reason.LEDGER_GAP, epoch, seq + 1, at - 1)
        elif prev != last_hash:
            yield Finding(Reason.LEDGER_LINK, epoch, at, at, "does not name the row before")
        # Without the widths, bytes could move between fields and leave the hash as it is.
        if not (
            len(prev) == len(body_hash) == HASH_BYTES
            and len(id) == 16
            and 0 <= lane < 256
            and 0 <= born < _INT64
            and digest(pack(prev, at, id, lane, born, body_hash)) == hash
        ):
            yield Finding(Reason.LEDGER_HASH, epoch, at, at, "content and hash differ")
        if at == head_seq and hash != head_hash:
            yield Finding(Reason.LEDGER_FORK, epoch, at, at, "signed head differs")
        seq, last_hash = at, hash
    yield from _end_epoch(wanted.pop(epoch, None), seq)
    for head in sorted(wanted.values()):
        start = begun.get(head.epoch) or genesis_head(suite, box, head.epoch)
        yield from _check_start(head, start)
        yield from _end_epoch(head, start.seq)


def _check_start(head: Head | None, start: Head) -> Iterator[Finding]:
    if head is not None and head.seq == start.seq and head.hash != start.hash:
        detail = "another genesis" if head.seq == 0 else "pruned up to another row"
        yield Finding(Reason.LEDGER_FORK, head.epoch, head.seq, head.seq, detail)


def _end_epoch(head: Head | None, seq: int) -> Iterator[Finding]:
    if head is None:
        return
    if head.seq > seq:
        yield Finding(Reason.LEDGER_GAP, head.epoch, seq + 1, head.seq, "before the signed head")
    elif head.seq < seq:
        yield Finding(Reason.LEDGER_FORK, head.epoch, head.seq + 1, seq, "rows beyond the head")


def split_gaps(
    gaps: Iterable[Finding], named: Sequence[tuple[int, int]]
) -> tuple[list[Finding], list[Finding]]:
    """What of one epoch's gaps is named as lost, and what is open.

    ``named`` are sequences, both included, ordered and not overlapping.
    """
    lost: list[Finding] = []
    open_: list[Finding] = []
    for gap in gaps:
        first = gap.first
        for start, end in named:
            if end < first or start > gap.last:
                continue
            if first < start:
                open_.append(replace(gap, first=first, last=start - 1))
            last = min(end, gap.last)
            lost.append(replace(gap, first=max(start, first), last=last, detail="lost"))
            first = last + 1
        if first <= gap.last:
            open_.append(replace(gap, first=first))
    return lost, open_


@dataclass(frozen=True, slots=True)
class Account:
    """created = acknowledged + pending + tombstoned; and + lost, where a file was damaged.

    At the box ``pending`` waits for central's receipt; at central it is the open gaps below the
    signed head, and ``acknowledged`` is what was received, interpreted or parked. ``lost`` are the
    sequences that a damage report names (docs/adr/0020): nobody holds those rows any more.
    """

    created: int
    acknowledged: int
    pending: int
    tombstoned: int
    lost: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing is missing unnamed and nothing counted twice."""
        known = self.acknowledged + self.pending + self.tombstoned + self.lost
        return self.created == known

    def __str__(self) -> str:
        lost = f" + lost {self.lost}" if self.lost else ""
        return (
            f"created {self.created} = acknowledged {self.acknowledged} + pending {self.pending}"
            f" + tombstoned {self.tombstoned}{lost} {'✓' if self.holds else '✗'}"
        )
