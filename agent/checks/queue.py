"""Whether the queue can be read, and whether its records get away."""

from datetime import timedelta

from agent.checks.finding import Box, Finding, failed, held, warn
from agent.offline_queue.commands import queue_summary
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
    if age is not None and age > _OLD:
        return [warn("queue", Reason.RECORDS_WAIT, f"{fact}, {age}")]
    return [held("queue", fact)]
