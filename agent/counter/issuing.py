"""Issuing at a counter: a resident is registered with central, and a label is printed.

Registering needs central (the key never leaves it), so without a line the clerk hears "not
available" and what to do.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from agent.counter.birth import Birth, Registrar
from agent.counter.form import SEXES, parse_number
from agent.counter.printing import Printing
from agent.counter.views import IssueView, advise
from agent.ports import Draft, Outbox, Uplink
from shared.clock import to_microseconds
from shared.errors import Malformed, Unavailable
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
from shared.residents import Document, normalise_name


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What a clerk typed, already checked and normalised."""

    document: Document
    name: str = field(repr=False)
    sex: str
    phone: str = field(repr=False)


def parse_request(
    *, document_type: str, number: str, name: str, sex: str = "0", phone: str = ""
) -> IssueRequest:
    """Check a form at the counter, before anything is asked. Raises Malformed with its reason."""
    if sex not in SEXES:
        raise Malformed(Reason.REQUEST_MALFORMED, "sex is 0, 1, 2 or 9 (GB/T 2261.1)")
    document = parse_number(document_type, number)
    return IssueRequest(document, normalise_name(name), sex, phone)


class Issuing:
    """One counter's registrations and labels."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        outbox: Outbox,
        uplink: Uplink,
        printing: Printing,
        deadline: timedelta,
    ) -> None:
        self._registrar = registrar
        self._outbox = outbox
        self._uplink = uplink
        self._printing = printing
        self.deadline = deadline

    async def issue(self, request: IssueRequest) -> IssueView:
        """Register, keep the record, print.

        Raises Unavailable: ISSUE_NEEDS_CENTRAL without a line, the disk's reason while that is in
        trouble (nothing happened). Raises
        Unavailable or Damaged, the store's, when the registration cannot be kept (nothing is
        printed). Once it is kept, whatever becomes of the label is data.
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
            if error.reason is Reason.LINK_DOWN:
                raise Unavailable(Reason.ISSUE_NEEDS_CENTRAL) from error
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
