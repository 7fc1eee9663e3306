"""The writing of the ledger: what follows whom, and what is durable. One thread, no SQL.

Sequence, link and hash are given here, inside the transaction that commits the row. The standing
of each epoch (head, floor, counts) is kept in memory, which follows only after the commit; the
file keeps it as of the last opening or settling, to spare every enqueue a page to sync.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from agent.offline_queue.checkpoint import copy_log
from agent.offline_queue.database import mapped_exceptions
from agent.offline_queue.standing import NO_ROWS, Standing
from agent.offline_queue.states import KEPT_LANES, Edge, check_step
from agent.offline_queue.store import Found, Kept, Position, Store
from agent.ports import Pending
from shared.crypto import Suite
from shared.errors import Damaged, Refused, Unavailable
from shared.ids import BoxId
from shared.ledger import Head, Lane, Link, Row, RowState, append_all, genesis_head, row_of
from shared.messages import Settled, Tombstone
from shared.reasons import Reason
from shared.sealing import BodySealer, peek_encapsulation_id

_ROWS_BETWEEN_NOTES = 1000
"""So many rows an opening counts at most, and an enqueue in so many syncs two pages more."""


class Entry(NamedTuple):
    """A record on its way in: encoded, not yet sealed. ``consumed`` is the token it used up.

    Plain numbers and texts: sqlite3 seeks an adapter for each member of an enum it is given.
    """

    id: bytes
    lane: int
    born: int
    plaintext: bytes
    consumed: bytes | None = None
    verdict: str = ""


def ignore_edge(_edge: Edge) -> None:
    """The observer when nobody watches."""


class Journal:
    """The open ledger, made by ``beginning.open_journal``. What writes runs inside ``write``."""

    def __init__(  # noqa: PLR0913, PLR0917 - a ledger: whose, where it stands, and who watches
        self,
        store: Store,
        box: BoxId,
        sealer: BodySealer,
        suite: Suite,
        standings: dict[int, Standing],
        observe: Callable[[Edge], None],
    ) -> None:
        """The highest epoch of ``standings`` is the one being written."""
        self._store = store
        self._box = box
        self._durable_anchors = store.list_anchors()
        self._anchors = dict(self._durable_anchors)
        self._sealer = sealer
        self._suite = suite
        self._epoch = max(standings)
        self._durable = standings
        self._standings = dict(standings)
        self._head = standings[self._epoch].head
        self._observe = observe
        self._rows: list[Link] = []
        self._lanes = list(NO_ROWS)
        self._noted = self._head.seq
        self._given: dict[Lane, Position] = {}

    @property
    def standings(self) -> Mapping[int, Standing]:
        """What is durable, by epoch: replaced by each commit, never changed in place."""
        return self._durable

    def write(self, work: Callable[[], None]) -> None:
        """All that ``work`` writes is durable when this returns, or none of it happened.

        Raises Unavailable (disk full, busy, I/O), Damaged.
        """
        with mapped_exceptions():
            self._store.begin()
            try:
                self._observe(Edge.GROUP_BEGUN)
                work()
                self._insert()
                self._keep_standings()
                self._store.commit()
            except BaseException:
                self._forget()
                raise
        self._durable = self._standings.copy()
        self._durable_anchors = self._anchors.copy()
        self._observe(Edge.COMMITTED)

    def prepare(self) -> None:
        """Begin the next unit's transaction while nobody waits: 4 % of a lone enqueue (measured).

        Nobody else writes, and readers do not wait for a writer. Where it fails, the unit begins.
        """
        with suppress(Unavailable, Damaged), mapped_exceptions():
            self._store.begin()

    def finish_checkpoint(self) -> None:
        """Copy the last pages of the log back, outside any unit. Raises Unavailable, Damaged."""
        with mapped_exceptions():
            self._store.roll_back()  # what ``prepare`` began: nothing is in it
            copy_log(self._store.connection)

    def append(self, entry: Entry) -> Row:
        """Seal, sequence and link; the row is inserted with all others of its unit.

        Raises Malformed (BODY_TOO_LARGE) with nothing written.
        """
        (link,) = self.append_all((entry,))
        return row_of(link)

    def append_all(self, entries: Sequence[Entry]) -> list[Link]:
        """The same of many in one pass. Raises as ``append``, with none of them written."""
        seal = self._sealer.seal
        sealed = (
            (id, lane, born, seal(plaintext, id, lane, born))
            for id, lane, born, plaintext, _, _ in entries
        )
        links, self._head = append_all(self._suite, self._head, sealed)
        self._rows += links
        for entry in entries:
            self._lanes[entry.lane] += 1
            if entry.consumed is not None:
                self._keep_consumption(entry, entry.consumed)
        return links

    def _keep_consumption(self, entry: Entry, token: bytes) -> None:
        self._store.insert_consumption(token, entry.id, entry.born, entry.verdict)
        self._observe(Edge.CODE_CONSUMED)

    def settle(self, epoch: int, rows: Sequence[Settled]) -> int:
        """Mark rows of this epoch and these hashes settled, where pending; how many changed."""
        standing = self._standings.get(epoch)
        if standing is None:
            return 0
        self._insert()
        lanes = self._store.settle(epoch, rows)
        standing = self._standings[epoch]
        floor = self._find_floor(standing)
        self._standings[epoch] = standing.without(lanes, floor=floor, settled=True)
        self._observe(Edge.ROWS_SETTLED)
        return len(lanes)

    def tombstone(
        self,
        positions: Sequence[Position],
        reason: Reason,
        build: Callable[[tuple[Tombstone, ...]], Entry],
        erase: bool,
    ) -> Row:
        """Give rows up: append the record that ``build`` makes of them, then mark them.

        Raises Refused with nothing written: NOT_FOUND, STATE_STEP for a row that is not pending,
        REQUEST_NOT_ALLOWED for a lane that is never given up; Malformed for too many rows.
        """
        self._insert()
        rows = [self._find_lost(at) for at in dict.fromkeys(positions)]
        names = (Tombstone(row.at.epoch, row.at.seq, row.id, row.hash, reason) for row in rows)
        record = self.append(build(tuple(names)))
        self._insert()
        self._store.give_up([row.at for row in rows], record.id, erase)
        for epoch in {row.at.epoch for row in rows}:
            standing = self._standings[epoch]
            lanes = (row.lane for row in rows if row.at.epoch == epoch)
            floor = self._find_floor(standing)
            self._standings[epoch] = standing.without(lanes, floor=floor, settled=False)
        self._observe(Edge.ROWS_TOMBSTONED)
        return record

    def give_up_oldest(
        self,
        lane: Lane,
        limit: int,
        born_before: int | None,
        reason: Reason,
        build: Callable[[tuple[Tombstone, ...]], Entry],
    ) -> int:
        """Give up a lane's oldest pending rows and erase their bodies; how many there were.

        ``born_before`` spares younger ones. Raises as ``tombstone``.
        """
        rows = self.find_oldest(lane, limit)
        old = [at for at, born in rows if born_before is None or born < born_before]
        if old:
            self.tombstone(old, reason, build, erase=True)
            self._given[lane] = old[-1]
        return len(old)

    def find_oldest(self, lane: Lane, limit: int) -> list[tuple[Position, int]]:
        """A lane's oldest pending rows, of one epoch, each with its birth; seen from where the
        last were given up, for what is dearer may lie before in great number.

        Raises Unavailable, Damaged.
        """
        after = self._given.get(lane, Position(0, 0))
        for epoch, standing in sorted(self._durable.items()):
            if standing.waiting[lane] and epoch >= after.epoch:
                first = max(standing.floor, after.seq if epoch == after.epoch else 0)
                if found := self._store.list_oldest(epoch, first, lane, limit):
                    return [(Position(epoch, seq), born) for seq, born in found]
        return []

    def keep_anchor(self, head: Head, signature: bytes) -> bool:
        """Keep a head that central countersigned, if it is further than the last and this
        ledger's own; whether it was kept. Raises Unavailable, Damaged."""
        kept = self._anchors.get(head.epoch)
        genesis = genesis_head(self._suite, self._box, head.epoch)
        before = kept or Kept(genesis, b"", genesis, 0, 0)
        if head.seq <= before.head.seq or self._store.find_hash(Position(*head[:2])) != head.hash:
            return False
        self._keep(before._replace(head=head, signature=signature))
        return True

    def find_prunable(self, keep_rows: int, born_before: int, limit: int) -> Kept | None:
        """What would be kept after pruning: settled and tombstoned rows behind a countersigned
        head go, the oldest first, at most ``limit``. The last ``keep_rows`` stay, and who is
        younger. None where there is nothing to prune. Raises Unavailable, Damaged.
        """
        for epoch, kept in sorted(self._anchors.items()):
            spare = keep_rows if epoch == self._epoch else 0
            upto = min(kept.head.seq, self._standings[epoch].head.seq - spare)
            done = {RowState.SETTLED: 0, RowState.TOMBSTONED: 0}
            start = kept.start
            for seq, hash, state, born in self._store.list_first(epoch, upto, limit):
                # A row that is missing was lost by the disk: nothing is pruned over such a gap.
                if state not in done or born >= born_before or seq != start.seq + 1:
                    break
                done[RowState(state)] += 1
                start = Head(epoch, seq, hash)
            if start != kept.start:
                settled = kept.settled + done[RowState.SETTLED]
                given = kept.tombstoned + done[RowState.TOMBSTONED]
                return kept._replace(start=start, settled=settled, tombstoned=given)
            if start.seq < self._standings[epoch].head.seq:
                break  # what gave rows up may stand in a later epoch: the earlier goes first
        return None

    def prune(self, kept: Kept) -> int:
        """Drop the rows before ``kept``'s start; how many. Raises Unavailable, Damaged."""
        now = self._anchors[kept.head.epoch]  # may have got further meanwhile
        self._store.delete_rows(kept.head.epoch, kept.start.seq)
        self._keep(kept._replace(head=now.head, signature=now.signature))
        self._observe(Edge.ROWS_PRUNED)
        return kept.start.seq - now.start.seq

    def _keep(self, kept: Kept) -> None:
        self._store.save_anchor(kept)
        self._anchors[kept.head.epoch] = kept

    def find_standing(self, epoch: int) -> Standing | None:
        """An epoch as it stands in this unit."""
        return self._standings.get(epoch)

    def adopt(self, standing: Standing, kept: Kept | None = None) -> None:
        """A former epoch stands so from this unit on: the caller has put rows of it back."""
        if kept is not None:
            self._keep(kept)
        assert standing.head.epoch != self._epoch, "nothing is put back into the epoch at work"
        self._standings[standing.head.epoch] = standing

    @property
    def store(self) -> Store:
        """The open file's tables, for what is put back."""
        return self._store

    def find_record(self, id: bytes) -> bool:
        """Whether a record is here. Raises Unavailable, Damaged."""
        return self._store.find_record(id)

    def read_pending(self, limit: int, after: tuple[int, int] = (0, 0)) -> Pending | None:
        """The oldest pending rows of one epoch behind (epoch, seq). Raises Unavailable, Damaged."""
        for epoch, standing in sorted(self._durable.items()):
            if not standing.pending or epoch < after[0]:
                continue
            floor = max(standing.floor, after[1]) if epoch == after[0] else standing.floor
            if rows := self._store.list_pending(epoch, floor, limit, self._suite):
                # A damaged body needs nothing, and goes up to be parked by central.
                needed = {peek_encapsulation_id(row.body) for row in rows}
                keys = self._store.list_encapsulations(sorted(needed))
                return Pending(standing.head, rows, keys)
        return None

    def close(self) -> None:
        """Close the file; SQLite copies the write-ahead log back as it goes."""
        self._store.close()

    def _find_lost(self, at: Position) -> Found:
        row = self._store.find_row(at)
        if row is None:
            raise Refused(Reason.NOT_FOUND, f"no row {at.epoch}/{at.seq}")
        if row.lane in KEPT_LANES:
            raise Refused(
                Reason.REQUEST_NOT_ALLOWED, f"lane {Lane(row.lane).name} is never given up"
            )
        check_step(RowState(row.state), RowState.TOMBSTONED)
        return row

    def _find_floor(self, standing: Standing) -> int:
        """How far an epoch's floor has risen; with nothing pending up to its durable head."""
        first = self._store.find_first_pending(standing.head.epoch, standing.floor)
        return standing.head.seq if first is None else first[0] - 1

    def _insert(self) -> None:
        """Write the rows that were appended since, all with one statement."""
        if not self._rows:
            return
        self._store.insert_rows(self._rows)
        for _ in self._rows:
            self._observe(Edge.ROW_INSERTED)
        self._rows.clear()
        own = self._standings[self._epoch]
        waiting = tuple(map(operator.add, own.waiting, self._lanes))
        self._lanes[:] = NO_ROWS
        self._standings[self._epoch] = own._replace(head=self._head, waiting=waiting)

    def _keep_standings(self) -> None:
        """Note what changed: settlings at once, enqueues now and then, to spare them the page."""
        for epoch, standing in self._standings.items():
            before = self._durable.get(epoch)
            far = epoch == self._epoch and standing.head.seq - self._noted >= _ROWS_BETWEEN_NOTES
            if far or before is None or _settled(standing) != _settled(before):
                self._store.note(standing)
                if epoch == self._epoch:
                    self._noted = standing.head.seq

    def _forget(self) -> None:
        """Nothing of this unit happened."""
        self._store.roll_back()
        self._rows.clear()
        self._lanes[:] = NO_ROWS
        self._standings = dict(self._durable)
        self._anchors = dict(self._durable_anchors)
        self._head = self._durable[self._epoch].head
        self._noted = min(self._noted, self._head.seq)


def _settled(standing: Standing) -> tuple[int, int, int, int]:
    return standing.floor, standing.settled, standing.tombstoned, standing.lost
