"""A ledger that contradicts itself: both lines are kept as evidence and set aside.

A cloned box and a disk that was put back look alike: two rows of one sequence, each signed by the
box. Which of them is the box's life is for a person; until then neither line is interpreted
further. Runs inside the caller's unit of work.
"""

from datetime import datetime

from central.fleet.service import Fleet
from central.ingest import evidence_store, store
from central.ingest.chain import Contradiction
from central.ingest.evidence_store import Evidence
from central.ingest.store import Fork, SignedHead
from shared.clock import to_microseconds
from shared.ids import BoxId
from shared.ledger import Row


class Contradictions:
    """Puts them on record, with what proves them."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def is_forked(self, box: BoxId, epoch: int) -> bool:
        """Whether both lines of an epoch are set aside."""
        return evidence_store.find_fork(box, epoch) is not None

    def keep(
        self,
        box: BoxId,
        found: Contradiction,
        signed: SignedHead,
        row: Row | None,
        at: datetime,
    ) -> bool:
        """Keep what contradicts, under the signature it came with, and what it contradicts; the
        box is quarantined. Whether this contradiction is new."""
        epoch, now = signed.head.epoch, to_microseconds(at)
        came = Evidence(epoch, found.seq, found.hash, row, signed, now)
        evidence_store.insert_evidence(box, came)
        if not store.insert_fork(box, Fork(epoch, *found, now)):
            return False
        before = store.find_head(box, epoch)
        if before is not None:
            first = evidence_store.find_mark(box, epoch, found.seq)
            known = Evidence(epoch, found.seq, found.known, first, before.signed, now)
            evidence_store.insert_evidence(box, known)
        self._fleet.mark_quarantined(box, f"{found.reason} epoch {epoch} seq {found.seq}", at)
        return True
