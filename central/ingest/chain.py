"""Whether a new row agrees with what is already known around it. Pure.

A link is checked once both neighbours are present; a missing neighbour is a gap, never a
contradiction (CONTRACTS §2).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.ledger import FIRST_SEQ, Head, Row
from shared.reasons import Reason


class Neighbour(NamedTuple):
    """A known position at, before or after a sequence; no ``prev`` when only tombstoned."""

    seq: int
    standing: int
    hash: bytes
    prev: bytes | None


class Contradiction(NamedTuple):
    """``hash`` stands against ``known``: LEDGER_FORK at one sequence, or LEDGER_LINK."""

    seq: int
    hash: bytes
    known: bytes
    reason: Reason


def find_contradiction(
    row: Row, hash: bytes, known: Mapping[int, Neighbour], heads: Iterable[Head], genesis: bytes
) -> Contradiction | None:
    """What speaks against taking ``row``.

    ``known`` are the positions at ``seq`` - 1, ``seq`` and ``seq`` + 1, ``heads`` the signed heads
    of the row's epoch.
    """
    if contradiction := find_hash_contradiction(row.seq, hash, known, heads):
        return contradiction
    before = known.get(row.seq - 1)
    expected = genesis if row.seq == FIRST_SEQ else before.hash if before is not None else row.prev
    if row.prev != expected:
        return Contradiction(row.seq, hash, expected, Reason.LEDGER_LINK)
    return None


def find_hash_contradiction(
    seq: int, hash: bytes, known: Mapping[int, Neighbour], heads: Iterable[Head]
) -> Contradiction | None:
    """What speaks against ``hash`` standing at ``seq``: all that is known of a row given up."""
    here = known.get(seq)
    if here is not None and here.hash != hash:
        return Contradiction(seq, hash, here.hash, Reason.LEDGER_FORK)
    for head in heads:
        if head.seq == seq and head.hash != hash:
            return Contradiction(seq, hash, head.hash, Reason.LEDGER_FORK)
    after = known.get(seq + 1)
    if after is not None and after.prev is not None and after.prev != hash:
        return Contradiction(seq, hash, after.prev, Reason.LEDGER_LINK)
    return None
