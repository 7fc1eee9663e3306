"""What is durable of a label: its records in the queue, for central, and the label itself in the
journal, for a restart.

The journal always comes first. So every label that the queue names is one that a restart finds
and can end; and an outcome that the journal has and the queue lacks is told by the next start.
Both at once would save a sync, and leave a SENDING at central that nobody here could ever end.
"""

import logging
from collections.abc import Coroutine
from typing import Any

from agent.counter.birth import Birth, Registrar
from agent.counter.jobs import Job
from agent.counter.print_edges import Edge, Observe
from agent.ports import Draft, LabelJournal, Outbox
from shared.errors import OneCodeError
from shared.ids import RecordId
from shared.ledger import Lane
from shared.messages import PrintRecord
from shared.reasons import Reason

log = logging.getLogger(__name__)


class LabelRecords:
    """Queue and journal as one label's steps need them."""

    def __init__(
        self, registrar: Registrar, outbox: Outbox, journal: LabelJournal, observe: Observe
    ) -> None:
        self._registrar = registrar
        self._outbox = outbox
        self._journal = journal
        self._observe = observe

    async def begin(self, job: Job) -> Reason | None:
        """Make SENDING durable; why that cannot be, if so: then no byte may leave."""
        await self._journal.keep(job.kept)
        self._observe(Edge.NOTED)
        unsaved = await self._try(job, self._commit(job, job.birth))
        if unsaved is None:
            self._observe(Edge.RECORDED)
        return unsaved

    async def conclude(self, job: Job, birth: Birth) -> Reason | None:
        """Keep an outcome; why its record cannot be kept, if so: the next start tries again."""
        return await self._try(job, self.commit_end(job, birth))

    async def commit_end(self, job: Job, birth: Birth) -> None:
        """Keep an outcome. Raises what the queue raises."""
        job.record, job.operator = birth.id, birth.operator
        await self._journal.keep(job.kept)
        self._observe(Edge.END_NOTED)
        await self._commit(job, birth)
        job.recorded = True
        self._journal.keep_soon(job.kept)
        self._observe(Edge.END_RECORDED)

    async def is_recorded(self, id: RecordId) -> bool:
        """Whether a record is in the queue; if that cannot be read, bytes may have left."""
        try:
            return await self._outbox.find_record(id)
        except OneCodeError as error:
            log.error("the queue does not say whether a label was recorded: %s", error)
            return True

    async def _try(self, job: Job, committing: Coroutine[Any, Any, None]) -> Reason | None:
        try:
            await committing
        except OneCodeError as error:
            log.error("a label's state %s could not be kept: %s", job.outcome.state, error)
            return error.reason
        return None

    async def _commit(self, job: Job, birth: Birth) -> None:
        outcome = job.outcome
        record = PrintRecord(
            lane=Lane.PRINT,
            origin=self._registrar.origin(birth),
            label=job.label.id.bytes,
            registration=job.registration.bytes,
            state=outcome.state,
            reason=outcome.reason,
            conditions=tuple(sorted(outcome.conditions)),
            copy=job.label.copy,
            reprint_reason=job.reprint_reason,
        )
        await self._outbox.commit(Draft(birth.id, birth.at, record))
