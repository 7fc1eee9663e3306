"""The queue's tables, written: the one place with statements that change them. One thread.

Sequence, link and hash are given here, inside the transaction that commits the row. The standing
of each epoch (head and counts) is kept in memory, which follows only after the commit; the file
keeps it as of the last opening or settling, because a page more in every enqueue costs 4 %
(measured). The hot statements are plain SQL on the peewee database's own connection: peewee's
``create`` costs a third of the durable rate (measured).
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from agent.offline_queue.database import QueueFile, mapped_exceptions, open_for_writing
from agent.offline_queue.migration import migrate, read_migrations
from agent.offline_queue.models import EncapsulationEntry, EpochEntry
from agent.offline_queue.states import KEPT_LANES, Edge, check_step
from agent.ports import Consumption, Pending
from shared.clock import from_microseconds, to_microseconds
from shared.crypto import Suite
from shared.errors import Damaged, Malformed, Refused
from shared.ids import BoxId, RecordId
from shared.ledger import Account, Head, Lane, Row, RowState, append, genesis_head
from shared.messages import Settled, Tombstone, Verdict
from shared.reasons import Reason
from shared.sealing import BodySealer, Encapsulation, parse_encapsulation_id

_INSERT_ROW = (
    'INSERT INTO "row" (epoch, seq, id, lane, born, prev, body, body_hash, hash, state)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
_INSERT_CONSUMED = "INSERT OR IGNORE INTO consumed_code (token, id, born, verdict) VALUES (?,?,?,?)"
_UPDATE_EPOCH = "UPDATE epoch SET seq = ?, hash = ?, settled = ?, tombstoned = ? WHERE number = ?"
_SETTLE = 'UPDATE "row" SET state = 1 WHERE epoch = ? AND seq = ? AND hash = ? AND state = 0'
_GIVE_UP = 'UPDATE "row" SET state = 2, tombstone = ?, body = ? WHERE epoch = ? AND seq = ?'
_SELECT_ROW = 'SELECT id, hash, lane, state, body FROM "row" WHERE epoch = ? AND seq = ?'
_SELECT_CONSUMED = "SELECT id, born, verdict FROM consumed_code WHERE token = ?"
_SELECT_PENDING = (
    'SELECT epoch, seq, id, lane, born, prev, body FROM "row" WHERE state = 0'
    " ORDER BY epoch, seq LIMIT ?"
)
_SELECT_LAST = 'SELECT seq, hash FROM "row" WHERE epoch = ? ORDER BY seq DESC LIMIT 1'
_COUNT_PENDING = 'SELECT epoch, count(*) FROM "row" WHERE state = 0 GROUP BY epoch'


class Entry(NamedTuple):
    """A record on its way in: encoded, not yet sealed. ``consumed`` is the token it used up."""

    id: bytes
    lane: Lane
    born: int
    plaintext: bytes
    consumed: bytes | None = None
    verdict: str = ""


class Position(NamedTuple):
    """Where a row stands in the box's ledger."""

    epoch: int
    seq: int


class Standing(NamedTuple):
    """One epoch: its head, and how many of its rows are in each state."""

    head: Head
    pending: int
    settled: int
    tombstoned: int


def account_of(standings: Mapping[int, Standing]) -> Account:
    """The account over all epochs."""
    return Account(
        created=sum(standing.head.seq for standing in standings.values()),
        acknowledged=sum(standing.settled for standing in standings.values()),
        pending=sum(standing.pending for standing in standings.values()),
        tombstoned=sum(standing.tombstoned for standing in standings.values()),
    )


def ignore_edge(_edge: Edge) -> None:
    """The observer when nobody watches."""


