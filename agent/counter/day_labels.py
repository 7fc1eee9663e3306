"""The counter's labels of today, by their registrations: names and codes stay no longer than
somebody may come back for them, neither in memory nor in the journal.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from agent.counter.birth import Registrar
from agent.counter.jobs import Job
from agent.ports import LabelJournal
from shared.errors import Refused
from shared.ids import RecordId
from shared.reasons import Reason

MOST_KEPT = 200
"""Persons; the oldest go first."""


class DayLabels:
    """Labels are added as they begin, and forgotten when the day is over."""

    def __init__(self, registrar: Registrar, journal: LabelJournal) -> None:
        self._registrar = registrar
        self._journal = journal
        self._jobs: dict[RecordId, Job] = {}
        self._day: date | None = None  # all that is here is of this day; None: not known

    def add(self, job: Job) -> None:
        """A registration has a label."""
        self._jobs[job.registration] = job
        self._day = None
        self._forget(tuple(self._jobs.values())[:-MOST_KEPT])

    def find(self, label_id: str) -> Job:
        """The registration that a label, the latest or an earlier one, is of.

        Raises Refused (NOT_FOUND).
        """
        for job in self.list_latest_first():
            if job.is_of(label_id):
                return job
        raise Refused(Reason.NOT_FOUND, "no such label today")

    def list_latest_first(self) -> Sequence[Job]:
        """Today's."""
        self.forget_yesterday()
        return sorted(self._jobs.values(), key=lambda job: job.label.id, reverse=True)

    def list_jobs(self) -> Sequence[Job]:
        """All that are kept, in no order: looked through with scans."""
        return list(self._jobs.values())

    def forget_yesterday(self) -> None:
        """By the counter's local day, which the label itself shows."""
        today = self._registrar.now().astimezone().date()
        if today == self._day:
            return
        old = [job for job in self._jobs.values() if job.birth.at.astimezone().date() != today]
        self._forget(old)
        self._day = None if any(job.busy.locked() for job in old) else today

    def _forget(self, jobs: Iterable[Job]) -> None:
        """A label that somebody is at work on stays until that is done."""
        gone = [job.registration for job in jobs if not job.busy.locked()]
        for registration in gone:
            del self._jobs[registration]
        if gone:
            self._journal.erase_soon(gone)
