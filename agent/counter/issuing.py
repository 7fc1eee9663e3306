"""Issuing at a counter: a resident is registered with central, and a label is printed.

Registering needs central (the key never leaves it), so without a line the clerk hears "not
available" and what to do. A label's SENDING record is durable before its first byte leaves:
after a crash nobody has to guess whether a label may have come out, and nothing is resent.
"""

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta

from agent.counter.birth import Birth, Registrar
from agent.counter.labels import build_label
from agent.counter.views import IssueView, LabelView, advise
from agent.ports import Draft, Label, LabelPrinter, Outbox, PrintOutcome, Uplink
from shared.clock import to_microseconds
from shared.devices import PrintState
from shared.errors import Malformed, OneCodeError, Refused, Unavailable
from shared.ledger import Lane
from shared.messages import (
    PrintRecord,
    RefusalReply,
    RegisterAsk,
    RegisterReply,
    RegistrationOutcome,
    RegistrationRecord,
    Reply,
)
from shared.reasons import Reason
from shared.residents import Document, normalise_name, parse_document

log = logging.getLogger(__name__)


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
    if sex not in {"0", "1", "2", "9"}:
        raise Malformed(Reason.REQUEST_MALFORMED, "sex is 0, 1, 2 or 9 (GB/T 2261.1)")
    document = parse_document(document_type, number)
    return IssueRequest(document, normalise_name(name), sex, phone)


class Issuing:
    """One counter's registrations and labels."""

    def __init__(  # noqa: PLR0913 - the ports of an issue
        self,
        *,
        registrar: Registrar,
        outbox: Outbox,
        uplink: Uplink,
        printer: LabelPrinter | None,
        site_name: str,
        deadline: timedelta,
    ) -> None:
        self._registrar = registrar
        self._outbox = outbox
        self._uplink = uplink
        self._printer = printer
        self._site_name = site_name
        self._deadline = deadline

    async def issue(self, request: IssueRequest) -> IssueView:
        """Register, keep the record, print.

        Raises Unavailable: ISSUE_NEEDS_CENTRAL without a line (nothing happened). Raises
        Unavailable or Damaged, the store's, when the registration cannot be kept (nothing is
        printed). Once it is kept, whatever becomes of the label is data.
        """
        birth = self._registrar.birth()
        reply: Reply | None
        try:
            reply = await self._uplink.ask(
                self._question(birth, request), self._deadline.total_seconds()
            )
        except Unavailable as error:
            if error.reason is Reason.LINK_DOWN:
                raise Unavailable(Reason.ISSUE_NEEDS_CENTRAL) from error
            reply = None
        record = self._record(birth, request, reply)
        await self._outbox.commit(Draft(birth.id, birth.at, record))
        label = await self._print(birth, reply) if isinstance(reply, RegisterReply) else None
        return IssueView(
            id=birth.id.hex,
            outcome=record.outcome,
            identity=reply.identity if isinstance(reply, RegisterReply) else None,
            label=label,
            advice=advise(record.reason),
            milliseconds=round(self._registrar.age(birth).total_seconds() * 1000, 2),
        )

    async def _print(self, registration: Birth, reply: RegisterReply) -> LabelView:
        birth = self._registrar.birth()
        label = build_label(birth.id, reply, self._site_name, birth.at)
        if self._printer is None:
            outcome = PrintOutcome(PrintState.FAILED, Reason.DEVICE_ABSENT)
        else:
            sending = PrintOutcome(PrintState.SENDING)
            unsaved = await self._keep_print(birth, registration, label, sending)
            if unsaved is not None:
                return _view(label, PrintOutcome(PrintState.FAILED, unsaved))
            outcome = await self._send(self._printer, label)
            birth = self._registrar.birth()
        # The clerk must hear of a label that is out, kept or not: or there will be two.
        unsaved = await self._keep_print(birth, registration, label, outcome)
        return _view(label, replace(outcome, reason=outcome.reason or unsaved))

    async def _send(self, printer: LabelPrinter, label: Label) -> PrintOutcome:
        try:
            return await printer.print(label)
        except (Refused, Unavailable) as error:  # before any byte left: glyph or font missing
            return PrintOutcome(PrintState.FAILED, error.reason)

    async def _keep_print(
        self, birth: Birth, registration: Birth, label: Label, outcome: PrintOutcome
    ) -> Reason | None:
        """Commit a state of a label; why it could not be kept, if so."""
        record = PrintRecord(
            lane=Lane.PRINT,
            origin=self._registrar.origin(birth),
            label=label.id.bytes,
            registration=registration.id.bytes,
            state=outcome.state,
            reason=outcome.reason,
            conditions=tuple(sorted(outcome.conditions)),
            copy=label.copy,
        )
        try:
            await self._outbox.commit(Draft(birth.id, birth.at, record))
        except OneCodeError as error:
            log.error("a label's state %s could not be kept: %s", outcome.state, error)
            return error.reason
        return None

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
            expires_at=to_microseconds(self._registrar.central_now() + self._deadline),
            counter=self._registrar.counter,
            document_type=request.document.type,
            document_number=request.document.number,
            name=request.name,
            sex=request.sex,
            phone=request.phone,
        )


def _view(label: Label, outcome: PrintOutcome) -> LabelView:
    return LabelView(
        id=label.id.hex,
        state=outcome.state,
        advice=advise(outcome.reason),
        conditions=tuple(sorted(outcome.conditions)),
    )
