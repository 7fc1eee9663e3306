"""Issuing while central does not answer: a temporary code, signed by this box (ADR 0019).

Its record goes into the queue before anything is shown or printed, under the id that the question
had, so that central knows both as one. The same resident who asks again that day gets the same
code again, from the day's labels.
"""

import asyncio

from agent.counter.birth import Birth, Registrar
from agent.counter.form import IssueRequest
from agent.counter.printing import Printing
from agent.counter.temporary import TemporaryCodes, describe_resident
from agent.counter.tokens import CodeTokens
from agent.counter.unlimited import UNLIMITED
from agent.counter.views import IssueView, LabelView, advise
from agent.ports import Cache, CachedAnswer, Draft, Outbox
from agent.ports_alone import Lease
from shared.ehc import TemporaryCode, parse_code
from shared.lease import LeaseUse
from shared.ledger import Lane
from shared.messages import Identity, RegistrationOutcome, TemporaryRecord
from shared.reasons import Reason


class IssuingAlone:
    """Gives temporary codes at one counter."""

    def __init__(  # noqa: PLR0913 - what a registration without central needs
        self,
        *,
        registrar: Registrar,
        outbox: Outbox,
        printing: Printing,
        codes: TemporaryCodes,
        tokens: CodeTokens,
        cache: Cache,
        lease: Lease = UNLIMITED,
    ) -> None:
        """``lease`` says whether this box may still give codes alone."""
        self._registrar = registrar
        self._outbox = outbox
        self._printing = printing
        self._codes = codes
        self._tokens = tokens
        self._cache = cache
        self._lease = lease
        self._giving = asyncio.Lock()

    @property
    def why_not(self) -> Reason | None:
        """Why no temporary code can be given now; None: one can."""
        if not self._codes.can_be_given:
            return Reason.ISSUE_NEEDS_CENTRAL
        return self._lease.reason

    async def issue(self, birth: Birth, request: IssueRequest, *, asked: bool) -> IssueView:
        """Keep the record, then show and print. ``asked``: the question left under this birth's id.

        Raises what the queue raises when the record cannot be kept: nothing is shown or printed.
        """
        resident = self._tokens.of_resident(request.document, request.name)
        identity = describe_resident(request.document, request.name, request.sex)
        async with self._giving:
            before = self._printing.find_temporary(resident)
            if before is not None:
                return self._view(birth, identity, before, Reason.TEMPORARY_GIVEN_BEFORE)
            code = self._codes.build(birth.id)
            record = TemporaryRecord(
                lane=Lane.IDENTITY,
                origin=self._registrar.origin(birth),
                document_type=request.document.type,
                document_number=request.document.number,
                name=request.name,
                sex=identity.sex,
                phone=request.phone,
                code=code,
                asked=asked,
            )
            await self._outbox.commit(Draft(birth.id, birth.at, record))
            await self._lease.charge(LeaseUse.ISSUE)
            await self._remember(code, identity, birth)
            label = await self._printing.print_temporary(birth, code, identity.name, resident)
        return self._view(birth, identity, label, Reason.TEMPORARY_GIVEN)

    async def _remember(self, code: str, identity: Identity, birth: Birth) -> None:
        """Whoever shows the code here meanwhile is known."""
        parsed = parse_code(code)
        assert isinstance(parsed, TemporaryCode)
        token = self._tokens.of_card(parsed)
        await self._cache.remember(token, CachedAnswer(identity, None, birth.at))

    def _view(
        self, birth: Birth, identity: Identity, label: LabelView, reason: Reason
    ) -> IssueView:
        return IssueView(
            id=label.registration,
            outcome=RegistrationOutcome.TEMPORARY,
            identity=identity,
            label=label,
            advice=advise(reason),
            milliseconds=round(self._registrar.age(birth).total_seconds() * 1000, 2),
        )
