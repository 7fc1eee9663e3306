"""The boxes' ledgers as central can prove them from its own tables, and the parked rows.

created is known from signed heads; received (interpreted or parked) + tombstones + open gaps must
equal it. An open gap is no fault: those rows are still with the box.
"""

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from central.fleet.service import Fleet
from central.ingest import store
from central.ingest.inbox import Inbox, RowCrashError
from central.ingest.proof import BoxReport, Progress, Proof, tell_nobody
from central.ingest.store import ParkedRow, Place
from central.storage.database import Database
from shared.ids import BoxId
from shared.reasons import Reason

_log = logging.getLogger(__name__)

_ROWS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the parked rows that were tried again, and where to go on, if these were not
    all."""

    interpreted: int
    still_parked: int
    next: Place | None = None


class Ledger:
    """Reads and proves; ``replay`` alone writes."""

    def __init__(self, database: Database, fleet: Fleet, inbox: Inbox) -> None:
        self._database = database
        self._fleet = fleet
        self._inbox = inbox

    def verify(self, box: BoxId | None = None, progress: Progress = tell_nobody) -> list[BoxReport]:
        """Prove the account of one box or of all, each box at one moment; ``progress`` is told
        each ten thousand rows.

        Raises Refused (NOT_ADMITTED) for a box that never was.
        """
        if box is not None:
            boxes = {self._fleet.box(box).id}
        else:
            boxes = {*store.list_boxes(), *(each.id for each in self._fleet.list_boxes())}
        return [self._verify_box(each, progress) for each in sorted(boxes)]

    def list_parked(
        self,
        box: BoxId | None = None,
        *,
        site: str | None = None,
        after: Place = ("", 0, 0),
        limit: int = -1,
    ) -> list[ParkedRow]:
        """The rows in custody that wait for someone to make them readable, by place."""
        return store.list_parked(box, after=after, limit=limit, site=site)

    def replay(  # noqa: PLR0913 - which rows, and how
        self,
        at: datetime,
        box: BoxId | None = None,
        *,
        site: str | None = None,
        after: Place = ("", 0, 0),
        limit: int | None = None,
        poisonous: bool = False,
        set_aside: bool = False,
        careful: bool = False,
    ) -> Replayed:
        """Try parked rows again, each in a unit of its own; at most ``limit``, behind ``after``.

        Those that ended the process (RECORD_POISON) only when ``poisonous``: a bug that is not
        mended raises RowCrashError, and the row stays parked; when ``careful`` it becomes such a
        row. Those of a forked ledger only when ``set_aside``: a person has decided on them.
        """
        left_out = set() if poisonous else {Reason.RECORD_POISON.value}
        left_out |= set() if set_aside else {Reason.LEDGER_FORK.value}
        read = still = 0
        while limit is None or read + still < limit:
            most = _ROWS_A_PAGE if limit is None else min(_ROWS_A_PAGE, limit - read - still)
            page = self.list_parked(box, site=site, after=after, limit=most)
            for parked in page:
                done = parked.reason not in left_out and self._retry(parked, at, careful)
                read += done
                still += not done
            if not page:
                return Replayed(read, still)
            after = (str(page[-1].box), page[-1].epoch, page[-1].row.seq)
        return Replayed(read, still, after)

    def _retry(self, parked: ParkedRow, at: datetime, careful: bool) -> bool:
        try:
            return self._inbox.retry(parked, at)
        except RowCrashError as crash:
            if not careful:
                raise
            _log.exception("a parked row meets a bug: %s", crash)
            with self._database.unit():
                place = (parked.box, parked.epoch, parked.row.seq)
                store.save_parked_reason(*place, Reason.RECORD_POISON)
            return False

    def _verify_box(self, box: BoxId, progress: Progress) -> BoxReport:
        # A moment of its own takes no write lock: a server takes batches meanwhile.
        with nullcontext() if self._database.in_unit else self._database.moment():
            return Proof(self._fleet, progress).prove(box)
