"""One box's account proved from central's tables: every row, every signed head, every parked body.

Rows pass by once, in order, and none is kept: a million take seconds and little memory. Reads at
the caller's moment and takes no lock.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from central.fleet.service import Fleet
from central.ingest import store
from central.ingest.damage_store import list_lost
from central.ingest.model import Standing
from central.ingest.store import Position, StoredHead
from shared.crypto import STD, suite
from shared.errors import Refused
from shared.findings import Findings
from shared.ids import BoxId
from shared.ledger import (
    HASH_BYTES,
    Account,
    Finding,
    Head,
    Mark,
    signed_bytes,
    split_gaps,
    verify_chain,
)
from shared.reasons import Reason

Progress = Callable[[int], None]
_ROWS_A_STEP = 10_000


def tell_nobody(_rows: int) -> None:
    """Where nobody looks."""


@dataclass(frozen=True, slots=True)
class BoxReport:
    """What central's tables prove of one box. ``gaps`` are open; ``findings`` are wrong; ``lost``
    went with a damaged file of the box, which named them."""

    box: str
    account: Account
    parked: int
    gaps: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    lost: tuple[Finding, ...] = ()
    wrong: int = 0  # how many findings there are; kept are the first by place

    @property
    def holds(self) -> bool:
        """Whether the account balances and nothing is wrong."""
        return self.account.holds and not self.findings


class Proof:
    """Proves one box after the other."""

    def __init__(self, fleet: Fleet, progress: Progress = tell_nobody) -> None:
        self._fleet = fleet
        self._progress = progress

    def prove(self, box: BoxId) -> BoxReport:
        """From every row."""
        heads = store.list_heads(box)
        by_epoch = {stored.signed.head.epoch: stored.signed.head for stored in heads}
        tally = _Tally(by_epoch, self._progress)
        chain = verify_chain(
            STD,
            box,
            tally.read(store.iterate_positions(box)),
            by_epoch.values(),
        )
        gaps: list[Finding] = []
        findings = tally.findings
        for finding in chain:
            if finding.reason is Reason.LEDGER_GAP:
                gaps += _split_gap(finding, tally.tombstones)
            else:
                findings.add(finding)
        named = list_lost(box)
        lost: list[Finding] = []
        for epoch in {gap.epoch for gap in gaps} & named.keys():
            here = [gap for gap in gaps if gap.epoch == epoch]
            gone, still = split_gaps(here, named[epoch])
            lost += gone
            gaps = [gap for gap in gaps if gap.epoch != epoch] + still
        for stored in heads:
            findings.add_all(self._verify_head(box, stored))
            findings.add_all(_check_received(stored, tally, gaps))
        findings.add_all(_check_heads(by_epoch, tally))
        findings.add_all(_check_bodies(tally.parked, store.iterate_parked_bodies(box)))
        findings.add_all(
            Finding(Reason(fork.reason), fork.epoch, fork.seq, fork.seq, "signed both ways")
            for fork in store.list_forks(box)
        )
        account = Account(
            created=sum(stored.signed.head.seq for stored in heads),
            acknowledged=tally.received.total(),
            pending=sum(gap.last - gap.first + 1 for gap in gaps),
            tombstoned=sum(map(len, tally.tombstones.values())),
            lost=sum(each.last - each.first + 1 for each in lost),
        )
        return BoxReport(
            str(box),
            account,
            len(tally.parked),
            tuple(gaps),
            findings.first(),
            tuple(lost),
            findings.count,
        )

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

    def __init__(self, heads: Mapping[int, Head], progress: Progress) -> None:
        self.received: Counter[int] = Counter()
        self.parked: dict[tuple[int, int], bytes] = {}  # the digests of their bodies
        self.tombstones: dict[int, array[int]] = {}
        """The sequences of each epoch, in order, eight bytes each: there may be very many."""
        self.findings = Findings()
        self._heads = heads
        self._progress = progress

    def read(self, positions: Iterator[Position]) -> Iterator[Mark]:
        """The marks of what was received; a tombstone stands for its row in the next link."""
        before: Position | None = None
        for count, position in enumerate(positions, 1):
            if not count % _ROWS_A_STEP:
                self._progress(_ROWS_A_STEP)
            if position.mark is None:
                self._bury(position)
            else:
                self.received[position.epoch] += 1
                if position.standing == Standing.PARKED:
                    self.parked[position.epoch, position.seq] = position.mark.body_hash
                if before is not None and before.mark is None:
                    self._check_link(before, position, position.mark)
                yield position.mark
            before = position

    def _bury(self, position: Position) -> None:
        epoch, seq, _, hash, _ = position
        self.tombstones.setdefault(epoch, array("Q")).append(seq)
        head = self._heads.get(epoch)
        if head is None or seq > head.seq:
            self.findings.add(_fork(epoch, seq, "given up beyond the signed head"))
        elif seq == head.seq and hash != head.hash:
            self.findings.add(_fork(epoch, seq, "signed head differs"))

    def _check_link(self, before: Position, position: Position, mark: Mark) -> None:
        follows = (before.epoch, before.seq + 1) == (position.epoch, position.seq)
        if follows and before.hash != mark.prev:
            detail = "does not name the tombstoned row before"
            place = (position.epoch, position.seq, position.seq)
            self.findings.add(Finding(Reason.LEDGER_LINK, *place, detail))


def _fork(epoch: int, seq: int, detail: str) -> Finding:
    return Finding(Reason.LEDGER_FORK, epoch, seq, seq, detail)


def _split_gap(gap: Finding, tombstones: Mapping[int, "array[int]"]) -> Iterator[Finding]:
    """What of a gap is open, once the tombstoned rows in it are taken out."""
    buried = tombstones.get(gap.epoch, array("Q"))
    here = buried[bisect_left(buried, gap.first) : bisect_right(buried, gap.last)]
    first = gap.first
    for seq in (*here, gap.last + 1):
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


def _check_heads(heads: Mapping[int, Head], tally: _Tally) -> Iterator[Finding]:
    """What the chain's verification, which knows marks and heads only, does not see."""
    for epoch in sorted(tally.received.keys() - heads.keys()):
        yield Finding(Reason.LEDGER_STATE, epoch, 0, 0, "rows without a signed head")


def _check_bodies(
    parked: dict[tuple[int, int], bytes], kept: Iterator[tuple[int, int, bytes]]
) -> Iterator[Finding]:
    """A parked row is in custody by its body: whether each is here, and what the box signed."""
    missing = dict(parked)
    for epoch, seq, body in kept:
        signed = missing.pop((epoch, seq), None)
        if signed is None:
            yield Finding(Reason.LEDGER_STATE, epoch, seq, seq, "a body of no parked row")
        elif STD.digest(body) != signed:
            yield Finding(Reason.LEDGER_HASH, epoch, seq, seq, "the parked body was changed")
    for epoch, seq in missing:
        yield Finding(Reason.LEDGER_STATE, epoch, seq, seq, "the parked body is missing")
