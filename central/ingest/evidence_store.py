"""The statements about what forks have left. All run inside the caller's unit of work."""

from typing import NamedTuple

import msgspec

from central.ingest.model import LedgerEvidence, LedgerFork, LedgerPosition
from central.ingest.store import SignedHead
from shared.ids import BoxId
from shared.ledger import Row

_encode = msgspec.msgpack.Encoder().encode
_head = msgspec.msgpack.Decoder(SignedHead)


class Evidence(NamedTuple):
    """One line of a fork at one place; ``row`` is None where only a hash or a head is known."""

    epoch: int
    seq: int
    hash: bytes
    row: Row | None
    signed: SignedHead
    taken_at: int


def find_fork(box: BoxId, epoch: int) -> int | None:
    """The first sequence at which an epoch contradicts itself."""
    found = LedgerFork.execute(
        "SELECT seq FROM ledger_fork WHERE box_id = ? AND epoch = ? ORDER BY seq LIMIT 1",
        (str(box), epoch),
    ).fetchone()
    return found[0] if found else None


def insert_evidence(box: BoxId, evidence: Evidence) -> None:
    """Keep one line of a fork; a row beside its head, once it is known."""
    row = evidence.row
    LedgerEvidence.execute(
        "INSERT INTO ledger_evidence (box_id, epoch, seq, hash, id, lane, born, prev,"
        " body, head, taken_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET id = excluded.id, lane = excluded.lane, born = excluded.born,"
        " prev = excluded.prev, body = excluded.body, head = excluded.head WHERE id IS NULL",
        (
            *(str(box), evidence.epoch, evidence.seq, evidence.hash),
            *((row.id, row.lane, row.born, row.prev, row.body) if row else (None,) * 5),
            *(_encode(evidence.signed), evidence.taken_at),
        ),
    )


def list_evidence(box: BoxId) -> list[Evidence]:
    """What the forks of one box have left, by place."""
    cursor = LedgerEvidence.execute(
        "SELECT epoch, seq, hash, id, lane, born, prev, body, head, taken_at FROM ledger_evidence"
        " WHERE box_id = ? ORDER BY epoch, seq, taken_at",
        (str(box),),
    )
    return [
        Evidence(epoch, seq, hash, _row(seq, *row), _head.decode(head), at)
        for epoch, seq, hash, *row, head, at in cursor
    ]


def _row(  # noqa: PLR0913, PLR0917 - a row's columns
    seq: int,
    id: bytes | None,
    lane: int | None,
    born: int | None,
    prev: bytes | None,
    body: bytes | None,
) -> Row | None:
    if id is None or lane is None or born is None or prev is None:
        return None
    return Row(seq, id, lane, born, prev, body or b"")


def find_mark(box: BoxId, epoch: int, seq: int) -> Row | None:
    """A received row without its body: what is left of the line that came first."""
    found = LedgerPosition.execute(
        "SELECT id, lane, born, prev FROM ledger_position"
        " WHERE box_id = ? AND epoch = ? AND seq = ? AND prev IS NOT NULL",
        (str(box), epoch, seq),
    ).fetchone()
    if found is None:
        return None
    id, lane, born, prev = found
    return Row(seq, id, lane, born, prev, b"")
