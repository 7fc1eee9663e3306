"""The boxes' ledgers as central can prove them from its own tables, and the parked rows.

created is known from signed heads; received (interpreted or parked) + tombstones + open gaps must
equal it. An open gap is no fault: those rows are still with the box.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from central.fleet.service import Fleet
from central.ingest import store
from central.ingest.inbox import Inbox
from central.ingest.model import Standing
from central.ingest.store import ParkedRow, Position, StoredHead
from central.storage.database import Database
from shared.crypto import STD, suite
from shared.errors import Refused
from shared.ids import BoxId
from shared.ledger import (
    HASH_BYTES,
    Account,
    Finding,
    Head,
    Mark,
    hash_of,
    signed_bytes,
    verify_chain,
)
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class BoxReport:
    """What central's tables prove of one box. ``gaps`` are open; ``findings`` are wrong."""

    box: str
    account: Account
    parked: int
    gaps: tuple[Finding, ...]
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether the account balances and nothing is wrong."""
        return self.account.holds and not self.findings


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the parked rows that were tried again."""

    interpreted: int
    still_parked: int


class Ledger:
    """Reads and proves; ``replay`` alone writes."""

    def __init__(self, database: Database, fleet: Fleet, inbox: Inbox) -> None:
        self._database = database
        self._fleet = fleet
        self._inbox = inbox

    def verify(self, box: BoxId | None = None) -> list[BoxReport]:
        """Prove the account of one box or of all, at one moment.

        Raises Refused (NOT_ADMITTED) for a box that never was.
        """
        with self._database.unit():
            if box is not None:
                return [self._verify_box(self._fleet.box(box).id)]
            boxes = {*store.list_boxes(), *(each.id for each in self._fleet.list_boxes())}
            return [self._verify_box(each) for each in sorted(boxes)]

    def list_parked(self, box: BoxId | None = None) -> list[ParkedRow]:
        """The rows in custody that wait for someone to make them readable."""
        with self._database.unit():
            return store.list_parked(box)

    def replay(
        self, at: datetime, box: BoxId | None = None, *, poisonous: bool = False
    ) -> Replayed:
        """Try the parked rows again, each in a unit of its own.

        Those that ended the process (RECORD_POISON) only when ``poisonous``: a bug that is not
        mended raises RowCrashError, and the row stays parked.
        """
        interpreted = still = 0
        for parked in self.list_parked(box):
            if parked.reason == Reason.RECORD_POISON and not poisonous:
                still += 1
            elif self._replay_row(parked, at):
                interpreted += 1
            else:
                still += 1
        return Replayed(interpreted, still)

    def _replay_row(self, parked: ParkedRow, at: datetime) -> bool:
        box, epoch, row = parked.box, parked.epoch, parked.row
        try:
            with self._database.unit():
                self._inbox.interpret(box, epoch, row, hash_of(STD, row), at)
                store.save_standing(box, epoch, row.seq, Standing.INTERPRETED)
                store.delete_parked(box, epoch, row.seq)
        except Refused as refusal:
            with self._database.unit():
                store.save_parked_reason(box, epoch, row.seq, refusal.reason)
            return False
        return True

    def _verify_box(self, box: BoxId) -> BoxReport:
        heads = store.list_heads(box)
        tally = _Tally()
        chain = verify_chain(
            STD,
            box,
            tally.read(store.iterate_positions(box)),
            [stored.signed.head for stored in heads],
        )
        gaps: list[Finding] = []
        findings: list[Finding] = []
        for finding in chain:
            if finding.reason is Reason.LEDGER_GAP:
                gaps += _split_gap(finding, tally.tombstones)
            else:
                findings.append(finding)
        findings += tally.findings
        for stored in heads:
            findings += self._verify_head(box, stored)
            findings += _check_received(stored, tally, gaps)
        findings += [
            Finding(Reason(fork.reason), fork.epoch, fork.seq, fork.seq, "signed both ways")
            for fork in store.list_forks(box)
        ]
        account = Account(
            created=sum(stored.signed.head.seq for stored in heads),
            acknowledged=tally.received.total(),
            pending=sum(gap.last - gap.first + 1 for gap in gaps),
            tombstoned=len(tally.tombstones),
        )
        parked = len(store.list_parked(box))
        if parked != tally.parked:
            detail = f"{tally.parked} positions are parked, {parked} bodies are kept"
            findings.append(Finding(Reason.LEDGER_STATE, 0, 0, 0, detail))
        return BoxReport(str(box), account, parked, tuple(gaps), tuple(findings))

    def _verify_head(self, box: BoxId, stored: StoredHead) -> Iterator[Finding]:
        """Whether the box's signature over its head still holds."""
        signed = stored.signed
        head, joined = signed.head, signed.hashes
        hashes = [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]
        try:
            algorithms = suite(signed.suite)
            data = signed_bytes(algorithms, box, signed.key_id, head, hashes)
            self._fleet.verify_key(box, signed.key_id).verify(signed.signature, data)
        except Refused as refusal:
            yield Finding(refusal.reason, head.epoch, head.seq, head.seq, "signed head")


class _Tally:
    """Counts positions on their way to the chain's verification, which knows marks only."""

    def __init__(self) -> None:
        self.received: Counter[int] = Counter()
        self.parked = 0
        self.tombstones: dict[tuple[int, int], bytes] = {}
        self.findings: list[Finding] = []

    def read(self, positions: Iterator[Position]) -> Iterator[Mark]:
        """The marks of what was received; a tombstone stands for its row in the next link."""
        for position in positions:
            if position.mark is None:
                self.tombstones[position.epoch, position.seq] = position.hash
                continue
            self.received[position.epoch] += 1
            self.parked += position.standing == Standing.PARKED
            before = self.tombstones.get((position.epoch, position.seq - 1))
            if before is not None and before != position.mark.prev:
                self.findings.append(
                    Finding(
                        Reason.LEDGER_LINK,
                        position.epoch,
                        position.seq,
                        position.seq,
                        "does not name the tombstoned row before",
                    )
                )
            yield position.mark


def _split_gap(gap: Finding, tombstones: dict[tuple[int, int], bytes]) -> Iterator[Finding]:
    """What of a gap is open, once the tombstoned rows in it are taken out."""
    given_up = sorted(
        seq for epoch, seq in tombstones if epoch == gap.epoch and gap.first <= seq <= gap.last
    )
    first = gap.first
    for seq in (*given_up, gap.last + 1):
        if first < seq:
            yield Finding(gap.reason, gap.epoch, first, seq - 1, gap.detail)
        first = seq + 1


def _check_received(stored: StoredHead, tally: _Tally, gaps: list[Finding]) -> Iterator[Finding]:
    """A row that was received and is no longer there looks like an open gap, but for the count."""
    head: Head = stored.signed.head
    found = tally.received[head.epoch]
    if found == stored.received:
        return
    open_here = [gap for gap in gaps if gap.epoch == head.epoch]
    first = min((gap.first for gap in open_here), default=0)
    last = max((gap.last for gap in open_here), default=head.seq)
    detail = f"{stored.received} rows were received, {found} are here"
    yield Finding(Reason.LEDGER_GAP, head.epoch, first, last, detail)
