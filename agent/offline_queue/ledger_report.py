"""Proves a queue from its file alone: chain, states, bodies, account. Trusts no counter.

Reads beside the writer, or after a crash, in one snapshot; changes nothing. Used by the agent's
command line, by fault tests as the oracle, and by whoever holds a dead box's disk.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.offline_queue.states import KEPT_LANES
from agent.offline_queue.store import Epoch, Kept, Position, Store, StoredRow, reading
from shared.crypto import VerifyKey, suite
from shared.errors import Damaged, Malformed, NotAuthentic
from shared.findings import Findings
from shared.ids import BoxId, parse_box_id
from shared.ledger import (
    HASH_BYTES,
    Account,
    Finding,
    Head,
    Lane,
    Mark,
    RowState,
    anchor_bytes,
    split_gaps,
    verify_chain,
)
from shared.reasons import Reason
from shared.sealing import BODY_FORM, encapsulation_id, parse_encapsulation_id

_ROWS_A_STEP = 10_000


class LedgerReport(NamedTuple):
    """What the file proves; ``head`` is the latest epoch's. All is well without findings."""

    account: Account
    findings: tuple[Finding, ...]
    head: Head
    lost: tuple[Finding, ...] = ()
    """Gaps that a damaged file has left, named to central: nothing is wrong with them here."""
    wrong: int = 0
    """How many findings there are; kept are the first by place."""

    @property
    def holds(self) -> bool:
        """Whether every record is accounted for and nothing is wrong."""
        return self.account.holds and not self.findings


