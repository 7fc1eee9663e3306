"""A counter's labels: printed, proved, asked about, and printed again with a reason.

A label's SENDING state is durable before its first byte leaves, first in the journal, then in the
queue: so no label is in the queue that a restart would not find and end, and none is resent by
itself. Where bytes have left and nothing proves the outcome, a person looks and answers before
another copy is printed, or the label itself is scanned. Labels are held for the day.
"""

import asyncio
import hmac
import logging
from dataclasses import replace
from enum import StrEnum
from functools import partial

from agent.counter.birth import Birth, Registrar
from agent.counter.changes import Listeners
from agent.counter.day_labels import DayLabels
from agent.counter.jobs import ANSWERABLE, SCAN_BACK_FOR, Job, restore_job
from agent.counter.label_records import LabelRecords
from agent.counter.labels import build_label, build_temporary_label
from agent.counter.policy import Policy
from agent.counter.print_edges import Edge, Observe, ignore
from agent.counter.views import LabelView
from agent.ports import LabelJournal, LabelPrinter, Outbox, PrintOutcome
from shared.devices import PrintState
from shared.errors import Malformed, OneCodeError, Refused, Unavailable
from shared.messages import RegisterReply
from shared.reasons import Reason

log = logging.getLogger(__name__)

MOST_TEXT_CHARACTERS = 40


class ReprintReason(StrEnum):
    """Why a label is printed again."""

    TORN = "torn"
    CURLED = "curled"
    LOST = "lost"
    PRINTER_FAULT = "printer-fault"
    NOT_OUT = "not-out"  # it did not come out: answers that question, too
    OTHER = "other"  # with a text of the clerk's


