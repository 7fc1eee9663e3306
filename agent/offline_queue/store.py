"""The queue's tables: the only file with queries. Knows rows and states, not what follows whom.

The hot statements are plain SQL on the peewee database's own connection: ``Model.create`` costs
a third of the durable rate (measured). One Store belongs to one thread.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from agent.offline_queue.database import QueueFile, mapped_exceptions, open_for_reading
from agent.offline_queue.migration import check_migrated, read_migrations
from agent.offline_queue.models import EncapsulationEntry, EpochEntry
from agent.offline_queue.standing import Standing
from agent.ports import Consumption
from shared.clock import from_microseconds, to_microseconds
from shared.crypto import Suite
from shared.errors import Damaged, Malformed
from shared.ids import BoxId, RecordId
from shared.ledger import Head, Mark, Row, hash_of
from shared.messages import Settled, Verdict
from shared.reasons import Reason
from shared.sealing import Encapsulation

_INSERT_ROW = (
    'INSERT INTO "row" (epoch, seq, id, lane, born, prev, body, body_hash, hash, state)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
_INSERT_CONSUMED = "INSERT OR IGNORE INTO consumed_code (token, id, born, verdict) VALUES (?,?,?,?)"
_UPDATE_EPOCH = (
    "UPDATE epoch SET seq = ?, hash = ?, floor = ?, settled = ?, tombstoned = ?, lost = ?"
    " WHERE number = ?"
)
_NOTE_WAITING = "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?)"
_RUN = "WHERE epoch = ? AND seq BETWEEN ? AND ? AND state = 0"
_SELECT_RUN = f'SELECT seq, hash, lane FROM "row" {_RUN}'  # noqa: S608 - constants only
_SETTLE_RUN = f'UPDATE "row" SET state = 1 {_RUN}'  # noqa: S608 - as above
_SETTLE = 'UPDATE "row" SET state = 1 WHERE epoch = ? AND seq = ?'
_GIVE_UP = (
    'UPDATE "row" SET state = 2, tombstone = ?, body = iif(?, NULL, body)'
    " WHERE epoch = ? AND seq = ?"
)
_SELECT_ROW = 'SELECT id, hash, lane, state FROM "row" WHERE epoch = ? AND seq = ?'
_SELECT_LAST = 'SELECT epoch, seq, hash FROM "row" WHERE epoch = ? ORDER BY seq DESC LIMIT 1'
_SELECT_HASH = 'SELECT hash FROM "row" WHERE epoch = ? AND seq = ?'
_SELECT_CONSUMED = "SELECT id, born, verdict FROM consumed_code WHERE token = ?"
_SELECT_ID = 'SELECT 1 FROM "row" WHERE id = ? ORDER BY epoch DESC, seq DESC LIMIT 1'
_PENDING = 'FROM "row" WHERE epoch = ? AND seq > ? AND state = 0'
_SELECT_PENDING = f"SELECT seq, id, lane, born, prev, body, hash {_PENDING} ORDER BY seq LIMIT ?"
_SELECT_FIRST_PENDING = f"SELECT seq, born {_PENDING} ORDER BY seq LIMIT 1"
_COUNT_PENDING = f"SELECT lane, count(*) {_PENDING} GROUP BY lane"
_SELECT_OLDEST = f"SELECT seq, born {_PENDING} AND lane = ? ORDER BY seq LIMIT ?"
_SELECT_WAITING = "SELECT lane, rows FROM waiting WHERE epoch = ?"
_SAVE_ANCHOR = "INSERT OR REPLACE INTO anchor VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT_ANCHORS = "SELECT * FROM anchor"
_SELECT_FIRST = (
    'SELECT seq, hash, state, born FROM "row" WHERE epoch = ? AND seq <= ? ORDER BY seq LIMIT ?'
)
_DELETE_ROWS = 'DELETE FROM "row" WHERE epoch = ? AND seq <= ?'
_COUNT_ALL = 'SELECT state, lane, count(*) FROM "row" GROUP BY state, lane ORDER BY state, lane'
_SELECT_IDS = 'SELECT id FROM "row" WHERE lane = ?'
_SELECT_EPOCH = (
    "SELECT epoch, seq, id, lane, born, prev, body_hash, hash, state, body, tombstone"
    ' FROM "row" WHERE epoch = ? ORDER BY seq'
)


class Position(NamedTuple):
    """Where a row stands in the box's ledger."""

    epoch: int
    seq: int


