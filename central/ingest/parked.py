"""Parked rows in sight: listed with their reasons, tried again by a person, audited.

A parked row is in custody; nothing waits for it. What its box hears of it is ``parked_notices``.
Every method runs inside the caller's unit of work or moment.
"""

from collections.abc import Sequence
from datetime import datetime

from central.audit.service import Audit
from central.ingest.ledger import Ledger, Replayed
from central.ingest.store import ParkedRow, Place
from shared.ids import BoxId

BEGINNING: Place = ("", 0, 0)
MOST_AT_ONCE = 200
"""Rows that one act tries: some tenths of a second of the writer's time."""


class Parked:
    """What is parked, for whoever may see it."""

    def __init__(self, ledger: Ledger, audit: Audit) -> None:
        self._ledger = ledger
        self._audit = audit

    def list(
        self, site: str | None, box: BoxId | None = None, after: Place = BEGINNING, limit: int = -1
    ) -> Sequence[ParkedRow]:
        """By box, epoch and sequence, behind ``after``."""
        return self._ledger.list_parked(box, site=site, after=after, limit=limit)

    def replay(  # noqa: PLR0913 - which rows, when, by whom
        self,
        at: datetime,
        actor: str,
        *,
        site: str | None = None,
        box: BoxId | None = None,
        after: Place = BEGINNING,
        limit: int = MOST_AT_ONCE,
    ) -> Replayed:
        """Try parked rows again, after an upgrade say; audited.

        A row that meets a bug is parked as RECORD_POISON, and the others go on.
        """
        done = self._ledger.replay(at, box, site=site, after=after, limit=limit, careful=True)
        self.note(done, at, actor, str(box or site or ""))
        return done

    def note(self, done: Replayed, at: datetime, actor: str, subject: str) -> None:
        """Audit a replay."""
        facts = {"interpreted": done.interpreted, "still_parked": done.still_parked}
        self._audit.write("ledger.replay", subject, actor, at, **facts)
