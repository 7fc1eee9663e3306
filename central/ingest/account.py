"""The boxes' accounts as central counts them, quickly: from signed heads and two indexes.

``Ledger`` proves the same from every row; this is for looking often.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from central.ingest import account_store as store
from shared.ids import BoxId


@dataclass(frozen=True, slots=True)
class BoxAccount:
    """created = acknowledged + pending + tombstoned + lost; ``parked`` of the acknowledged rows
    wait for someone to make them readable, ``forks`` are contradictions on record, ``lost`` rows
    went with a damaged file of the box."""

    box: str
    created: int
    acknowledged: int
    tombstoned: int
    parked: int
    forks: int
    lost: int

    @property
    def pending(self) -> int:
        """Rows that central lacks of those whose existence the box has signed."""
        return self.created - self.acknowledged - self.tombstoned - self.lost


class Accounts:
    """Counts; writes nothing."""

    def read(self, box: BoxId) -> BoxAccount:
        """One box's account; all zero for one that has sent nothing."""
        return BoxAccount(str(box), *store.count_box(str(box)))

    def list(self, site: str | None, after: str, limit: int) -> Sequence[BoxAccount]:
        """The accounts of boxes that have sent something, by id, behind ``after``."""
        return [BoxAccount(*row) for row in store.list_counts(site, after, limit)]

    def total(self, site: str | None) -> BoxAccount:
        """All of them together."""
        return BoxAccount("", *store.count_all(site))
