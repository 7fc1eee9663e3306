"""Where each epoch of the box's ledger stands: a few numbers, kept in memory and noted in the file.

Pure. What is pending follows from what was created, settled and tombstoned, so that no opening
counts a million rows; ``ledger verify`` counts them and says where the notes are wrong.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.ledger import Account, Head, Lane

NO_ROWS = (0,) * len(Lane)


class Standing(NamedTuple):
    """One epoch: its head, the floor (nothing up to there is pending), how many rows were settled
    and tombstoned, how many of each lane are pending, and how many went with a damaged file."""

    head: Head
    floor: int
    settled: int
    tombstoned: int
    waiting: tuple[int, ...]
    lost: int = 0

    @property
    def pending(self) -> int:
        """Rows that central has not receipted."""
        return sum(self.waiting)

    def without(self, lanes: Iterable[int], *, floor: int, settled: bool) -> "Standing":
        """After pending rows of these lanes were settled, or tombstoned."""
        waiting, changed = list(self.waiting), 0
        for lane in lanes:
            waiting[lane] -= 1
            changed += 1
        return self._replace(
            floor=floor,
            settled=self.settled + (changed if settled else 0),
            tombstoned=self.tombstoned + (0 if settled else changed),
            waiting=tuple(waiting),
        )


def account_of(standings: Mapping[int, Standing]) -> Account:
    """The account over all epochs."""
    return Account(
        created=sum(standing.head.seq for standing in standings.values()),
        acknowledged=sum(standing.settled for standing in standings.values()),
        pending=sum(standing.pending for standing in standings.values()),
        tombstoned=sum(standing.tombstoned for standing in standings.values()),
        lost=sum(standing.lost for standing in standings.values()),
    )


def waiting_of(standings: Mapping[int, Standing]) -> tuple[int, ...]:
    """Pending rows by lane, over all epochs."""
    total = NO_ROWS
    for standing in standings.values():
        total = tuple(a + b for a, b in zip(total, standing.waiting, strict=True))
    return total
