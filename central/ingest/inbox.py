"""Takes a box's batch into custody: one unit of work, and what the receipt will say.

Every authentic row is taken, also one that central cannot interpret: that one is parked with its
reason. A row that ends the process by a bug is counted after its unit was rolled back, and parked
the third time, so that it does not block the rest for ever. Only a row that contradicts what the
box signed before is not taken: a fork. It is kept as evidence, and what else comes of that epoch is
parked.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from central.fleet.service import Fleet
from central.ingest import store
from central.ingest.bodies import Bodies
from central.ingest.chain import Contradiction, find_contradiction, find_hash_contradiction
from central.ingest.dispatch import Dispatcher
from central.ingest.evidence import Contradictions
from central.ingest.model import Standing
from central.ingest.store import ParkedRow, SignedHead, StoredHead
from central.storage.database import Database
from shared.clock import to_microseconds
from shared.codec import batches
from shared.crypto import STD, Suite, suite
from shared.errors import Malformed, NotAuthentic, OneCodeError, Refused
from shared.ids import BoxId, RecordId, record_id
from shared.ledger import FIRST_SEQ, Mark, Row, genesis_hash, hash_of, verify_batch
from shared.messages import Batch, Receipt, Record, Settled, Tombstone, TombstoneRecord
from shared.reasons import Reason

MOST_CRASHES = 3
"""So often may one row end this process before it is parked."""
MOST_BATCH_BYTES = 1280 * 1024
"""As the broker's largest packet: what is larger did not come from a box."""
_MOST_KEYLESS = 200
"""So many rows are tried again at once when their body key comes; others by the next replay."""
_MOST_APART = 1000


