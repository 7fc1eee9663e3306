"""The boxes' ledgers as central can prove them from its own tables, and the parked rows.

created is known from signed heads; received (interpreted or parked) + tombstones + open gaps must
equal it. An open gap is no fault: those rows are still with the box.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from central.fleet.service import Fleet
from central.ingest import store
from central.ingest.damage_store import list_lost
from central.ingest.inbox import Inbox, RowCrashError
from central.ingest.model import Standing
from central.ingest.store import ParkedRow, Place, Position, StoredHead
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
    signed_bytes,
    split_gaps,
    verify_chain,
)
from shared.reasons import Reason

_log = logging.getLogger(__name__)

_ROWS_A_PAGE = 100


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

    @property
    def holds(self) -> bool:
        """Whether the account balances and nothing is wrong."""
        return self.account.holds and not self.findings


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the parked rows that were tried again: of which boxes how many were read,
    and where to go on, if that was not all."""

    interpreted: int
    still_parked: int
    boxes: Mapping[BoxId, int] = field(default_factory=dict, compare=False)
    next: Place | None = None


class Ledger:
    """Reads and proves; ``replay`` alone writes."""

    def __init__(self, database: Database, fleet: Fleet, inbox: Inbox) -> None:
        self._database = database
        self._fleet = fleet
        self._inbox = inbox

    def verify(self, box: BoxId | None = None) -> list[BoxReport]:
        """Prove the account of one box or of all, each box at one moment.

        Raises Refused (NOT_ADMITTED) for a box that never was.
        """
        if box is not None:
            boxes = {self._fleet.box(box).id}
        else:
            boxes = {*store.list_boxes(), *(each.id for each in self._fleet.list_boxes())}
        return [self._verify_box(each) for each in sorted(boxes)]

    def list_parked(
        self,
        box: BoxId | None = None,
        *,
        site: str | None = None,
        after: Place = ("", 0, 0),
        limit: int = -1,
    ) -> list[ParkedRow]:
        """The rows in custody that wait for someone to make them readable, by place."""
        return store.list_parked(box, after=after, limit=limit, site=site)

    def replay(  # noqa: PLR0913 - which rows, and how
        self,
        at: datetime,
        box: BoxId | None = None,
        *,
        site: str | None = None,
        after: Place = ("", 0, 0),
        limit: int | None = None,
        poisonous: bool = False,
        set_aside: bool = False,
        careful: bool = False,
    ) -> Replayed:
        """Try parked rows again, each in a unit of its own; at most ``limit``, behind ``after``.

        Those that ended the process (RECORD_POISON) only when ``poisonous``: a bug that is not
        mended raises RowCrashError, and the row stays parked; when ``careful`` it becomes such a
        row. Those of a forked ledger only when ``set_aside``: a person has decided on them.
        """
        left_out = set() if poisonous else {Reason.RECORD_POISON.value}
        left_out |= set() if set_aside else {Reason.LEDGER_FORK.value}
        read: Counter[BoxId] = Counter()
        still = 0
        while limit is None or read.total() + still < limit:
            most = (
                _ROWS_A_PAGE if limit is None else min(_ROWS_A_PAGE, limit - read.total() - still)
            )
            page = self.list_parked(box, site=site, after=after, limit=most)
            for parked in page:
                done = parked.reason not in left_out and self._retry(parked, at, careful)
                read[parked.box] += done
                still += not done
            if not page:
                return Replayed(read.total(), still, +read)
            after = (str(page[-1].box), page[-1].epoch, page[-1].row.seq)
        return Replayed(read.total(), still, +read, after)

    def _retry(self, parked: ParkedRow, at: datetime, careful: bool) -> bool:
        try:
            return self._inbox.retry(parked, at)
        except RowCrashError as crash:
            if not careful:
                raise
            _log.exception("a parked row meets a bug: %s", crash)
            with self._database.unit():
                place = (parked.box, parked.epoch, parked.row.seq)
                store.save_parked_reason(*place, Reason.RECORD_POISON)
            return False

    def _verify_box(self, box: BoxId) -> BoxReport:
        # A moment of its own takes no write lock: a server takes batches meanwhile.
        with nullcontext() if self._database.in_unit else self._database.moment():
            return self._prove(box)

    def _prove(self, box: BoxId) -> BoxReport:
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
        named = list_lost(box)
        lost: list[Finding] = []
        for epoch in {gap.epoch for gap in gaps} & named.keys():
            here = [gap for gap in gaps if gap.epoch == epoch]
            gone, still = split_gaps(here, named[epoch])
            lost += gone
            gaps = [gap for gap in gaps if gap.epoch != epoch] + still
        findings += tally.findings
        for stored in heads:
            findings += self._verify_head(box, stored)
            findings += _check_received(stored, tally, gaps)
        findings += _check_heads({stored.signed.head.epoch: stored for stored in heads}, tally)
        findings += _check_bodies(tally.parked, store.iterate_parked_bodies(box))
        findings += [
            Finding(Reason(fork.reason), fork.epoch, fork.seq, fork.seq, "signed both ways")
            for fork in store.list_forks(box)
        ]
        account = Account(
            created=sum(stored.signed.head.seq for stored in heads),
            acknowledged=tally.received.total(),
            pending=sum(gap.last - gap.first + 1 for gap in gaps),
            tombstoned=len(tally.tombstones),
            lost=sum(each.last - each.first + 1 for each in lost),
        )
        return BoxReport(
            str(box), account, len(tally.parked), tuple(gaps), tuple(findings), tuple(lost)
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

    def __init__(self) -> None:
        self.received: Counter[int] = Counter()
        self.parked: dict[tuple[int, int], bytes] = {}  # the digests of their bodies
        self.tombstones: dict[tuple[int, int], bytes] = {}
        self.findings: list[Finding] = []

    def read(self, positions: Iterator[Position]) -> Iterator[Mark]:
        """The marks of what was received; a tombstone stands for its row in the next link."""
        for position in positions:
            if position.mark is None:
                self.tombstones[position.epoch, position.seq] = position.hash
                continue
            self.received[position.epoch] += 1
            if position.standing == Standing.PARKED:
                self.parked[position.epoch, position.seq] = position.mark.body_hash
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


def _check_heads(heads: dict[int, StoredHead], tally: _Tally) -> Iterator[Finding]:
    """What the chain's verification, which knows marks and heads only, does not see."""
    for epoch in sorted(tally.received.keys() - heads.keys()):
        yield Finding(Reason.LEDGER_STATE, epoch, 0, 0, "rows without a signed head")
    for (epoch, seq), hash in tally.tombstones.items():
        head = heads[epoch].signed.head if epoch in heads else None
        if head is None or seq > head.seq:
            yield Finding(Reason.LEDGER_FORK, epoch, seq, seq, "given up beyond the signed head")
        elif seq == head.seq and hash != head.hash:
            yield Finding(Reason.LEDGER_FORK, epoch, seq, seq, "signed head differs")


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
