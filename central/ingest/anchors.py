"""Countersigned heads: central's word that a box's ledger is here without a gap, up to a row.

A box may erase and prune behind one, and still prove its chain (CONTRACTS §2). Not said of a box
whose ledger forked.
"""

from central.fleet.service import Fleet
from central.fleet.states import BoxState
from central.ingest import store
from central.ingest.evidence_store import find_fork
from central.keys.service import Keys
from shared.codec import anchors
from shared.crypto import STD
from shared.ids import BoxId
from shared.ledger import Head, anchor_bytes, genesis_head
from shared.messages import Anchor

_MOST_ROWS = 500
"""Looked at for one batch; a gap that closes before a long stretch is made up with the next."""


class Anchors:
    """Used inside the caller's unit of work, by one thread."""

    def __init__(self, keys: Keys, fleet: Fleet) -> None:
        self._keys = keys
        self._fleet = fleet

    def advance(self, box: BoxId, epoch: int) -> bytes | None:
        """The plaintext of an ``Anchor``, where one may be given that is further than the last."""
        if self._fleet.box(box).state is not BoxState.ACTIVE:
            return None
        if find_fork(box, epoch) is not None:  # also after the box has joined again
            return None
        before = store.find_anchor(box, epoch) or genesis_head(STD, box, epoch)
        reached = self._follow(box, before)
        if reached == before:
            return None
        store.save_anchor(box, reached)
        signature = self._keys.sign_announcement(anchor_bytes(STD, box, reached))
        return anchors.encode(Anchor(STD.id, str(box), reached, signature))

    @staticmethod
    def _follow(box: BoxId, head: Head) -> Head:
        """The chain from ``head`` on, as far as it has no gap and each row names the one before;
        a row that was given up is known by its hash alone."""
        for seq, hash, prev in store.list_following(box, head.epoch, head.seq, _MOST_ROWS):
            if seq != head.seq + 1 or (prev is not None and prev != head.hash):
                break
            head = Head(head.epoch, seq, hash)
        return head
