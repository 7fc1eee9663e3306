"""Reads the whole queue now and then, also what nobody asks for: damage is found while most of the
file is still whole, not when a row is needed. Changes nothing.
"""

from contextlib import closing
from pathlib import Path

from agent.offline_queue.database import mapped_exceptions, open_for_reading
from agent.offline_queue.ledger_report import verify_queue
from shared.errors import Damaged
from shared.reasons import Reason

_MORE_THAN_NOTED = (
    'SELECT number FROM epoch JOIN "row" ON "row".epoch = number GROUP BY number'
    " HAVING sum(state = 1) > settled OR sum(state = 2) > tombstoned"
)
"""A row whose state was spoiled would never be sent; the notes change with every settling."""
_CONTENT = frozenset(
    {Reason.LEDGER_HASH, Reason.LEDGER_LINK, Reason.LEDGER_FORK, Reason.LEDGER_GAP}
)
"""Findings that only damage explains. Others a salvage may leave, and must not begin it again."""


def check_whole(path: Path) -> None:
    """Every page by SQLite's own check, every row by its hash and link; slow: for a thread.

    Not while a salvage is under way, whose gaps are not named yet.
    Raises Damaged with the first thing that is wrong, Unavailable.
    """
    with closing(open_for_reading(path)) as file, mapped_exceptions():
        (found,) = file.connection.execute("PRAGMA quick_check(1)").fetchone()
        beyond = file.connection.execute(_MORE_THAN_NOTED).fetchone()
    if found != "ok" or beyond:
        raise Damaged(Reason.STORE_DAMAGED, f"states of epoch {beyond[0]}" if beyond else found)
    for finding in verify_queue(path).findings:
        if finding.reason in _CONTENT:
            place = f"{finding.epoch}/{finding.first}"
            raise Damaged(Reason.STORE_DAMAGED, f"row {place}: {finding.detail}")
