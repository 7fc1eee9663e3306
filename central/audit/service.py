"""The audit: written inside the caller's unit of work, chained by a sealer after the commit.

Writers never wait for the chain: a row is plain until ``seal_pending`` gives it its place. What
is not yet sealed is counted, not hidden. Facts are ids, counts, states and reasons; an identity
number, a name, a phone or a code never belongs here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from central.audit import store
from central.audit.chain import GENESIS, Mac, build_head, build_seal
from central.storage.database import Database
from shared.clock import to_microseconds

_ROWS_A_UNIT = 1000


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something that the chain's verification found wrong; ``seq`` names the row."""

    seq: int
    detail: str


@dataclass(frozen=True, slots=True)
class AuditState:
    """How long the chain is, and how many rows still wait for their seal."""

    sealed: int
    unsealed: int


class Audit:
    """Append, seal and verify. ``mac`` is keyed by ``central.keys``."""

    def __init__(self, database: Database, mac: Mac) -> None:
        self._database = database
        self._mac = mac

    def write(
        self, act: str, subject: str, actor: str, at: datetime, **facts: str | int | bool | None
    ) -> None:
        """Append one row inside the caller's unit of work."""
        text = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        store.insert_act(to_microseconds(at), act, subject, actor, text)

    def seal_pending(self) -> int:
        """Chain the rows that are committed and not yet sealed; how many there were."""
        sealed = 0
        while count := self._seal_some():
            sealed += count
        return sealed

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
        return AuditState(store.count_sealed(), store.count_unsealed())

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
