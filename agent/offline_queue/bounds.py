"""How much a box may hold unsent, lane by lane, and what is given up when it holds more. Pure.

Telemetry goes first, then use records; identity and print records are never given up (SYSTEM,
lanes by value). Staff are warned at 50, 80 and 95 % of what may wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from agent.config import QueueConfig
from agent.offline_queue.states import KEPT_LANES
from shared.ledger import Lane
from shared.reasons import Reason

_ROOM_SHARE = 50
"""A bound that was reached is undercut by a fiftieth, so that not every new row gives one up."""

WARNINGS = (
    (95, Reason.QUEUE_NEARLY_FULL),
    (80, Reason.QUEUE_FILLING),
    (50, Reason.QUEUE_HALF_FULL),
)
"""From so many per cent on, in words."""


class Bound(NamedTuple):
    """How many rows of a lane may wait, and for how long; None: as long as it takes."""

    rows: int
    age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one box: in all, and of each lane."""

    rows: int
    lanes: Mapping[Lane, Bound]


def build_bounds(config: QueueConfig) -> Bounds:
    """As ``box.toml`` has them."""
    return Bounds(
        config.rows,
        {
            Lane.IDENTITY: Bound(config.identity_rows),
            Lane.PRINT: Bound(config.print_rows),
            Lane.USE: Bound(config.use_rows, timedelta(days=config.use_days)),
            Lane.TELEMETRY: Bound(config.telemetry_rows, timedelta(days=config.telemetry_days)),
        },
    )


DEFAULT_BOUNDS = build_bounds(QueueConfig())


class Excess(NamedTuple):
    """So many rows of this lane are to be given up, the oldest first."""

    lane: Lane
    rows: int


def find_excess(waiting: Sequence[int], bounds: Bounds) -> Excess | None:
    """What to give up next by number, the lowest lane first; None while all bounds hold."""
    total = sum(waiting)
    for lane in sorted(set(Lane) - KEPT_LANES, reverse=True):
        over = waiting[lane] - bounds.lanes[lane].rows
        over = max(over + bounds.lanes[lane].rows // _ROOM_SHARE if over > 0 else 0, 0)
        if total > bounds.rows:
            over = max(over, total - bounds.rows + bounds.rows // _ROOM_SHARE)
        if over and waiting[lane]:
            return Excess(lane, min(over, waiting[lane]))
    return None


def fill_percent(waiting: Sequence[int], bounds: Bounds) -> int:
    """How full the queue is: its fullest kept lane, or all together. Of a lane that makes room by
    itself only the whole counts."""
    shares = [waiting[lane] / bounds.lanes[lane].rows for lane in KEPT_LANES]
    return int(100 * max(sum(waiting) / bounds.rows, *shares))


def warning(percent: int) -> Reason | None:
    """What staff are told at so many per cent."""
    return next((reason for least, reason in WARNINGS if percent >= least), None)