class Printing:
    """One counter's printer and its labels of the day. ``changes`` tells a label's states."""

    def __init__(  # noqa: PLR0913 - what a label needs on its way
        self,
        *,
        registrar: Registrar,
        outbox: Outbox,
        journal: LabelJournal,
        printer: LabelPrinter | None,
        policy: Policy,
        observe: Observe = ignore,
    ) -> None:
        self._registrar = registrar
        self._journal = journal
        self._records = LabelRecords(registrar, outbox, journal, observe)
        self._labels = DayLabels(registrar, journal)
        self._printer = printer
        self._policy = policy
        self._observe = observe
        self.changes: Listeners[LabelView] = Listeners()
        self._writer = asyncio.Lock()

    @property
    def trouble(self) -> Reason | None:
        """What is wrong with the journal, if anything."""
        return self._journal.trouble

    async def recover(self) -> None:
        """Take up what a restart finds, before anything is printed; nothing is resent.

        A label whose bytes may have left is UNKNOWN, one whose record never came into the queue is
        FAILED: bytes leave after it only. An outcome that central has not been told is recorded.
        """
        for kept in await self._journal.load():
            birth = self._registrar.birth(operator=kept.operator)
            job = restore_job(kept, birth.at - kept.born_at, birth.monotonic_ns)
            recorded = job.recorded or await self._records.is_recorded(job.record)
            if job.under_way:
                job.interrupt(recorded)
                recorded = False
            if not recorded:
                await self._records.conclude(job, birth)
            self._labels.add(job)
        self.forget_yesterday()

    async def print_first(self, registration: Birth, reply: RegisterReply) -> LabelView:
        """The label of a registration just made; whatever becomes of it is data."""
        birth = self._registrar.birth(operator=registration.operator)
        label = build_label(birth.id, reply, self._policy, birth.at)
        return await self._print_new(Job(registration.id, label, birth, birth.operator, birth.id))

    async def print_temporary(
        self, registration: Birth, code: str, name: str, resident: bytes
    ) -> LabelView:
        """The label of a temporary code just given; found again by ``resident`` all day."""
        birth = self._registrar.birth(operator=registration.operator)
        label = build_temporary_label(birth.id, code, name, self._policy, birth.at)
        job = Job(registration.id, label, birth, birth.operator, birth.id, resident=resident)
        return await self._print_new(job)

    def find_temporary(self, resident: bytes) -> LabelView | None:
        """The label of the temporary code that this resident was given here today."""
        jobs = self._labels.list_latest_first()
        return next((job.view for job in jobs if resident and job.resident == resident), None)

    async def reprint(self, label_id: str, reason: ReprintReason, text: str = "") -> LabelView:
        """Print a registration's label once more, as another copy.

        Raises Refused: NOT_FOUND (not of today), PRINT_ANSWER_NEEDED (the last one may have come
        out and nobody has looked), STATE_STEP (NOT_OUT of an earlier copy); Malformed
        (REQUEST_MALFORMED) for a text too long, or none where the reason is OTHER; what
        ``answer`` raises.
        """
        text = " ".join(text.split())
        if len(text) > MOST_TEXT_CHARACTERS or (reason is ReprintReason.OTHER and not text):
            raise Malformed(Reason.REQUEST_MALFORMED, "text of a reprint's reason")
        operator = self._registrar.operator  # who asks, whoever has come when it is printed
        job = self._labels.find(label_id)
        async with job.busy:
            if reason is ReprintReason.NOT_OUT:
                _check_latest(job, label_id)
            if job.needs_answer and reason is ReprintReason.NOT_OUT:
                await self._answer(job, _NOT_SEEN, operator)
            if job.needs_answer:
                raise Refused(Reason.PRINT_ANSWER_NEEDED)
            birth = self._registrar.birth(operator=operator)
            label = replace(job.label, template=self._policy.label)  # the paper of now
            job.begin_copy(label, birth, f"{reason}: {text}" if text else str(reason))
            return await self._print(job)

    async def answer(self, label_id: str, out: bool) -> LabelView:
        """A person has looked whether a label came out.

        Raises Refused: NOT_FOUND, STATE_STEP (nothing to answer, or of an earlier copy);
        Unavailable, Damaged when the answer cannot be kept.
        """
        operator = self._registrar.operator
        job = self._labels.find(label_id)
        async with job.busy:
            _check_latest(job, label_id)
            if job.outcome.state not in ANSWERABLE:
                raise Refused(Reason.STATE_STEP, "this label's outcome is known")
            await self._answer(job, _SEEN if out else _NOT_SEEN, operator)
            return job.view

    async def scanned_back(self, text: bytes) -> None:
        """A text was read by the box's own scanner: if it is exactly an unproven label's, that
        label is out. One still at the printer is proved when the printer is through with it."""
        jobs = self._labels.list_jobs()
        if not any(job.may_be_scanned_back for job in jobs):
            return  # as with nearly every scan
        labels = [job for job in jobs if self._is_of(job, text)]
        if len(labels) != 1 or self._registrar.age(labels[0].birth) > SCAN_BACK_FOR:
            return  # two labels of one text: a scan does not tell which of them is out
        (job,) = labels
        async with job.busy:
            if job.may_be_scanned_back:
                await self._confirm_scanned(job)

    def forget_yesterday(self) -> None:
        """Whoever was here yesterday is nobody's business today."""
        self._labels.forget_yesterday()

    def recent(self, most: int | None = None) -> list[LabelView]:
        """Today's labels, the latest first; all, or at most so many."""
        return [job.view for job in self._labels.list_latest_first()[:most]]

    def questions(self) -> list[LabelView]:
        """Labels that a person must look for, the oldest first."""
        latest = self._labels.list_latest_first()
        return [job.view for job in reversed(latest) if job.needs_answer]

    def _is_of(self, job: Job, text: bytes) -> bool:
        # In the same time whatever was scanned: nobody learns a code by trying.
        same = hmac.compare_digest(job.label.code.encode(), text)
        return same and job.outcome.state is not PrintState.FAILED

    async def _confirm_scanned(self, job: Job) -> None:
        try:
            await self._answer(job, _SCANNED, self._registrar.operator)
        except OneCodeError as error:
            log.error("a label was scanned back, and that could not be kept: %s", error)

    async def _answer(self, job: Job, outcome: PrintOutcome, operator: str) -> None:
        """Kept, or nothing was answered."""
        before = job.outcome, job.record, job.operator, job.recorded
        birth = self._registrar.birth(operator=operator)
        job.advance(outcome)
        try:
            await self._records.commit_end(job, birth)
        except OneCodeError:
            job.outcome, job.record, job.operator, job.recorded = before
            await self._journal.keep(job.kept)
            raise
        self.changes.tell(job.view)

    async def _print_new(self, job: Job) -> LabelView:
        self._labels.add(job)
        async with job.busy:
            return await self._print(job)

    async def _print(self, job: Job) -> LabelView:
        if self._printer is None:
            return await self._end(job, PrintOutcome(PrintState.FAILED, Reason.DEVICE_ABSENT))
        if self._writer.locked():
            self.changes.tell(job.view)
            await self._journal.keep(job.kept)
        try:
            await self._printer.prepare(job.label)  # while another one prints
        except (Refused, Unavailable) as error:  # no byte of it will ever leave: glyph or font
            log.warning("a label is not printed: %s", error)
            return await self._end(job, PrintOutcome(PrintState.FAILED, error.reason))
        async with self._writer:
            self._observe(Edge.BEGUN)
            outcome = await self._begin(job) or await self._send(self._printer, job)
        # Not in the writer's time: the next label is on its way meanwhile.
        return await self._end(job, outcome)

    async def _begin(self, job: Job) -> PrintOutcome | None:
        """Make SENDING durable; FAILED if the queue cannot keep it, for then nothing is sent."""
        job.advance(PrintOutcome(PrintState.SENDING))
        self.changes.tell(job.view)
        unsaved = await self._records.begin(job)
        return None if unsaved is None else PrintOutcome(PrintState.FAILED, unsaved)

    async def _send(self, printer: LabelPrinter, job: Job) -> PrintOutcome:
        try:
            outcome = await printer.print(job.label, partial(self._take_sent, job))
        except (Refused, Unavailable) as error:  # before any byte left: glyph or font
            return PrintOutcome(PrintState.FAILED, error.reason)
        self._observe(Edge.ENDED)
        return outcome

    def _take_sent(self, job: Job) -> None:
        """The last byte has left, the proof is awaited. Central is told of what follows only."""
        job.advance(PrintOutcome(PrintState.SENT))
        self._journal.keep_soon(job.kept)
        self.changes.tell(job.view)
        self._observe(Edge.SENT)

    async def _end(self, job: Job, outcome: PrintOutcome) -> LabelView:
        job.end(outcome)
        birth = self._registrar.birth(operator=job.birth.operator)
        # The clerk must hear of a label that is out, kept or not: or there will be two.
        unsaved = await self._records.conclude(job, birth)
        if unsaved is not None and outcome.reason is None:
            job.outcome = replace(outcome, reason=unsaved)
        self.changes.tell(job.view)
        return job.view


def _check_latest(job: Job, label_id: str) -> None:
    """What somebody saw of one copy says nothing of a later one. Raises Refused (STATE_STEP)."""
    if job.label.id.hex != label_id:
        raise Refused(Reason.STATE_STEP, "another copy has been printed since")


_SEEN = PrintOutcome(PrintState.CONFIRMED)
_NOT_SEEN = PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_SEEN)
_SCANNED = PrintOutcome(PrintState.CONFIRMED, Reason.PRINT_SCANNED_BACK)