class Epoch(NamedTuple):
    """An epoch as the file keeps it, its standing as of the last opening or settling."""

    box: str
    suite: int
    head: Head
    floor: int
    settled: int
    tombstoned: int
    lost: int


class Kept(NamedTuple):
    """What is kept of an epoch's countersigned head: the head, central's signature, where the rows
    that are here begin, and how many of those before were settled and tombstoned."""

    head: Head
    signature: bytes
    start: Head
    settled: int
    tombstoned: int


class Found(NamedTuple):
    """What giving a row up needs to know of it."""

    at: Position
    id: bytes
    hash: bytes
    lane: int
    state: int


class StoredRow(NamedTuple):
    """A row as verification reads it; nothing in it has been checked."""

    mark: Mark
    state: int
    body: bytes | None
    tombstone: bytes | None


class Store:
    """Queries over an open file. All raise Unavailable and Damaged, through ``mapped_exceptions``
    of whoever opens a unit; those outside a unit map for themselves."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file
        self._connection = file.connection

    @property
    def connection(self) -> sqlite3.Connection:
        """For statements of rare work that have a file of their own."""
        return self._connection

    # --- writing, inside begin() and commit() --------------------------------------------------

    def begin(self) -> None:
        """Start a transaction that may write, unless one is open."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction durable: synchronous=FULL syncs the write-ahead log here."""
        self._connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo the transaction if one is open; SQLite has already undone some that failed."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def insert_rows(self, rows: Sequence[tuple[object, ...]]) -> None:
        """New pending rows: epoch, seq, id, lane, born, prev, body, H(body), hash of each.

        Raises Damaged when a sequence is taken.
        """
        try:
            self._connection.executemany(_INSERT_ROW, rows)
        except sqlite3.IntegrityError as error:
            raise Damaged(Reason.STORE_DAMAGED, "a sequence is taken") from error

    def insert_consumption(self, token: bytes, id: bytes, born: int, verdict: str) -> None:
        """Keep who used up a code; the first stays."""
        self._connection.execute(_INSERT_CONSUMED, (token, id, born, verdict))

    def settle(self, epoch: int, rows: Iterable[Settled]) -> list[int]:
        """Settle pending rows whose hash is the same; the lanes of those that changed.

        A receipt mostly names a run of rows: each run is looked at and settled at once.
        """
        told = {row.seq: row.hash for row in rows}
        lanes: list[int] = []
        for first, last in _find_runs(sorted(told)):
            here = self._connection.execute(_SELECT_RUN, (epoch, first, last)).fetchall()
            right = [(seq, lane) for seq, hash, lane in here if told[seq] == hash]
            lanes += [lane for _, lane in right]
            if len(right) == len(here):
                self._connection.execute(_SETTLE_RUN, (epoch, first, last))
            else:
                keys = ((epoch, seq) for seq, _ in right)
                self._connection.executemany(_SETTLE, keys)
        return lanes

    def give_up(self, positions: Iterable[Position], tombstone: bytes, erase: bool) -> None:
        """Tombstone rows that were found pending; ``tombstone`` is the record that names them."""
        keys = ((tombstone, erase, at.epoch, at.seq) for at in positions)
        self._connection.executemany(_GIVE_UP, keys)

    def insert_epoch(self, box: BoxId, suite: int, genesis: Head, at: datetime) -> None:
        """Begin an epoch, unless it has begun."""
        EpochEntry.insert(
            number=genesis.epoch,
            box=str(box),
            suite=suite,
            begun=to_microseconds(at),
            seq=genesis.seq,
            hash=genesis.hash,
            floor=genesis.seq,
            settled=0,
            tombstoned=0,
            lost=0,
        ).on_conflict_ignore().execute(self._file.database)

    def note(self, standing: Standing) -> None:
        """Keep where an epoch stands."""
        head, floor, settled, tombstoned, waiting, lost = standing
        values = (head.seq, head.hash, floor, settled, tombstoned, lost, head.epoch)
        self._connection.execute(_UPDATE_EPOCH, values)
        lanes = ((head.epoch, lane, rows) for lane, rows in enumerate(waiting))
        self._connection.executemany(_NOTE_WAITING, lanes)

    def save_anchor(self, kept: Kept) -> None:
        """Keep a countersigned head, and what is pruned behind it."""
        head, signature, start, settled, tombstoned = kept
        values = (*head, signature, start.seq, start.hash, settled, tombstoned)
        self._connection.execute(_SAVE_ANCHOR, values)

    def delete_rows(self, epoch: int, last: int) -> None:
        """Prune an epoch up to a row."""
        self._connection.execute(_DELETE_ROWS, (epoch, last))

    def insert_encapsulation(self, encapsulation: Encapsulation, at: datetime) -> None:
        """Keep a wrapped body key."""
        EncapsulationEntry.insert(
            id=encapsulation.id, wrapped=encapsulation.wrapped, made=to_microseconds(at)
        ).execute(self._file.database)

    # --- reading ---------------------------------------------------------------------------------

    def find_row(self, at: Position) -> Found | None:
        """One row, without its body."""
        found = self._connection.execute(_SELECT_ROW, at).fetchone()
        return None if found is None else Found(at, *found)

    def find_consumption(self, token: bytes) -> Consumption | None:
        """The record that used up a code."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_CONSUMED, (token,)).fetchone()
        if found is None:
            return None
        id, born, verdict = found
        try:
            return Consumption(RecordId(UUID(bytes=id)), from_microseconds(born), Verdict(verdict))
        except (TypeError, ValueError, OverflowError) as error:
            raise Damaged(Reason.STORE_DAMAGED, "a used code is not what was written") from error

    def find_record(self, id: bytes) -> bool:
        """Whether there is a row of this id; newest first, for no index has ids."""
        with mapped_exceptions():
            return self._connection.execute(_SELECT_ID, (id,)).fetchone() is not None

    def list_pending(self, epoch: int, floor: int, limit: int, suite: Suite) -> tuple[Row, ...]:
        """The oldest pending rows of an epoch above its floor.

        Raises Damaged for one that is not what was written: sent, it would be a fork.
        """
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_PENDING, (epoch, floor, limit))
            # One by one: a spoiled row leaves the statement under way, and so the log at closing.
            return tuple(_check_row(suite, Row(*row), hash) for *row, hash in found)

    def find_first_pending(self, epoch: int, floor: int) -> tuple[int, datetime] | None:
        """Sequence and birth of the oldest pending row of an epoch above its floor."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_FIRST_PENDING, (epoch, floor)).fetchone()
        try:
            return None if found is None else (found[0], from_microseconds(found[1]))
        except (TypeError, OverflowError) as error:
            raise Damaged(Reason.STORE_DAMAGED, "a birth is not what was written") from error

    def count_pending(self, epoch: int, after: int) -> dict[int, int]:
        """Pending rows of an epoch above a sequence, by lane, counted one by one."""
        with mapped_exceptions():
            return dict(self._connection.execute(_COUNT_PENDING, (epoch, after)).fetchall())

    def list_waiting(self, epoch: int) -> dict[int, int]:
        """Pending rows by lane as of the noted head."""
        with mapped_exceptions():
            return dict(self._connection.execute(_SELECT_WAITING, (epoch,)).fetchall())

    def list_anchors(self) -> dict[int, Kept]:
        """What is kept of countersigned heads, by epoch."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_ANCHORS).fetchall()
        return {
            epoch: Kept(Head(epoch, seq, hash), signature, Head(epoch, pruned, at), done, given)
            for epoch, seq, hash, signature, pruned, at, done, given in found
        }

    def list_first(self, epoch: int, upto: int, limit: int) -> list[tuple[int, bytes, int, int]]:
        """Sequence, hash, state and birth of an epoch's first rows, not further than a row."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_FIRST, (epoch, upto, limit))
            return found.fetchall()

    def list_oldest(self, epoch: int, after: int, lane: int, limit: int) -> list[tuple[int, int]]:
        """Sequence and birth of a lane's oldest pending rows above a sequence."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_OLDEST, (epoch, after, lane, limit))
            return found.fetchall()

    def list_encapsulations(self, ids: Sequence[bytes]) -> tuple[Encapsulation, ...]:
        """Those of the wrapped body keys that are here."""
        places = ", ".join("?" * len(ids))
        query = f"SELECT id, wrapped FROM encapsulation WHERE id IN ({places})"  # noqa: S608 - only marks
        with mapped_exceptions():
            return tuple(map(Encapsulation._make, self._connection.execute(query, ids)))

    def list_all_encapsulations(self) -> tuple[Encapsulation, ...]:
        """All wrapped body keys."""
        with mapped_exceptions():
            found = EncapsulationEntry.select().execute(self._file.database)
            return tuple(Encapsulation(bytes(key.id), bytes(key.wrapped)) for key in found)

    def list_epochs(self) -> list[Epoch]:
        """All epochs, the oldest first."""
        query = EpochEntry.select().order_by(EpochEntry.number)
        with mapped_exceptions():
            return [
                Epoch(
                    entry.box,
                    entry.suite,
                    Head(entry.number, entry.seq, bytes(entry.hash)),
                    entry.floor,
                    entry.settled,
                    entry.tombstoned,
                    entry.lost,
                )
                for entry in query.execute(self._file.database)
            ]

    def find_last(self, epoch: int) -> Head | None:
        """The last row of an epoch, as a head."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_LAST, (epoch,)).fetchone()
        return None if found is None else Head(*found)

    def find_hash(self, at: Position) -> bytes | None:
        """A row's hash as it is stored."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_HASH, at).fetchone()
        return None if found is None else bytes(found[0])

    def list_lost(self) -> list[tuple[int, int, int]]:
        """Sequences that went with damaged files: epoch, first, last."""
        query = "SELECT epoch, first, last FROM lost_range ORDER BY epoch, first"
        with mapped_exceptions():
            return self._connection.execute(query).fetchall()

    def count_rows(self) -> dict[tuple[int, int], int]:
        """Rows by state and lane."""
        with mapped_exceptions():
            found = self._connection.execute(_COUNT_ALL).fetchall()
        return {(state, lane): count for state, lane, count in found}

    def iterate_rows(self, epoch: int) -> Iterator[StoredRow]:
        """Every row of an epoch in order, with its body, one at a time."""
        with mapped_exceptions():
            make = tuple.__new__
            for row in self._connection.execute(_SELECT_EPOCH, (epoch,)):
                yield make(StoredRow, (make(Mark, row[:8]), *row[8:]))

    def iterate_ids(self, lane: int) -> Iterator[bytes]:
        """Ids of all rows of a lane."""
        with mapped_exceptions():
            for (id,) in self._connection.execute(_SELECT_IDS, (lane,)):
                yield id

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _check_row(suite: Suite, row: Row, hash: object) -> Row:
    try:
        whole = hash_of(suite, row) == hash
    except (TypeError, Malformed):  # a column of another kind
        whole = False
    if not whole:
        raise Damaged(Reason.STORE_DAMAGED, f"row {row.seq} is not what was written")
    return row


def _find_runs(seqs: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of sequences that follow each other."""
    for _, run in groupby(enumerate(seqs), lambda each: each[1] - each[0]):
        members = [seq for _, seq in run]
        yield members[0], members[-1]


@contextmanager
def reading(path: Path) -> Iterator[Store]:
    """A store to read beside the writer, or after its crash: one moment's snapshot.

    Raises Unavailable (missing, not begun), Refused (STORE_NEWER), Damaged.
    """
    with closing(open_for_reading(path)) as file:
        check_migrated(file.connection, read_migrations())
        file.connection.execute("BEGIN")
        yield Store(file)
