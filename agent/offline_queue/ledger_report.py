"""Proves a queue from its file alone: chain, states, bodies, account. Trusts no counter.

Reads beside the writer, or after a crash, in one snapshot; changes nothing. Used by the agent's
command line, by fault tests as the oracle, and by whoever holds a dead box's disk.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.offline_queue.states import KEPT_LANES
from agent.offline_queue.store import Epoch, Position, Store, StoredRow, reading
from shared.crypto import suite
from shared.errors import Damaged, Malformed
from shared.ids import parse_box_id
from shared.ledger import HASH_BYTES, Account, Finding, Head, Lane, Mark, RowState, verify_chain
from shared.reasons import Reason
from shared.sealing import encapsulation_id, parse_encapsulation_id


class LedgerReport(NamedTuple):
    """What the file proves; ``head`` is the latest epoch's. All is well without findings."""

    account: Account
    findings: tuple[Finding, ...]
    head: Head

    @property
    def holds(self) -> bool:
        """Whether every record is accounted for and nothing is wrong."""
        return self.account.holds and not self.findings


def verify_queue(path: Path) -> LedgerReport:
    """Read and check every row of the queue at ``path``.

    Raises Unavailable (missing, not begun), Refused (STORE_NEWER), Damaged (unreadable).
    """
    with reading(path) as store:
        return _verify(store)


def _verify(store: Store) -> LedgerReport:
    epochs = store.list_epochs()
    if not epochs:
        raise Damaged(Reason.STORE_DAMAGED, "a queue without an epoch")
    inspections = [_Inspection(store, epoch) for epoch in epochs]
    findings = [finding for inspection in inspections for finding in inspection.run()]
    givers = {id for inspection in inspections for id in inspection.givers}
    for inspection in inspections:
        findings += inspection.check_named(givers)
    counts = sum((inspection.counts for inspection in inspections), Counter[int]())
    head = inspections[-1].head
    if counts.total() != sum(store.count_rows().values()):
        findings.append(_state(head.epoch, 0, "rows of an epoch that never began"))
    account = Account(
        created=sum(inspection.head.seq for inspection in inspections),
        acknowledged=counts[RowState.SETTLED],
        pending=counts[RowState.PENDING],
        tombstoned=counts[RowState.TOMBSTONED],
    )
    return LedgerReport(account, tuple(findings), head)


class _Inspection:
    """One epoch's verification: rows pass by once, in order."""

    def __init__(self, store: Store, epoch: Epoch) -> None:
        self.counts: Counter[int] = Counter()
        self.givers: set[bytes] = set()
        """Ids of the identity lane: only these may have given rows up."""
        self.head = _furthest_head(store, epoch)
        self._store = store
        self._epoch = epoch
        self._suite = suite(epoch.suite)
        self._found: list[Finding] = []
        self._named: dict[bytes, int] = {}
        """Ids of the records that gave rows up, each with one of those rows."""
        self._keys = {
            key.id
            for key in store.list_all_encapsulations()
            if encapsulation_id(self._suite, key.wrapped) == key.id
        }

    def run(self) -> list[Finding]:
        """The findings of this epoch alone, by sequence."""
        box = parse_box_id(self._epoch.box)
        chain = list(verify_chain(self._suite, box, self._marks(), [self.head]))
        self._check_notes()
        return sorted((*chain, *self._found), key=lambda finding: finding.first)

    def check_named(self, givers: set[bytes]) -> list[Finding]:
        """Rows given up by no record of the identity lane, of whatever epoch."""
        detail = "given up by no record of the identity lane"
        epoch = self._epoch.head.epoch
        return [_state(epoch, seq, detail) for id, seq in self._named.items() if id not in givers]

    def _marks(self) -> Iterator[Mark]:
        for row in self._store.iterate_rows(self._epoch.head.epoch):
            self.counts[row.state] += 1
            if _is_well_formed(row.mark):
                self._check_row(row)
                yield row.mark
            else:
                self._find(row.mark.seq, "columns out of range")

    def _check_row(self, row: StoredRow) -> None:
        seq = row.mark.seq
        if row.state not in frozenset(RowState):
            self._find(seq, f"state {row.state}")
        if row.state == RowState.PENDING and row.body is None:
            self._find(seq, "pending without a body")
        if (row.state == RowState.TOMBSTONED) != (row.tombstone is not None):
            self._find(seq, "tombstoned and not named, or the reverse")
        if row.state == RowState.TOMBSTONED and row.mark.lane in KEPT_LANES:
            self._find(seq, "a kept lane was given up")
        if row.mark.lane == Lane.IDENTITY:
            self.givers.add(row.mark.id)
        if row.tombstone is not None:
            self._named[row.tombstone] = seq
        if row.state == RowState.PENDING and seq <= self._epoch.floor:
            self._find(seq, "pending below the floor: it would never be sent")
        if row.body is not None:
            self._check_body(seq, row.body, row.mark.body_hash)

    def _check_body(self, seq: int, body: bytes, body_hash: bytes) -> None:
        if self._suite.digest(body) != body_hash:
            self._find(seq, "body and its hash differ", Reason.LEDGER_HASH)
            return
        try:
            needed = parse_encapsulation_id(body)
        except Malformed as error:
            self._find(seq, error.detail, error.reason)
            return
        if needed not in self._keys:
            self._find(seq, "no key for its body", Reason.ENCAPSULATION_MISSING)

    def _check_notes(self) -> None:
        _, _, head, _, settled, tombstoned = self._epoch
        counted = (self.counts[RowState.SETTLED], self.counts[RowState.TOMBSTONED])
        if (settled, tombstoned) != counted:
            self._find(0, f"noted {settled} settled, {tombstoned} tombstoned")
        hash = self._store.find_hash(Position(head.epoch, head.seq))
        if hash is not None and hash != head.hash:
            self._find(head.seq, "noted head differs", Reason.LEDGER_FORK)

    def _find(self, seq: int, detail: str, reason: Reason = Reason.LEDGER_STATE) -> None:
        self._found.append(Finding(reason, self._epoch.head.epoch, seq, seq, detail))


def _furthest_head(store: Store, epoch: Epoch) -> Head:
    """The noted head, or the last row where it lies further: enqueues do not note theirs."""
    last = store.find_last(epoch.head.epoch)
    return last if last is not None and last.seq > epoch.head.seq else epoch.head


def _is_well_formed(mark: Mark) -> bool:
    widths = (len(mark.id), len(mark.prev), len(mark.body_hash), len(mark.hash))
    return (
        widths == (16, HASH_BYTES, HASH_BYTES, HASH_BYTES)
        and 0 <= mark.lane < 1 << 8
        and 0 <= mark.born < 1 << 63
    )


def _state(epoch: int, seq: int, detail: str) -> Finding:
    return Finding(Reason.LEDGER_STATE, epoch, seq, seq, detail)
