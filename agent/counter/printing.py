"""A counter's labels: printed, printed again with a reason, and asked about.

A label's SENDING record is durable before its first byte leaves: after a crash nobody has to
guess whether a label may have come out, and nothing is resent by itself. Where bytes have left
and nothing proves the outcome, a person looks and answers before another copy is printed. What
is needed to print again is held in memory, for the day and for the last fifty persons.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agent.counter.birth import Birth, Registrar
from agent.counter.changes import Listeners
from agent.counter.labels import build_label
from agent.counter.policy import Policy
from agent.counter.views import LabelView, advise
from agent.ports import Draft, Label, LabelPrinter, Outbox, PrintOutcome
from shared.devices import PrintState
from shared.errors import Malformed, OneCodeError, Refused, Unavailable
from shared.ids import RecordId
from shared.ledger import Lane
from shared.messages import PrintRecord, RegisterReply
from shared.reasons import Reason

log = logging.getLogger(__name__)

_MOST_KEPT = 50
MOST_TEXT_CHARACTERS = 40
_ANSWERABLE = frozenset({PrintState.SENT, PrintState.UNKNOWN})


class ReprintReason(StrEnum):
    """Why a label is printed again."""

    TORN = "torn"
    CURLED = "curled"
    LOST = "lost"
    PRINTER_FAULT = "printer-fault"
    NOT_OUT = "not-out"  # it did not come out: answers that question, too
    OTHER = "other"  # with a text of the clerk's


@dataclass(slots=True)
class _Kept:
    """A registration's labels: the latest one, and what became of it."""

    registration: RecordId
    label: Label
    birth: Birth
    outcome: PrintOutcome
    reprint_reason: str = ""
    ids: set[str] = field(default_factory=set)
    copies: int = 0  # that may have come out

    @property
    def needs_answer(self) -> bool:
        seen_to = self.outcome.reason is Reason.PRINT_NOT_SEEN
        return self.outcome.state is PrintState.UNKNOWN and not seen_to

    @property
    def view(self) -> LabelView:
        return LabelView(
            id=self.label.id.hex,
            state=self.outcome.state,
            advice=advise(self.outcome.reason),
            conditions=tuple(sorted(self.outcome.conditions)),
            copy=self.label.copy,
            name=self.label.name,
            record_number=self.label.record_number,
            at=self.birth.at.isoformat(),
            printed_ms=self.birth.monotonic_ns // 1_000_000,
            reprint_reason=self.reprint_reason,
            needs_answer=self.needs_answer,
        )


