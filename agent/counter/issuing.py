"""Issuing at a counter: a resident is registered with central, and a label is printed.

Registering needs central (the key never leaves it). Without an answer the box gives a temporary
code of its own (``issuing_alone``), or, where it may not, the clerk hears so and what to do.
"""

from datetime import timedelta

from agent.counter.birth import Birth, Registrar
from agent.counter.form import IssueRequest
from agent.counter.issuing_alone import IssuingAlone
from agent.counter.printing import Printing
from agent.counter.views import IssueView, advise
from agent.ports import Draft, Outbox, Uplink
from shared.clock import to_microseconds
from shared.errors import Unavailable
from shared.ledger import Lane
from shared.messages import (
    RefusalReply,
    RegisterAsk,
    RegisterReply,
    RegistrationOutcome,
    RegistrationRecord,
    Reply,
)
from shared.reasons import Reason


class Issuing:
    """One counter's registrations and labels."""

    def __init__(  # noqa: PLR0913 - the ports an issue needs
        self,
        *,
        registrar: Registrar,
        outbox: Outbox,
        uplink: Uplink,
        printing: Printing,
        deadline: timedelta,
        alone: IssuingAlone | None = None,
    ) -> None:
        """Without ``alone`` nothing is given while central does not answer."""
        self._registrar = registrar
        self._outbox = outbox
        self._uplink = uplink
        self._printing = printing
        self._alone = alone
        self.deadline = deadline

    async def issue(self, request: IssueRequest) -> IssueView:
        """Register, keep the record, print; without an answer give a temporary code.

        Raises Unavailable where none may be given and there is no line (nothing happened):
        ISSUE_NEEDS_CENTRAL, or why not; the disk's reason while that is in trouble. Raises
        Unavailable or Damaged, the store's, when the record cannot be kept (nothing is printed).
        Once it is kept, whatever becomes of the label is data.
        """
        if not self._outbox.fill.keeps:
            raise Unavailable(self._outbox.fill.reason or Reason.STORE_UNAVAILABLE)
        birth = self._registrar.birth()
        reply: Reply | None
        try:
            reply = await self._uplink.ask(
                self._question(birth, request), self.deadline.total_seconds()
            )
        except Unavailable as error:
            asked = error.reason is not Reason.LINK_DOWN
            why_not = self._alone.why_not if self._alone else Reason.ISSUE_NEEDS_CENTRAL
            if self._alone is not None and why_not is None:
                return await self._alone.issue(birth, request, asked=asked)
            if not asked:
                raise Unavailable(why_not or Reason.ISSUE_NEEDS_CENTRAL) from error
            reply = None
        record = self._record(birth, request, reply)
        await self._outbox.commit(Draft(birth.id, birth.at, record))
        label = None
        if isinstance(reply, RegisterReply):
            label = await self._printing.print_first(birth, reply)
        return IssueView(
            id=birth.id.hex,
            outcome=record.outcome,
            identity=reply.identity if isinstance(reply, RegisterReply) else None,
            label=label,
            advice=advise(record.reason),
            milliseconds=round(self._registrar.age(birth).total_seconds() * 1000, 2),
        )

    def _record(
        self, birth: Birth, request: IssueRequest, reply: Reply | None
    ) -> RegistrationRecord:
        outcome, reason, patient_id = RegistrationOutcome.UNANSWERED, Reason.NO_ANSWER, ""
        match reply:
            case RegisterReply(found=found, identity=identity):
                outcome = RegistrationOutcome.FOUND if found else RegistrationOutcome.NEW
                patient_id = identity.patient_id
            case RefusalReply(reason=refusal):
                outcome, reason = RegistrationOutcome.REFUSED, refusal
        return RegistrationRecord(
            lane=Lane.IDENTITY,
            origin=self._registrar.origin(birth),
            document_type=request.document.type,
            document_number=request.document.number,
            name=request.name,
            outcome=outcome,
            reason=None if patient_id else reason,
            patient_id=patient_id,
        )

    def _question(self, birth: Birth, request: IssueRequest) -> RegisterAsk:
        return RegisterAsk(
            id=birth.id.bytes,
            box=str(self._registrar.box),
            born=to_microseconds(birth.at),
            expires_at=to_microseconds(self._registrar.central_now() + self.deadline),
            counter=self._registrar.counter,
            operator=birth.operator,
            document_type=request.document.type,
            document_number=request.document.number,
            name=request.name,
            sex=request.sex,
            phone=request.phone,
        )
