"""Whether the queue can be read, and whether its records get away."""

from datetime import timedelta

from agent.checks.finding import Box, Finding, failed, held, warn
from agent.offline_queue.commands import queue_summary
from agent.offline_queue.quarantine import Quarantine
from agent.offline_queue.salvage import tell_damage
from shared.errors import OneCodeError
from shared.ledger import RowState
from shared.reasons import Reason

_OLD = timedelta(hours=1)


async def look_at_queue(box: Box) -> list[Finding]:
    """``queue``."""
    if not box.files.queue.exists():
        return [held("queue", "0")]
    try:
        summary = queue_summary(box.files.queue, box.clock.now())
    except OneCodeError as error:
        return [failed("queue", error)]
    pending, age = summary.count(RowState.PENDING), summary.oldest_pending_age
    fact = f"{pending} pending"
    damage = _look_at_quarantine(box)
    if age is not None and age > _OLD:
        return [warn("queue", Reason.RECORDS_WAIT, f"{fact}, {age}"), *damage]
    return [held("queue", fact), *damage]


def _look_at_quarantine(box: Box) -> list[Finding]:
    """Files that were damaged and set aside: where they lie, and what went with them."""
    asides = Quarantine(box.files.queue).list_aside()
    try:
        told = tell_damage(asides)
    except OneCodeError as error:
        return [failed("quarantine", error)]
    if told.reason is None:
        return []
    folders = " ".join(str(aside.folder) for aside in asides)
    lost = f"; lost {' '.join(told.lost)}" if told.lost else ""
    return [warn("quarantine", told.reason, folders + lost)]