class Store:
    """The open queue, made by ``open_store``. Writing methods run inside ``unit()``."""

    def __init__(
        self,
        file: QueueFile,
        sealer: BodySealer,
        suite: Suite,
        standings: dict[int, Standing],
        observe: Callable[[Edge], None],
    ) -> None:
        """The highest epoch of ``standings`` is the one being written."""
        self._file = file
        self._connection = file.connection
        self._sealer = sealer
        self._suite = suite
        self._epoch = max(standings)
        self._durable = standings
        self._standings = dict(standings)
        self._head = standings[self._epoch].head
        self._observe = observe

    @contextmanager
    def unit(self) -> Iterator[None]:
        """All that is written inside is durable when the block ends, or none of it happened.

        Raises Unavailable (disk full, busy, I/O), Damaged.
        """
        with mapped_exceptions():
            self._roll_back()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._observe(Edge.GROUP_BEGUN)
                yield
                self._write_standings()
                self._connection.execute("COMMIT")
                self._durable = self._standings
                self._standings = dict(self._durable)
            finally:
                self._roll_back()
        self._observe(Edge.COMMITTED)

    def append(self, entry: Entry) -> Row:
        """Seal, sequence, link and insert.

        Raises Malformed (BODY_TOO_LARGE), Refused (ALREADY_EXISTS) with nothing written.
        """
        body = self._sealer.seal(entry.plaintext, entry.id, entry.lane, entry.born)
        row, mark, head = append(self._suite, self._head, entry.id, entry.lane, entry.born, body)
        try:
            self._connection.execute(_INSERT_ROW, (*mark[:6], body, mark.body_hash, mark.hash))
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise Refused(
                    Reason.ALREADY_EXISTS, "a record of this id is in the queue"
                ) from error
            raise Damaged(Reason.STORE_DAMAGED, f"sequence {row.seq} is taken") from error
        self._head = head
        self._observe(Edge.ROW_INSERTED)
        if entry.consumed is not None:
            token = (entry.consumed, entry.id, entry.born, entry.verdict)
            self._connection.execute(_INSERT_CONSUMED, token)
            self._observe(Edge.CODE_CONSUMED)
        return row

    def settle(self, epoch: int, rows: Sequence[Settled]) -> int:
        """Mark rows of this epoch and these hashes settled, where pending; how many changed."""
        standing = self._standings.get(epoch)
        if standing is None:
            return 0
        keys = ((epoch, row.seq, row.hash) for row in rows)
        changed = self._connection.executemany(_SETTLE, keys).rowcount
        self._standings[epoch] = standing._replace(
            pending=standing.pending - changed, settled=standing.settled + changed
        )
        self._observe(Edge.ROWS_SETTLED)
        return changed

    def tombstone(
        self,
        positions: Sequence[Position],
        reason: Reason,
        build: Callable[[tuple[Tombstone, ...]], Entry],
        erase: bool,
    ) -> Row:
        """Give rows up: append the record that ``build`` makes of them, then mark them.

        Raises Refused, with nothing written: NOT_FOUND, STATE_STEP for a row that is not pending,
        REQUEST_NOT_ALLOWED for a lane that is never given up, Malformed for too many rows.
        """
        found = [self._find(position) for position in dict.fromkeys(positions)]
        given_up = tuple(Tombstone(at.epoch, at.seq, id, hash, reason) for at, id, hash, _ in found)
        record = self.append(build(given_up))
        for at, _, _, body in found:
            keys = (record.id, None if erase else body, at.epoch, at.seq)
            self._connection.execute(_GIVE_UP, keys)
            standing = self._standings[at.epoch]
            self._standings[at.epoch] = standing._replace(
                pending=standing.pending - 1, tombstoned=standing.tombstoned + 1
            )
        self._observe(Edge.ROWS_TOMBSTONED)
        return record

    def find_consumption(self, token: bytes) -> Consumption | None:
        """The record that used up a code. Raises Unavailable, Damaged."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_CONSUMED, (token,)).fetchone()
        if found is None:
            return None
        id, born, verdict = found
        return Consumption(RecordId(UUID(bytes=id)), from_microseconds(born), Verdict(verdict))

    def read_pending(self, limit: int) -> Pending | None:
        """The oldest pending rows, one epoch's. Raises Unavailable, Damaged."""
        with mapped_exceptions():
            found = self._connection.execute(_SELECT_PENDING, (limit,)).fetchall()
            if not found:
                return None
            epoch = found[0][0]
            rows = tuple(Row(*row[1:]) for row in found if row[0] == epoch)
            wanted = {id for row in rows if (id := _encapsulation_id(row)) is not None}
            query = EncapsulationEntry.select().where(EncapsulationEntry.id.in_(wanted)).tuples()
            wrapped = query.execute(self._file.database)
            encapsulations = tuple(Encapsulation(id, wrapped) for id, wrapped, _ in wrapped)
        return Pending(self._durable[epoch].head, rows, encapsulations)

    @property
    def standings(self) -> Mapping[int, Standing]:
        """What is durable, by epoch: replaced by each commit, never changed in place."""
        return self._durable

    def close(self) -> None:
        """Close the file; SQLite copies the write-ahead log back as it goes."""
        self._file.close()

    def _find(self, at: Position) -> tuple[Position, bytes, bytes, bytes]:
        found = self._connection.execute(_SELECT_ROW, at).fetchone()
        if found is None:
            raise Refused(Reason.NOT_FOUND, f"no row {at.epoch}/{at.seq}")
        id, hash, lane, state, body = found
        if lane in KEPT_LANES:
            raise Refused(Reason.REQUEST_NOT_ALLOWED, f"lane {Lane(lane).name} is never given up")
        check_step(RowState(state), RowState.TOMBSTONED)
        return at, id, hash, body

    def _write_standings(self) -> None:
        own = self._standings[self._epoch]
        added = self._head.seq - own.head.seq
        self._standings[self._epoch] = Standing(
            self._head, own.pending + added, own.settled, own.tombstoned
        )
        for epoch, standing in self._standings.items():
            durable = self._durable[epoch]
            if (standing.settled, standing.tombstoned) != (durable.settled, durable.tombstoned):
                _write_standing(self._connection, epoch, standing)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
            self._standings = dict(self._durable)
            self._head = self._durable[self._epoch].head