class Printing:
    """One counter's printer and its labels of the day. ``changes`` tells a label's states."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        outbox: Outbox,
        printer: LabelPrinter | None,
        policy: Policy,
    ) -> None:
        self._registrar = registrar
        self._outbox = outbox
        self._printer = printer
        self._policy = policy
        self.changes: Listeners[LabelView] = Listeners()
        self._kept: OrderedDict[RecordId, _Kept] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def print_first(self, registration: Birth, reply: RegisterReply) -> LabelView:
        """The label of a registration just made; whatever becomes of it is data."""
        async with self._one_at_a_time:
            birth = self._registrar.birth(operator=registration.operator)
            label = build_label(birth.id, reply, self._policy, birth.at)
            sending = PrintOutcome(PrintState.SENDING)
            kept = self._kept[registration.id] = _Kept(registration.id, label, birth, sending)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return await self._print(kept)

    async def reprint(self, label_id: str, reason: ReprintReason, text: str = "") -> LabelView:
        """Print a registration's label once more, as another copy.

        Raises Refused: NOT_FOUND (not of today), PRINT_ANSWER_NEEDED (the last one may have come
        out and nobody has looked); Malformed (REQUEST_MALFORMED) for a text too long, or none
        where the reason is OTHER; what ``answer`` raises.
        """
        text = " ".join(text.split())
        if len(text) > MOST_TEXT_CHARACTERS or (reason is ReprintReason.OTHER and not text):
            raise Malformed(Reason.REQUEST_MALFORMED, "text of a reprint's reason")
        operator = self._registrar.operator  # who asks, whoever has come when it is printed
        async with self._one_at_a_time:
            kept = self._find(label_id)
            if kept.needs_answer and reason is ReprintReason.NOT_OUT:
                await self._answer(kept, False, operator)
            if kept.needs_answer:
                raise Refused(Reason.PRINT_ANSWER_NEEDED)
            kept.birth = self._registrar.birth(operator=operator)
            kept.label = replace(
                kept.label,
                id=kept.birth.id,
                copy=kept.copies + 1,
                template=self._policy.label,  # the paper of now
            )
            kept.reprint_reason = f"{reason}: {text}" if text else str(reason)
            return await self._print(kept)

    async def answer(self, label_id: str, out: bool) -> LabelView:
        """A person has looked whether a label came out.

        Raises Refused: NOT_FOUND, STATE_STEP (nothing to answer); Unavailable, Damaged when the
        answer cannot be kept.
        """
        operator = self._registrar.operator
        async with self._one_at_a_time:
            kept = self._find(label_id)
            if kept.outcome.state not in _ANSWERABLE:
                raise Refused(Reason.STATE_STEP, "this label's outcome is known")
            await self._answer(kept, out, operator)
            return kept.view

    def recent(self) -> list[LabelView]:
        """Today's labels, the latest first."""
        self._forget_yesterday()
        latest = sorted(self._kept.values(), key=lambda kept: kept.label.id, reverse=True)
        return [kept.view for kept in latest]

    async def _answer(self, kept: _Kept, out: bool, operator: str) -> None:
        outcome = PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_SEEN)
        if out:
            outcome = PrintOutcome(PrintState.CONFIRMED)
        await self._commit(self._registrar.birth(operator=operator), kept, outcome)
        self._tell(kept, outcome)

    async def _print(self, kept: _Kept) -> LabelView:
        kept.ids.add(kept.label.id.hex)
        birth = kept.birth
        if self._printer is None:
            outcome = PrintOutcome(PrintState.FAILED, Reason.DEVICE_ABSENT)
        else:
            sending = PrintOutcome(PrintState.SENDING)
            self._tell(kept, sending)
            unsaved = await self._keep(birth, kept, sending)
            if unsaved is not None:
                return self._tell(kept, PrintOutcome(PrintState.FAILED, unsaved))
            outcome = await self._send(self._printer, kept.label)
            birth = self._registrar.birth(operator=birth.operator)
        # The clerk must hear of a label that is out, kept or not: or there will be two.
        unsaved = await self._keep(birth, kept, outcome)
        if outcome.state is not PrintState.FAILED:
            kept.copies = kept.label.copy
        return self._tell(kept, replace(outcome, reason=outcome.reason or unsaved))

    async def _send(self, printer: LabelPrinter, label: Label) -> PrintOutcome:
        try:
            return await printer.print(label)
        except (Refused, Unavailable) as error:  # before any byte left: glyph or font missing
            return PrintOutcome(PrintState.FAILED, error.reason)

    def _tell(self, kept: _Kept, outcome: PrintOutcome) -> LabelView:
        kept.outcome = outcome
        view = kept.view
        self.changes.tell(view)
        return view

    async def _keep(self, birth: Birth, kept: _Kept, outcome: PrintOutcome) -> Reason | None:
        """Commit a state of a label; why it could not be kept, if so."""
        try:
            await self._commit(birth, kept, outcome)
        except OneCodeError as error:
            log.error("a label's state %s could not be kept: %s", outcome.state, error)
            return error.reason
        return None

    async def _commit(self, birth: Birth, kept: _Kept, outcome: PrintOutcome) -> None:
        record = PrintRecord(
            lane=Lane.PRINT,
            origin=self._registrar.origin(birth),
            label=kept.label.id.bytes,
            registration=kept.registration.bytes,
            state=outcome.state,
            reason=outcome.reason,
            conditions=tuple(sorted(outcome.conditions)),
            copy=kept.label.copy,
            reprint_reason=kept.reprint_reason,
        )
        await self._outbox.commit(Draft(birth.id, birth.at, record))

    def _find(self, label_id: str) -> _Kept:
        self._forget_yesterday()
        for kept in self._kept.values():
            if label_id in kept.ids:
                return kept
        raise Refused(Reason.NOT_FOUND, "no such label today")

    def _forget_yesterday(self) -> None:
        """By the counter's local day, which the label itself shows."""
        today = self._registrar.now().astimezone().date()
        for id, kept in tuple(self._kept.items()):
            if kept.birth.at.astimezone().date() != today:
                del self._kept[id]
