"""What the command line says of a queue, as plain data. Reads the file beside the agent.

Printing and exit codes belong to the command line itself; the ledger's proof is
``agent.offline_queue.ledger_report``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from agent.offline_queue.store import reading
from shared.errors import Unavailable
from shared.ledger import Lane, RowState
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class LaneCount:
    """How many rows of one lane are in one state."""

    state: RowState
    lane: Lane
    rows: int


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """A queue at a glance; ``oldest_pending_age`` is None when nothing waits."""

    box: str
    epoch: int
    counts: tuple[LaneCount, ...]
    oldest_pending_at: datetime | None
    oldest_pending_age: timedelta | None

    def count(self, state: RowState) -> int:
        """Rows in a state, over all lanes."""
        return sum(count.rows for count in self.counts if count.state == state)


def queue_summary(path: Path, at: datetime) -> QueueSummary:
    """Counts by state and lane, and how long the oldest pending record has waited at ``at``.

    Raises Unavailable (missing, not begun), Refused (STORE_NEWER), Damaged.
    """
    with reading(path) as store:
        epochs = store.list_epochs()
        if not epochs:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "the queue has not begun")
        counts = store.count_rows()
        waiting = [store.find_first_pending(epoch.head.epoch, epoch.floor) for epoch in epochs]
    latest = epochs[-1]
    oldest = next((first[1] for first in waiting if first is not None), None)
    return QueueSummary(
        latest.box,
        latest.head.epoch,
        tuple(LaneCount(RowState(s), Lane(lane), rows) for (s, lane), rows in counts.items()),
        oldest,
        None if oldest is None else at - oldest,
    )
