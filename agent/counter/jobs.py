"""A registration's label as it stands: its state by the one table, who must still look at it, and
how it is kept over a restart. No I/O; ``agent.counter.printing`` walks it.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

from agent.counter.birth import Birth
from agent.counter.views import LabelView, advise
from agent.ports import KeptLabel, Label, PrintOutcome
from shared.devices import PrintState, step_print
from shared.ids import RecordId, label_number
from shared.reasons import Reason

SCAN_BACK_FOR = timedelta(minutes=2)
"""How long after it was begun a label may be proved by scanning it."""
ANSWERABLE = frozenset({PrintState.SENT, PrintState.UNKNOWN})
"""Bytes have left, and nothing has proved that the label is out."""


_QUEUED = PrintOutcome(PrintState.QUEUED)


@dataclass(slots=True)
class Job:
    """A registration's labels: the latest one, and what became of it. ``busy`` is held by whoever
    changes it."""

    registration: RecordId
    label: Label
    birth: Birth
    operator: str  # an id: whose act the state is
    record: RecordId  # tells of the state; of QUEUED, will tell of SENDING
    outcome: PrintOutcome = _QUEUED
    under_way: bool = True
    recorded: bool = False
    reprint_reason: str = ""
    copies: int = 0  # that may have come out
    earlier: tuple[RecordId, ...] = ()
    resident: bytes = b""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def advance(self, outcome: PrintOutcome) -> None:
        """Go on to another state, or learn more of the same. A step outside the table is a bug."""
        if outcome.state is not self.outcome.state:
            step_print(self.outcome.state, outcome.state)
        self.outcome = outcome
        self.recorded = False

    def begin_copy(self, label: Label, birth: Birth, reprint_reason: str) -> None:
        """Another label of the same registration begins its own life."""
        self.earlier = (*self.earlier, self.label.id)
        self.label = replace(label, id=birth.id, copy=self.copies + 1)
        self.birth, self.operator, self.record = birth, birth.operator, birth.id
        self.reprint_reason = reprint_reason
        self.outcome, self.under_way = _QUEUED, True
        self.recorded = False

    def interrupt(self, recorded: bool) -> None:
        """The box stopped while this label was under way. ``recorded`` is whether its SENDING is
        in the queue: bytes leave after that only."""
        if recorded and self.outcome.state is PrintState.QUEUED:
            self.advance(PrintOutcome(PrintState.SENDING))  # the journal had missed it
        if recorded or self.outcome.state is PrintState.SENT:
            self.end(PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_INTERRUPTED))
        else:
            self.end(PrintOutcome(PrintState.FAILED, Reason.PRINT_NOT_BEGUN))

    def end(self, outcome: PrintOutcome) -> None:
        """The printer is through with it."""
        self.advance(outcome)
        self.under_way = False
        if outcome.state is not PrintState.FAILED:
            self.copies = self.label.copy

    def is_of(self, label_id: str) -> bool:
        """Whether a label, the latest or an earlier one, is this registration's."""
        return any(id.hex == label_id for id in (self.label.id, *self.earlier))

    @property
    def needs_answer(self) -> bool:
        """Whether a person must look before another copy is printed."""
        seen_to = self.outcome.reason is Reason.PRINT_NOT_SEEN
        return self.outcome.state is PrintState.UNKNOWN and not seen_to

    @property
    def may_be_scanned_back(self) -> bool:
        """Whether a scan of it would prove it: no earlier copy has the same text, nothing else has
        proved it, and nobody has looked and not found it."""
        unproven = self.outcome.state in ANSWERABLE
        return (
            unproven and self.label.copy == 1 and self.outcome.reason is not Reason.PRINT_NOT_SEEN
        )

    @property
    def view(self) -> LabelView:
        """The label as it is shown."""
        return LabelView(
            id=self.label.id.hex,
            registration=self.registration.hex,
            number=label_number(self.label.id),
            state=self.outcome.state,
            advice=advise(self.outcome.reason),
            conditions=tuple(sorted(self.outcome.conditions)),
            copy=self.label.copy,
            name=self.label.name,
            record_number=self.label.record_number,
            at=self.birth.at.isoformat(),
            printed_ms=self.birth.monotonic_ns // 1_000_000,
            reprint_reason=self.reprint_reason,
            temporary=self.label.temporary,
            needs_answer=self.needs_answer,
        )

    @property
    def kept(self) -> KeptLabel:
        """The label as a restart shall find it."""
        return KeptLabel(
            registration=self.registration,
            label=self.label,
            born_at=self.birth.at,
            operator=self.operator,
            outcome=self.outcome,
            under_way=self.under_way,
            record=self.record,
            recorded=self.recorded,
            reprint_reason=self.reprint_reason,
            copies=self.copies,
            earlier=self.earlier,
            resident=self.resident,
        )


def restore_job(kept: KeptLabel, age: timedelta, monotonic_ns: int) -> Job:
    """A label as a restart found it; ``age`` is since its birth, by the wall clock."""
    age_ns = max(0, age // timedelta(microseconds=1) * 1000)
    birth = Birth(kept.label.id, kept.born_at, monotonic_ns - age_ns, kept.operator)
    return Job(
        registration=kept.registration,
        label=kept.label,
        birth=birth,
        operator=kept.operator,
        record=kept.record,
        outcome=kept.outcome,
        under_way=kept.under_way,
        recorded=kept.recorded,
        reprint_reason=kept.reprint_reason,
        copies=kept.copies,
        earlier=kept.earlier,
        resident=kept.resident,
    )
