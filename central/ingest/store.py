"""The ledger's statements. All run inside the caller's unit of work."""

from collections.abc import Iterator
from typing import NamedTuple

from central.ingest.chain import Neighbour
from central.ingest.model import (
    LedgerAnchor,
    LedgerCrash,
    LedgerEncapsulation,
    LedgerFork,
    LedgerHead,
    LedgerParked,
    LedgerPosition,
    Standing,
)
from shared.ids import BoxId, parse_box_id
from shared.ledger import Head, Mark, Row
from shared.messages import Tombstone


class SignedHead(NamedTuple):
    """A head and the batch signature over it; ``hashes`` joined."""

    head: Head
    suite: int
    key_id: int
    signature: bytes
    hashes: bytes


class StoredHead(NamedTuple):
    """The furthest head of an epoch, and how many of its rows were ever received."""

    signed: SignedHead
    received: int


class ParkedRow(NamedTuple):
    """A parked row, whole: enough to try again."""

    box: BoxId
    epoch: int
    row: Row
    reason: str
    parked_at: int


Place = tuple[str, int, int]
"""Box, epoch and sequence: a page of parked rows goes on behind one."""


class Fork(NamedTuple):
    """A contradiction on record."""

    epoch: int
    seq: int
    hash: bytes
    known: bytes
    reason: str
    found_at: int


class Position(NamedTuple):
    """A position as verification reads it; ``mark`` is None when only tombstoned."""

    epoch: int
    seq: int
    standing: int
    hash: bytes
    mark: Mark | None


def list_known(box: BoxId, epoch: int, first: int, last: int) -> dict[int, Neighbour]:
    """What is known from before ``first`` to behind ``last``."""
    cursor = LedgerPosition.execute(
        "SELECT seq, standing, hash, prev FROM ledger_position"
        " WHERE box_id = ? AND epoch = ? AND seq BETWEEN ? AND ?",
        (str(box), epoch, first - 1, last + 1),
    )
    return {row[0]: Neighbour(*row) for row in cursor}


def list_neighbours(box: BoxId, epoch: int, seq: int) -> dict[int, Neighbour]:
    """What is known at ``seq`` and on both sides of it."""
    return list_known(box, epoch, seq, seq)


def is_interpreted(box: BoxId, id: bytes) -> bool:
    """Whether a record of this box with this id was interpreted, at whatever position."""
    # Standing.INTERPRETED is written out, or SQLite does not see that the partial index answers.
    cursor = LedgerPosition.execute(
        "SELECT 1 FROM ledger_position WHERE box_id = ? AND id = ? AND standing = 1",
        (str(box), id),
    )
    return cursor.fetchone() is not None


def save_row(box: BoxId, epoch: int, mark: Mark, standing: Standing, at: int) -> None:
    """Take a row into custody; a position known from a tombstone becomes a received one."""
    LedgerPosition.execute(
        "INSERT INTO ledger_position (box_id, epoch, seq, standing, id, hash, prev, lane, born,"
        " body_hash, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (box_id, epoch, seq) DO UPDATE SET standing = excluded.standing,"
        " id = excluded.id, prev = excluded.prev, lane = excluded.lane, born = excluded.born,"
        " body_hash = excluded.body_hash, received_at = excluded.received_at",
        (
            *(str(box), epoch, mark.seq, standing, mark.id, mark.hash),
            *(mark.prev, mark.lane, mark.born, mark.body_hash, at),
        ),
    )


def save_standing(box: BoxId, epoch: int, seq: int, standing: Standing) -> None:
    """A parked row was interpreted after all."""
    LedgerPosition.execute(
        "UPDATE ledger_position SET standing = ? WHERE box_id = ? AND epoch = ? AND seq = ?",
        (standing, str(box), epoch, seq),
    )


def insert_tombstone(box: BoxId, tombstone: Tombstone, at: int) -> None:
    """Note a position that the box has given up."""
    LedgerPosition.execute(
        "INSERT INTO ledger_position (box_id, epoch, seq, standing, id, hash, received_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(str(box), tombstone.epoch, tombstone.seq, Standing.TOMBSTONED),
            *(tombstone.id, tombstone.hash, at),
        ),
    )