class RowCrashError(Exception):
    """A handler failed on a row in a way that nobody foresaw: a bug, named by its position."""

    def __init__(self, box: BoxId, epoch: int, seq: int, hash: bytes) -> None:
        super().__init__(f"{box} epoch {epoch} seq {seq}")
        self.box = box
        self.epoch = epoch
        self.seq = seq
        self.hash = hash


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch whose signature holds, or a part of its rows."""

    suite: Suite
    batch: Batch
    rows: Sequence[Row]
    hashes: Sequence[bytes]
    signed: SignedHead
    contradicts: bool = False
    """Whether a row of it contradicts what is known: then none of it is interpreted."""

    def split(self, most: int) -> Iterator["Opened"]:
        """In parts of so many rows at the most, each good by itself; one at least."""
        for at in range(0, max(1, len(self.rows)), most):
            rows, hashes = self.rows[at : at + most], self.hashes[at : at + most]
            yield replace(self, rows=rows, hashes=hashes)


class Told(NamedTuple):
    """Who hears of what a person must look at, in the unit of work that finds it."""

    fork: Callable[[BoxId, int, Contradiction, datetime], None] = lambda *_: None
    """Of each contradiction once: the box and its epoch."""
    refused: Callable[[BoxId, RecordId, Record, Reason, datetime], None] = lambda *_: None
    """Of each readable record that is parked because its feature refused it."""
    parked: Callable[[BoxId, bytes, Reason, datetime], None] = lambda *_: None
    """Of each row that is parked, readable or not, by its id."""
    replayed: Callable[[BoxId, bytes, datetime], None] = lambda *_: None
    """Of each row that was parked and has been interpreted."""


NOBODY = Told()


class Inbox:
    """Used inside the caller's unit of work, by one thread."""

    def __init__(
        self,
        database: Database,
        fleet: Fleet,
        bodies: Bodies,
        dispatcher: Dispatcher,
        told: Told = NOBODY,
    ) -> None:
        self._database = database
        self._fleet = fleet
        self._bodies = bodies
        self._dispatcher = dispatcher
        self.told = told
        self._contradictions = Contradictions(fleet)

    def take(self, box: BoxId, payload: bytes, at: datetime) -> Receipt | None:
        """The receipt for a batch, the same for the same batch; None when no row was taken.

        Raises Refused for a batch that is not authentic or not this box's, RowCrashError.
        """
        taken = self.take_part(box, self.open(box, payload), at)
        return self.receipt(box, taken)

    @staticmethod
    def receipt(box: BoxId, taken: Sequence[tuple[int, Settled]]) -> Receipt | None:
        """For rows of one epoch that are in custody."""
        if not taken:
            return None
        return Receipt(str(box), taken[0][0], tuple(settled for _, settled in taken))

    def take_part(self, box: BoxId, opened: Opened, at: datetime) -> list[tuple[int, Settled]]:
        """Take rows into custody: epoch and row of each that was. Raises RowCrashError."""
        batch = opened.batch
        if self._bodies.keep(box, batch):
            self._try_keyless(box, at)
        stored = store.find_head(box, batch.head.epoch)
        forked = self._is_head_forked(box, opened, stored, at)
        heads = [] if forked else [batch.head]
        if stored is not None:
            heads.append(stored.signed.head)
        genesis = genesis_hash(opened.suite, box, batch.head.epoch)
        set_aside = opened.contradicts or forked
        set_aside = set_aside or self._contradictions.is_forked(box, batch.head.epoch)
        crashed = store.list_crashed(box, MOST_CRASHES)
        taken: list[Settled] = []
        received = 0
        for row, hash in zip(opened.rows, opened.hashes, strict=True):
            known = store.list_neighbours(box, batch.head.epoch, row.seq)
            contradiction = find_contradiction(row, hash, known, heads, genesis)
            here = known.get(row.seq)
            if contradiction is not None:
                self._report_fork(box, contradiction, opened.signed, row, at)
                forked = set_aside = True
                continue
            if here is None or here.standing == Standing.TOMBSTONED:
                reason = Reason.RECORD_POISON if hash in crashed else None
                reason = Reason.LEDGER_FORK if set_aside else reason
                self._take_row(box, opened, row, hash, reason, at)
                received += 1
            taken.append(Settled(row.seq, hash))
        # Of a forked batch the head is believed only where its own row agrees with the ledger.
        believed = not forked or Settled(batch.head.seq, batch.head.hash) in taken
        self._save_head(box, opened, stored, received, believed=believed)
        return [(batch.head.epoch, settled) for settled in taken]

    def count_crash(self, crash: RowCrashError) -> None:
        """Remember that a row ended the process; in a unit of its own."""
        store.count_crash(crash.box, crash.epoch, crash.seq, crash.hash)

    def interpret(self, box: BoxId, epoch: int, row: Row, hash: bytes, at: datetime) -> None:
        """Open a row and give it to its feature. Raises Refused, RowCrashError."""
        if store.is_interpreted(box, row.id):
            raise Refused(Reason.ALREADY_EXISTS)
        record = self._bodies.open(box, row)
        try:
            if isinstance(record, TombstoneRecord):
                self._bury(box, record, at)
            else:
                self._dispatcher.record(box, row.id, record, at)
        except OneCodeError:
            raise
        except Exception as error:
            raise RowCrashError(box, epoch, row.seq, hash) from error

    def open(self, box: BoxId, payload: bytes) -> Opened:
        """Raises Refused for a batch that is not authentic or not this box's."""
        if len(payload) > MOST_BATCH_BYTES:
            raise Malformed(Reason.BODY_TOO_LARGE, f"{len(payload)} bytes")
        batch = batches.decode(payload)
        if batch.box != str(box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        if not 0 <= batch.key_id < 1 << 32:  # more than its table could hold
            raise NotAuthentic(Reason.KEY_UNKNOWN)
        algorithms = suite(batch.suite)
        key = self._fleet.verify_key(box, batch.key_id)
        self._fleet.check_epoch(box, batch.key_id, batch.head.epoch)
        hashes = verify_batch(
            algorithms, key, box, batch.key_id, batch.head, batch.rows, batch.signature
        )
        joined = b"".join(hashes)
        signed = SignedHead(batch.head, batch.suite, batch.key_id, batch.signature, joined)
        contradicts = self._contradicts(box, algorithms, batch, hashes)
        return Opened(algorithms, batch, batch.rows, hashes, signed, contradicts)

    def retry(self, parked: ParkedRow, at: datetime) -> bool:
        """Try a parked row again, in a unit of its own; whether it is interpreted now.

        One that still cannot be read keeps its newest reason. Raises RowCrashError.
        """
        box, epoch, row = parked.box, parked.epoch, parked.row
        try:
            with self._database.unit():
                self.interpret(box, epoch, row, hash_of(STD, row), at)
                store.save_standing(box, epoch, row.seq, Standing.INTERPRETED)
                store.delete_parked(box, epoch, row.seq)
                self.told.replayed(box, row.id, at)
        except Refused as refusal:
            with self._database.unit():
                store.save_parked_reason(box, epoch, row.seq, refusal.reason)
            return False
        return True

    def _try_keyless(self, box: BoxId, at: datetime) -> None:
        """A body key came: rows that were parked for want of one are tried again."""
        crashed = store.list_crashed(box, MOST_CRASHES)
        missing = Reason.ENCAPSULATION_MISSING
        for parked in store.list_parked(box, missing, limit=_MOST_KEYLESS):
            if hash_of(STD, parked.row) in crashed:
                store.save_parked_reason(box, parked.epoch, parked.row.seq, Reason.RECORD_POISON)
            elif not self._contradictions.is_forked(box, parked.epoch):
                self.retry(parked, at)

    @staticmethod
    def _contradicts(box: BoxId, algorithms: Suite, batch: Batch, hashes: Sequence[bytes]) -> bool:
        """Whether a row contradicts what is known, as far as one look can tell."""
        seqs = [row.seq for row in batch.rows]
        if not seqs or max(seqs) - min(seqs) > _MOST_APART:
            return False  # each is looked at in its turn
        epoch = batch.head.epoch
        known = store.list_known(box, epoch, min(seqs), max(seqs))
        stored = store.find_head(box, epoch)
        heads = [stored.signed.head] if stored is not None else []
        genesis = genesis_hash(algorithms, box, epoch)
        return any(
            find_contradiction(row, hash, known, heads, genesis)
            for row, hash in zip(batch.rows, hashes, strict=True)
        )

    def _take_row(  # noqa: PLR0913, PLR0917 - a row, its place, why it may not be interpreted
        self,
        box: BoxId,
        opened: Opened,
        row: Row,
        hash: bytes,
        reason: Reason | None,
        at: datetime,
    ) -> None:
        epoch, received_at = opened.batch.head.epoch, to_microseconds(at)
        if reason is None:
            try:
                with self._database.unit():
                    self.interpret(box, epoch, row, hash, at)
            except Refused as refusal:
                reason = refusal.reason
                self._tell_refused(box, row, reason, at)
        body_hash = opened.suite.digest(row.body)
        mark = Mark(epoch, row.seq, row.id, row.lane, row.born, row.prev, body_hash, hash)
        standing = Standing.INTERPRETED if reason is None else Standing.PARKED
        store.save_row(box, epoch, mark, standing, received_at)
        if reason is not None:
            store.insert_parked(box, epoch, row, reason, received_at)
            self.told.parked(box, row.id, reason, at)

    def _tell_refused(self, box: BoxId, row: Row, reason: Reason, at: datetime) -> None:
        try:
            id, record = record_id(UUID(bytes=row.id)), self._bodies.open(box, row)
        except Refused:
            return  # nobody can say what it is
        self.told.refused(box, id, record, reason, at)

    def _bury(self, box: BoxId, record: TombstoneRecord, at: datetime) -> None:
        """Note the positions a box has given up; one that had arrived after all stays received."""
        for tombstone in record.rows:
            _check_tombstone(tombstone)
            epoch, seq = tombstone.epoch, tombstone.seq
            stored = store.find_head(box, epoch)
            heads = [stored.signed.head] if stored is not None else []
            known = store.list_neighbours(box, epoch, seq)
            contradiction = find_hash_contradiction(seq, tombstone.hash, known, heads)
            if contradiction is not None and stored is not None:
                self._report_fork(box, contradiction, stored.signed, None, at)
            elif seq not in known:
                store.insert_tombstone(box, tombstone, to_microseconds(at))

    def _is_head_forked(
        self, box: BoxId, opened: Opened, stored: StoredHead | None, at: datetime
    ) -> bool:
        """Whether a batch's head contradicts what the box signed or sent before."""
        head = opened.batch.head
        here = store.list_neighbours(box, head.epoch, head.seq).get(head.seq)
        if head.seq == 0:
            known = genesis_hash(opened.suite, box, head.epoch)
        elif stored is not None and stored.signed.head.seq == head.seq:
            known = stored.signed.head.hash
        elif here is not None:
            known = here.hash
        else:
            return False
        if known == head.hash:
            return False
        contradiction = Contradiction(head.seq, head.hash, known, Reason.LEDGER_FORK)
        self._report_fork(box, contradiction, opened.signed, None, at)
        return True

    def _report_fork(
        self,
        box: BoxId,
        contradiction: Contradiction,
        signed: SignedHead,
        row: Row | None,
        at: datetime,
    ) -> None:
        if self._contradictions.keep(box, contradiction, signed, row, at):
            self.told.fork(box, signed.head.epoch, contradiction, at)

    def _save_head(
        self,
        box: BoxId,
        opened: Opened,
        stored: StoredHead | None,
        received: int,
        *,
        believed: bool,
    ) -> None:
        """Advance the head, if it is believed; count what was taken."""
        batch = opened.batch
        signed = opened.signed
        if stored is not None:
            received += stored.received
            if not believed or stored.signed.head.seq >= batch.head.seq:
                signed = stored.signed
        store.save_head(box, signed, received)


def _check_tombstone(tombstone: Tombstone) -> None:
    if not 0 <= tombstone.epoch < 1 << 32 or not FIRST_SEQ <= tombstone.seq < 1 << 63:
        raise Malformed(Reason.MESSAGE_MALFORMED, "tombstone out of range")
