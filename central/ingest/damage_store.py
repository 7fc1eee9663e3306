"""The statements about what is lost. All run inside the caller's unit of work."""

from collections.abc import Iterable

from central.ingest.model import LedgerLost
from shared.ids import BoxId

Range = tuple[int, int]
"""Sequences, both included."""


def list_ranges(box: BoxId, epoch: int) -> list[Range]:
    """What is lost of an epoch, in order."""
    cursor = LedgerLost.execute(
        "SELECT first, last FROM ledger_lost WHERE box_id = ? AND epoch = ? ORDER BY first",
        (str(box), epoch),
    )
    return [(first, last) for first, last in cursor]


def list_lost(box: BoxId) -> dict[int, list[Range]]:
    """What is lost of a box, by epoch, in order."""
    lost: dict[int, list[Range]] = {}
    for epoch, first, last in LedgerLost.execute(
        "SELECT epoch, first, last FROM ledger_lost WHERE box_id = ? ORDER BY epoch, first",
        (str(box),),
    ):
        lost.setdefault(epoch, []).append((first, last))
    return lost


def replace_ranges(box: BoxId, epoch: int, ranges: Iterable[Range], record: bytes, at: int) -> None:
    """These are lost of an epoch; ``record`` is the one that told of them last."""
    LedgerLost.execute("DELETE FROM ledger_lost WHERE box_id = ? AND epoch = ?", (str(box), epoch))
    for first, last in ranges:
        LedgerLost.execute(
            "INSERT INTO ledger_lost (box_id, epoch, first, last, record, told_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (str(box), epoch, first, last, record, at),
        )