def find_head(box: BoxId, epoch: int) -> StoredHead | None:
    """The furthest head of an epoch."""
    row = LedgerHead.execute(
        "SELECT epoch, seq, hash, suite, key_id, signature, hashes, received"
        " FROM ledger_head WHERE box_id = ? AND epoch = ?",
        (str(box), epoch),
    ).fetchone()
    return StoredHead(SignedHead(Head(*row[:3]), *row[3:7]), row[7]) if row else None


def save_head(box: BoxId, signed: SignedHead, received: int) -> None:
    """Advance an epoch's head."""
    LedgerHead.execute(
        "INSERT OR REPLACE INTO ledger_head (box_id, epoch, seq, hash, suite, key_id, signature,"
        " hashes, received) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(str(box), *signed.head, signed.suite, signed.key_id),
            *(signed.signature, signed.hashes, received),
        ),
    )


def find_anchor(box: BoxId, epoch: int) -> Head | None:
    """Up to where an epoch is in custody without a gap."""
    row = LedgerAnchor.execute(
        "SELECT epoch, seq, hash FROM ledger_anchor WHERE box_id = ? AND epoch = ?",
        (str(box), epoch),
    ).fetchone()
    return Head(*row) if row else None


def save_anchor(box: BoxId, head: Head) -> None:
    """It has got further."""
    LedgerAnchor.execute(
        "INSERT OR REPLACE INTO ledger_anchor (box_id, epoch, seq, hash) VALUES (?, ?, ?, ?)",
        (str(box), *head),
    )


def list_following(
    box: BoxId, epoch: int, seq: int, limit: int
) -> list[tuple[int, bytes, bytes | None]]:
    """Sequence, hash and ``prev`` of what is known behind a sequence, in order."""
    cursor = LedgerPosition.execute(
        "SELECT seq, hash, prev FROM ledger_position"
        " WHERE box_id = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?",
        (str(box), epoch, seq, limit),
    )
    return cursor.fetchall()


def list_heads(box: BoxId) -> list[StoredHead]:
    """The furthest head of each epoch, oldest epoch first."""
    cursor = LedgerHead.execute(
        "SELECT epoch, seq, hash, suite, key_id, signature, hashes, received"
        " FROM ledger_head WHERE box_id = ? ORDER BY epoch",
        (str(box),),
    )
    return [StoredHead(SignedHead(Head(*row[:3]), *row[3:7]), row[7]) for row in cursor]


def list_boxes() -> list[BoxId]:
    """Every box that has anything in the ledger."""
    cursor = LedgerHead.execute(
        "SELECT box_id FROM ledger_head UNION SELECT box_id FROM ledger_position ORDER BY 1"
    )
    return [parse_box_id(row[0]) for row in cursor]


def iterate_positions(box: BoxId) -> Iterator[Position]:
    """All positions of a box in the order of (epoch, seq)."""
    cursor = LedgerPosition.execute(
        "SELECT epoch, seq, standing, hash, id, lane, born, prev, body_hash FROM ledger_position"
        " WHERE box_id = ? ORDER BY epoch, seq",
        (str(box),),
    )
    for epoch, seq, standing, hash, id, lane, born, prev, body_hash in cursor:
        mark = None
        if standing != Standing.TOMBSTONED:
            mark = Mark(epoch, seq, id, lane, born, prev, body_hash, hash)
        yield Position(epoch, seq, standing, hash, mark)


def insert_encapsulation(box: BoxId, id: bytes, wrapped: bytes) -> bool:
    """Keep a wrapped body key; once is enough. Whether it is new."""
    cursor = LedgerEncapsulation.execute(
        "INSERT OR IGNORE INTO ledger_encapsulation (box_id, id, wrapped) VALUES (?, ?, ?)",
        (str(box), id, wrapped),
    )
    return cursor.rowcount > 0


def find_encapsulation(box: BoxId, id: bytes) -> bytes | None:
    """The wrapped body key with this id."""
    row = LedgerEncapsulation.execute(
        "SELECT wrapped FROM ledger_encapsulation WHERE box_id = ? AND id = ?", (str(box), id)
    ).fetchone()
    return row[0] if row else None


