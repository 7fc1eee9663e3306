"""The audit: written inside the caller's unit of work, chained by a sealer after the commit.

An act that cannot be audited is not done. Only where a patient stands (what boxes ask and report)
it is: its row is kept aside in the same unit of work, counted, and taken in by the sealer later.

Writers never wait for the chain: a row is plain until ``seal_pending`` gives it its place. What
is not yet sealed is counted, not hidden. Facts are ids, counts, states and reasons; an identity
number, a name, a phone or a code never belongs here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

import peewee

from central.audit import store
from central.audit.chain import GENESIS, Mac, build_head, build_seal
from central.storage.database import Database
from shared.clock import from_microseconds, to_microseconds
from shared.errors import Damaged, Unavailable
from shared.reasons import Reason

_ROWS_A_UNIT = 1000


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something that the chain's verification found wrong; ``seq`` names the row."""

    seq: int
    detail: str


Fact = str | int | bool | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row as it is read; ``sealed`` once it has its place in the chain."""

    seq: int
    at: datetime
    act: str
    subject: str
    actor: str
    facts: Mapping[str, Fact]
    sealed: bool


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows to read. Texts are compared whole; ``act`` may end in ``*``.

    ``since`` is in, ``until`` is out.
    """

    act: str | None = None
    subject: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditState:
    """How long the chain is, how many rows still wait for their seal, and how many of acts for
    patients were kept aside because the audit took nothing."""

    sealed: int
    unsealed: int
    waiting: int = 0


class Audit:
    """Append, seal and verify. ``mac`` is keyed by ``central.keys``."""

    def __init__(self, database: Database, mac: Mac) -> None:
        self._database = database
        self._mac = mac
        self._for_patient = ContextVar("for_patient", default=False)

    def write(self, act: str, subject: str, actor: str, at: datetime, **facts: Fact) -> None:
        """Append one row inside the caller's unit of work.

        Raises Unavailable (AUDIT_UNAVAILABLE), so that nothing of the unit is kept; see
        ``for_patient``.
        """
        row = (to_microseconds(at), act, subject, actor, _build_facts(facts))
        try:
            store.insert_act(*row)
        except (peewee.IntegrityError, Unavailable, Damaged) as error:
            # A full disk takes the whole transaction with it: nothing can be kept aside either.
            if not self._for_patient.get() or not self._database.in_unit:
                raise Unavailable(Reason.AUDIT_UNAVAILABLE) from error
            store.insert_waiting(*row)

    @contextmanager
    def for_patient(self) -> Iterator[None]:
        """What is done inside goes on without the audit: its rows are kept aside meanwhile."""
        before = self._for_patient.set(True)
        try:
            yield
        finally:
            self._for_patient.reset(before)

    def seal_pending(self) -> int:
        """Take in what was kept aside, then chain the rows that are committed and not yet sealed;
        how many were chained. Raises Unavailable, Damaged."""
        self._take_in_waiting()
        sealed = 0
        while count := self._seal_some():
            sealed += count
        return sealed

    def _take_in_waiting(self) -> None:
        while waiting := store.list_waiting(_ROWS_A_UNIT):
            try:
                with self._database.unit():
                    for row in waiting:
                        facts = _build_facts({**json.loads(row.facts), "late": True})
                        store.insert_act(row.at, row.act, row.subject, row.actor, facts)
                        store.delete_waiting(row.seq)
            except (peewee.IntegrityError, Unavailable):
                return  # still not: they stay where they are, counted

    def _seal_some(self) -> int:
        with self._database.unit():
            acts = store.list_unsealed(_ROWS_A_UNIT)
            if not acts:
                return 0
            position, seal = store.last_seal()
            for act in acts:
                position += 1
                seal = build_seal(self._mac, seal, position, act)
                store.insert_seal(position, act.seq, seal)
            store.save_head(store.Head(position, build_head(self._mac, position, seal)))
        return len(acts)

    def read_state(self) -> AuditState:
        """Sealed and waiting rows."""
        return AuditState(store.count_sealed(), store.count_unsealed(), store.count_waiting())

    def list(
        self, wanted: AuditFilter, before: int | None = None, limit: int = 100
    ) -> Sequence[AuditEntry]:
        """The newest rows that are ``wanted``, newest first; ``before`` is the last row's ``seq``
        of the page before."""
        sealed_until = store.last_sealed_row()
        return [
            AuditEntry(
                act.seq,
                from_microseconds(act.at),
                act.act,
                act.subject,
                act.actor,
                json.loads(act.facts),
                act.seq <= sealed_until,
            )
            for act in store.list_acts(_selection(wanted), before, limit)
        ]

    def verify(self) -> Iterator[AuditFinding]:
        """Walk the chain; the first finding names the first row that is not what was written.

        After a wrong seal nothing behind it can be judged, so the walk ends there. What a server
        seals meanwhile is left for the next walk.
        """
        sealed_position, _ = store.last_seal()  # before the head, which moves with the seals
        head = store.read_head()
        if (head.position if head else 0) < sealed_position:
            yield AuditFinding(1, "the stored end of the chain was set back")
            return
        if head is None:
            return
        last, seal, last_seq = 0, GENESIS, 0
        for sealed in store.iterate_sealed(head.position):
            if sealed.position != last + 1:
                yield AuditFinding(last_seq + 1, "rows are missing from the chain")
                return
            if sealed.act is None:
                yield AuditFinding(last_seq + 1, "a sealed row is missing")
                return
            expected = build_seal(self._mac, seal, sealed.position, sealed.act)
            if expected != sealed.mac:
                yield AuditFinding(sealed.act.seq, "the row or its seal was changed")
                return
            last, seal, last_seq = sealed.position, sealed.mac, sealed.act.seq
        if head != store.Head(last, build_head(self._mac, last, seal)):
            yield AuditFinding(last_seq + 1, "rows were taken off the end of the chain")


def _build_facts(facts: Mapping[str, Fact]) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _selection(wanted: AuditFilter) -> store.Selection:
    return store.Selection(
        wanted.act,
        wanted.subject,
        wanted.actor,
        to_microseconds(wanted.since) if wanted.since else None,
        to_microseconds(wanted.until) if wanted.until else None,
    )