def _encapsulation_id(row: Row) -> bytes | None:
    """What a body needs; a damaged body needs nothing, and goes up to be parked by central."""
    try:
        return parse_encapsulation_id(row.body)
    except Malformed:
        return None


def open_store(  # noqa: PLR0913, PLR0917 - whose queue it is, where, and sealed to whom
    path: Path,
    box: BoxId,
    epoch: int,
    suite: Suite,
    central_public: bytes,
    at: datetime,
    observe: Callable[[Edge], None],
) -> Store:
    """Open or create the queue, bring its schema up to date, begin the epoch, wrap a body key.

    Raises Unavailable, Damaged, Refused: STORE_NEWER, or CONFIG_MALFORMED when the file is
    another box's, or already in a later epoch, or of another suite.
    """
    file = open_for_writing(path)
    with ExitStack() as on_failure:
        on_failure.callback(file.close)
        migrate(file.connection, read_migrations())
        sealer = BodySealer(suite, central_public, box)
        with mapped_exceptions(), file.database.atomic("IMMEDIATE"):
            _check_epochs(file, box, epoch, suite)
            _begin_epoch(file, box, epoch, suite, at)
            _keep_encapsulation(file, sealer, at)
            standings = _read_standings(file)
            for number, standing in standings.items():
                _write_standing(file.connection, number, standing)
        on_failure.pop_all()
    observe(Edge.OPENED)
    return Store(file, sealer, suite, standings, observe)


def _check_epochs(file: QueueFile, box: BoxId, epoch: int, suite: Suite) -> None:
    for entry in EpochEntry.select().execute(file.database):
        if entry.box != str(box):
            raise Refused(Reason.CONFIG_MALFORMED, f"the queue belongs to {entry.box}")
        if entry.number > epoch:
            raise Refused(Reason.CONFIG_MALFORMED, f"the queue is in epoch {entry.number}")
        if entry.number == epoch and entry.suite != suite.id:
            raise Refused(Reason.CONFIG_MALFORMED, f"epoch {epoch} has suite {entry.suite}")


def _begin_epoch(file: QueueFile, box: BoxId, epoch: int, suite: Suite, at: datetime) -> None:
    genesis = genesis_head(suite, box, epoch)
    EpochEntry.insert(
        number=epoch,
        box=str(box),
        suite=int(suite.id),
        begun=to_microseconds(at),
        seq=genesis.seq,
        hash=genesis.hash,
        settled=0,
        tombstoned=0,
    ).on_conflict_ignore().execute(file.database)


def _keep_encapsulation(file: QueueFile, sealer: BodySealer, at: datetime) -> None:
    id, wrapped = sealer.encapsulation
    EncapsulationEntry.insert(id=id, wrapped=wrapped, made=to_microseconds(at)).execute(
        file.database
    )


def _read_standings(file: QueueFile) -> dict[int, Standing]:
    """What the file holds now. A head whose row is lost stays the head: no sequence twice."""
    pending = dict(file.connection.execute(_COUNT_PENDING).fetchall())
    standings = {}
    for entry in EpochEntry.select().execute(file.database):
        head = Head(entry.number, entry.seq, bytes(entry.hash))
        last = file.connection.execute(_SELECT_LAST, (entry.number,)).fetchone()
        if last is not None and last[0] > head.seq:
            head = Head(entry.number, *last)
        standings[entry.number] = Standing(
            head, pending.get(entry.number, 0), entry.settled, entry.tombstoned
        )
    return standings


def _write_standing(connection: sqlite3.Connection, epoch: int, standing: Standing) -> None:
    head, _, settled, tombstoned = standing
    connection.execute(_UPDATE_EPOCH, (head.seq, head.hash, settled, tombstoned, epoch))