def verify_queue(
    path: Path,
    announcements: VerifyKey | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> LedgerReport:
    """Read and check every row of the queue at ``path``.

    ``announcements`` is central's key: with it, its signature under a countersigned head is
    checked too. ``progress`` hears how many rows have passed, every ten thousand. Raises
    Unavailable (missing, not begun), Refused (STORE_NEWER), Damaged (unreadable).
    """
    with reading(path) as store:
        return _verify(store, announcements, progress)


def _verify(
    store: Store, announcements: VerifyKey | None, progress: Callable[[int], None]
) -> LedgerReport:
    epochs = store.list_epochs()
    if not epochs:
        raise Damaged(Reason.STORE_DAMAGED, "a queue without an epoch")
    anchors = store.list_anchors()
    findings = Findings()
    inspections = [
        _Inspection(store, epoch, anchors.get(epoch.head.epoch), progress, findings)
        for epoch in epochs
    ]
    for inspection in inspections:
        inspection.run(announcements)
    givers = _find_givers(store, {id for inspection in inspections for id in inspection.named})
    for inspection in inspections:
        findings.add_all(inspection.check_named(givers))
    counts = sum((inspection.counts for inspection in inspections), Counter[int]())
    head = inspections[-1].head
    if sum(inspection.rows for inspection in inspections) != sum(store.count_rows().values()):
        findings.add(_state(head.epoch, 0, "rows of an epoch that never began"))
    account = Account(
        created=sum(inspection.head.seq for inspection in inspections),
        acknowledged=counts[RowState.SETTLED],
        pending=counts[RowState.PENDING],
        tombstoned=counts[RowState.TOMBSTONED],
        lost=sum(each.last - each.first + 1 for ins in inspections for each in ins.lost),
    )
    lost = tuple(each for inspection in inspections for each in inspection.lost)
    return LedgerReport(account, findings.first(), head, lost, findings.count)


def _find_givers(store: Store, named: set[bytes]) -> set[bytes]:
    """Which of the records that gave rows up are here, in the identity lane."""
    return {id for id in store.iterate_ids(Lane.IDENTITY) if id in named} if named else set()


class _Inspection:
    """One epoch's verification: rows pass by once, in order, and none is kept."""

    def __init__(
        self,
        store: Store,
        epoch: Epoch,
        kept: Kept | None,
        progress: Callable[[int], None],
        found: Findings,
    ) -> None:
        self.rows = 0
        self.counts: Counter[int] = Counter()
        """Rows by state, with those that were pruned."""
        self.named: dict[bytes, int] = {}
        """Ids of the records that gave rows up, each with one of those rows."""
        self.head = _furthest_head(store, epoch)
        self.lost: list[Finding] = []
        self._store = store
        self._epoch = epoch
        self._kept = kept
        self._progress = progress
        self._suite = suite(epoch.suite)
        self._found = found
        self._keys = {
            key.id
            for key in store.list_all_encapsulations()
            if encapsulation_id(self._suite, key.wrapped) == key.id
        }

    def run(self, announcements: VerifyKey | None) -> None:
        """Look at everything of this epoch alone."""
        box = parse_box_id(self._epoch.box)
        starts = [self._kept.start] if self._kept else []
        gaps: list[Finding] = []
        for finding in verify_chain(self._suite, box, self._marks(), [self.head], starts):
            if finding.reason is Reason.LEDGER_GAP:
                gaps.append(finding)
            else:
                self._found.add(finding)
        if self._kept is not None:
            self.counts[RowState.SETTLED] += self._kept.settled
            self.counts[RowState.TOMBSTONED] += self._kept.tombstoned
            self._check_kept(box, self._kept, announcements)
        named = [each[1:] for each in self._store.list_lost() if each[0] == self.head.epoch]
        self.lost, open_gaps = split_gaps(gaps, named)
        self._found.add_all(open_gaps)
        self._check_notes()

    def check_named(self, givers: set[bytes]) -> list[Finding]:
        """Rows given up by no record of the identity lane, of whatever epoch."""
        detail = "given up by no record of the identity lane"
        epoch = self._epoch.head.epoch
        return [_state(epoch, seq, detail) for id, seq in self.named.items() if id not in givers]

    def _marks(self) -> Iterator[Mark]:
        # A million rows pass here in seconds: what is as it should be takes the short road.
        digest, keys, floor = self._suite.digest, self._keys, self._epoch.floor
        pending = settled = 0
        for mark, state, body, tombstone in self._store.iterate_rows(self._epoch.head.epoch):
            self.rows += 1
            if self.rows % _ROWS_A_STEP == 0:
                self._progress(_ROWS_A_STEP)
            if not _is_well_formed(mark):
                self.counts[state] += 1
                self._find(mark.seq, "columns out of range")
                continue
            right = tombstone is None and (
                body is None
                or (digest(body) == mark.body_hash and body[2:18] in keys and body[0] == BODY_FORM)
            )
            if right and state == RowState.SETTLED:
                settled += 1
            elif right and state == RowState.PENDING and body is not None and mark.seq > floor:
                pending += 1
            else:
                self.counts[state] += 1
                self._check_row(StoredRow(mark, state, body, tombstone))
            yield mark
        self.counts[RowState.SETTLED] += settled
        self.counts[RowState.PENDING] += pending

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
        if row.tombstone is not None:
            self.named[row.tombstone] = seq
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
        _, _, head, _, settled, tombstoned, lost = self._epoch
        if lost != sum(each.last - each.first + 1 for each in self.lost):
            self._find(0, f"noted {lost} lost")
        counted = (self.counts[RowState.SETTLED], self.counts[RowState.TOMBSTONED])
        if (settled, tombstoned) != counted:
            self._find(0, f"noted {settled} settled, {tombstoned} tombstoned")
        hash = self._store.find_hash(Position(head.epoch, head.seq))
        if hash is not None and hash != head.hash:
            self._find(head.seq, "noted head differs", Reason.LEDGER_FORK)

    def _check_kept(self, box: BoxId, kept: Kept, announcements: VerifyKey | None) -> None:
        """Whether central's word is there for what was pruned, and of this very ledger."""
        head, start = kept.head, kept.start
        if kept.settled + kept.tombstoned != start.seq or start.seq > head.seq:
            self._find(start.seq, "more was pruned than central countersigned")
        here = self._store.find_hash(Position(head.epoch, head.seq))
        known = start.hash if head.seq == start.seq else here
        if known != head.hash:
            self._find(head.seq, "countersigned head differs", Reason.LEDGER_FORK)
        if announcements is not None:
            try:
                announcements.verify(kept.signature, anchor_bytes(self._suite, box, head))
            except NotAuthentic as error:
                self._find(head.seq, "countersignature", error.reason)

    def _find(self, seq: int, detail: str, reason: Reason = Reason.LEDGER_STATE) -> None:
        self._found.add(Finding(reason, self._epoch.head.epoch, seq, seq, detail))


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