def insert_parked(box: BoxId, epoch: int, row: Row, reason: str, at: int) -> None:
    """Keep a row's sealed body until somebody replays it."""
    LedgerParked.execute(
        "INSERT INTO ledger_parked (box_id, epoch, seq, reason, body, parked_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (str(box), epoch, row.seq, reason, row.body, at),
    )


def save_parked_reason(box: BoxId, epoch: int, seq: int, reason: str) -> None:
    """A replay failed in another way than before."""
    LedgerParked.execute(
        "UPDATE ledger_parked SET reason = ? WHERE box_id = ? AND epoch = ? AND seq = ?",
        (reason, str(box), epoch, seq),
    )


def delete_parked(box: BoxId, epoch: int, seq: int) -> None:
    """A replay went through."""
    LedgerParked.execute(
        "DELETE FROM ledger_parked WHERE box_id = ? AND epoch = ? AND seq = ?",
        (str(box), epoch, seq),
    )


def list_parked(
    box: BoxId | None = None,
    reason: str | None = None,
    after: Place = ("", 0, 0),
    limit: int = -1,
    site: str | None = None,
) -> list[ParkedRow]:
    """What is parked, of one box, a site or all, behind (box, epoch, seq)."""
    cursor = LedgerParked.execute(
        "SELECT p.box_id, p.epoch, p.seq, l.id, l.lane, l.born, l.prev, p.body, p.reason,"
        " p.parked_at FROM ledger_parked p JOIN ledger_position l USING (box_id, epoch, seq)"
        " WHERE (?1 IS NULL OR p.box_id = ?1) AND (?2 IS NULL OR p.reason = ?2)"
        " AND (p.box_id, p.epoch, p.seq) > (?3, ?4, ?5)"
        " AND (?6 IS NULL OR p.box_id >= ?6 || '/' AND p.box_id < ?6 || '0')"
        " ORDER BY p.box_id, p.epoch, p.seq LIMIT ?7",
        (str(box) if box else None, reason, *after, site, limit),
    )
    return [
        ParkedRow(parse_box_id(name), epoch, Row(*row), reason, at)
        for name, epoch, *row, reason, at in cursor
    ]


def iterate_parked_bodies(box: BoxId) -> Iterator[tuple[int, int, bytes]]:
    """Epoch, sequence and sealed body of what is parked of one box."""
    cursor = LedgerParked.execute(
        "SELECT epoch, seq, body FROM ledger_parked WHERE box_id = ? ORDER BY epoch, seq",
        (str(box),),
    )
    yield from cursor


def insert_fork(box: BoxId, fork: Fork) -> bool:
    """Put a contradiction on record; whether it is new."""
    cursor = LedgerFork.execute(
        "INSERT OR IGNORE INTO ledger_fork (box_id, epoch, seq, hash, known, reason, found_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (str(box), *fork),
    )
    return cursor.rowcount > 0


def list_forks(box: BoxId) -> list[Fork]:
    """The contradictions of one box."""
    cursor = LedgerFork.execute(
        "SELECT epoch, seq, hash, known, reason, found_at FROM ledger_fork"
        " WHERE box_id = ? ORDER BY epoch, seq, found_at",
        (str(box),),
    )
    return [Fork(*row) for row in cursor]


def count_crash(box: BoxId, epoch: int, seq: int, hash: bytes) -> None:
    """This row ended a process."""
    LedgerCrash.execute(
        "INSERT INTO ledger_crash (box_id, epoch, seq, hash, count) VALUES (?, ?, ?, ?, 1)"
        " ON CONFLICT (box_id, epoch, seq, hash) DO UPDATE SET count = count + 1",
        (str(box), epoch, seq, hash),
    )


def list_crashed(box: BoxId, least: int) -> set[bytes]:
    """Hashes of the rows that ended ``least`` processes or more."""
    cursor = LedgerCrash.execute(
        "SELECT hash FROM ledger_crash WHERE box_id = ? AND count >= ?", (str(box), least)
    )
    return {row[0] for row in cursor}
