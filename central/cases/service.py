"""Cases: opened where a conflict is found, in its unit of work; decided by a person; told to the
boxes concerned.

Nothing here changes a record, and nothing is decided by itself. Every method runs inside the
caller's unit of work.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from central.audit.service import Audit
from central.cases import store
from central.cases.case import Case, CaseId, Decided, Evidence
from central.cases.kinds import KINDS, CaseKind, Choice, Outcome
from central.cases.states import CaseState, check_step
from central.keys.service import Keys
from central.notices.service import Delivery, Notices
from central.patients.person import PersonId
from shared.clock import from_microseconds, to_microseconds
from shared.errors import Malformed, Refused
from shared.ids import BoxId, RecordId, new_record_id, parse_box_id
from shared.notices import NoticeKind, new_notice
from shared.reasons import Reason

MOST_EVIDENCE = 50
"""What is kept of one case; more is counted."""
MOST_LISTED = 10_000
MOST_NOTE = 500
MOST_OWNER = 64
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PRIVATE = "case_evidence.private"
_NOTE = "conflict_case.note"
_CENTRAL = "central"

Act = Callable[[Case, Sequence[Evidence], datetime, str], str]
"""What an outcome does besides being told: of a case, its evidence, when, by whom. What it gives
is shown once to whoever decided. Raises Refused, so that nothing is decided."""


class Cases:
    """Opens, reads, assigns and decides."""

    def __init__(
        self, keys: Keys, audit: Audit, notices: Notices, acts: Mapping[Outcome, Act] | None = None
    ) -> None:
        self._keys = keys
        self._audit = audit
        self._notices = notices
        self._acts = acts or {}

    # --- where a conflict is found ---------------------------------------------------------------

    def open(
        self, kind: CaseKind, subject: str, evidence: Sequence[Evidence], at: datetime
    ) -> CaseId:
        """The case of this kind and subject, with this evidence in it; the same again is one.

        ``subject`` names what the conflict is about, and no person. The last of the evidence is
        what was reported now: after a decision it opens a case of its own, unless it was decided
        on. Boxes that come new into a case are told.
        """
        found = self._find(kind, subject, evidence)
        id = found or self._insert(kind, subject, at)
        for each in evidence:
            kept = self._seal(each)
            if not store.has_evidence(id.bytes, kept):
                store.add_evidence(id.bytes, kept, MOST_EVIDENCE)
        for box in dict.fromkeys(each.box for each in evidence if each.box is not None):
            if store.add_box(id.bytes, str(box)):
                self._tell_opened(self._read(id), box, evidence, at)
        return id

    # --- where a person looks --------------------------------------------------------------------

    def list_undecided(self, site: str | None = None, most: int = MOST_LISTED) -> list[Case]:
        """What waits for a person, what is due first before all; of one site, or of all."""
        return [self._case(stored) for stored in store.list_undecided(site, most)]

    def list_all(self, site: str | None, before: int | None, limit: int) -> list[Case]:
        """Every case, the newest first; ``before`` is the last number of the page before."""
        return [self._case(stored) for stored in store.list_cases(site, before, limit)]

    def read(self, number: int) -> Case:
        """A case by its number. Raises Refused (NOT_FOUND)."""
        stored = store.find_case(number)
        if stored is None:
            raise Refused(Reason.NOT_FOUND, f"case {number}")
        return self._case(stored)

    def list_evidence(self, case: Case) -> list[Evidence]:
        """Both sides, as they came."""
        return [self._open_evidence(stored) for stored in store.list_evidence(case.id.bytes)]

    def list_deliveries(self, case: Case) -> list[Delivery]:
        """Which boxes were told of it, and which have it on their disk."""
        return self._notices.list_deliveries(case.id.bytes)

    # --- where a person acts ---------------------------------------------------------------------

    def assign(self, number: int, owner: str, at: datetime, actor: str) -> Case:
        """Give a case to somebody.

        Raises Refused (NOT_FOUND, STATE_STEP), Malformed for a name that is none.
        """
        case = self.read(number)
        check_step(case.state, CaseState.ASSIGNED)
        if not owner.strip() or len(owner) > MOST_OWNER or _CONTROL.search(owner):
            raise Malformed(Reason.REQUEST_MALFORMED, f"owner has 1 to {MOST_OWNER} characters")
        store.save_owner(case.id.bytes, owner.strip())
        self._audit.write("case.assign", str(number), actor, at)
        return self.read(number)

    def decide(  # noqa: PLR0913 - what is decided, why, by whom
        self, number: int, outcome: Outcome, note: str, at: datetime, actor: str, *, name: str = ""
    ) -> Decided:
        """End a case: the outcome's act is done, the boxes concerned are told. ``name`` is how
        people know the actor.

        Raises Refused (NOT_FOUND, STATE_STEP also for an outcome that the kind does not have, and
        what the act refuses), Malformed without a note.
        """
        case = self.read(number)
        check_step(case.state, CaseState.DECIDED)
        choice = case.facts.find(outcome)
        if choice is None:
            raise Refused(Reason.STATE_STEP, f"a {case.kind} has no {outcome}")
        if not note.strip() or len(note) > MOST_NOTE:
            raise Malformed(Reason.REQUEST_MALFORMED, f"a note has 1 to {MOST_NOTE} characters")
        act = self._acts.get(outcome)
        shown_once = act(case, self.list_evidence(case), at, actor) if act else ""
        sealed = self._keys.seal(_NOTE, note.strip())
        store.save_decision(case.id.bytes, outcome, name or actor, sealed, to_microseconds(at))
        facts = {"kind": str(case.kind), "outcome": str(outcome)}
        self._audit.write("case.decide", str(number), actor, at, **facts)
        for box in case.boxes:
            self._tell_decided(case, choice, box, at)
        return Decided(self.read(number), shown_once)

    # --- inside ----------------------------------------------------------------------------------

    def _find(self, kind: CaseKind, subject: str, evidence: Sequence[Evidence]) -> CaseId | None:
        """The undecided one; or the decided one that has what is reported now, the last."""
        found = store.find_undecided(kind, subject)
        reported = evidence[-1]
        if found is None and reported.record is not None:
            box = None if reported.box is None else str(reported.box)
            found = store.find_decided_with(kind, subject, box, reported.record.bytes)
        return CaseId(UUID(bytes=found)) if found else None

    def _insert(self, kind: CaseKind, subject: str, at: datetime) -> CaseId:
        id = CaseId(new_record_id(at))
        due_at = at + KINDS[kind].within
        number = store.insert_case(
            id.bytes, kind, subject, to_microseconds(at), to_microseconds(due_at)
        )
        self._audit.write("case.open", str(number), _CENTRAL, at, kind=str(kind))
        return id

    def _tell_opened(
        self, case: Case, box: BoxId, evidence: Sequence[Evidence], at: datetime
    ) -> None:
        facts = case.facts
        record = next((each.record for each in evidence if each.box == box), None)
        notice = new_notice(
            NoticeKind.CASE_OPENED,
            at,
            zh=f"个案 {case.number}：{facts.zh}。中心会有人处理，结果会告诉这里",
            en=f"Case {case.number}: {facts.en}. Somebody at central decides; it is told here",
            record=None if record is None else record.bytes,
            case=case.id.bytes,
        )
        self._notices.post(box, notice)

    def _tell_decided(self, case: Case, choice: Choice, box: BoxId, at: datetime) -> None:
        record = next((each.record for each in self.list_evidence(case) if each.box == box), None)
        notice = new_notice(
            NoticeKind.CASE_DECIDED,
            at,
            zh=f"个案 {case.number} 结案（{case.facts.zh}）：{choice.told_zh}",
            en=f"Case {case.number} is decided ({case.facts.en}): {choice.told_en}",
            record=None if record is None else record.bytes,
            case=case.id.bytes,
        )
        self._notices.post(box, notice)

    def _read(self, id: CaseId) -> Case:
        stored = store.find_by_id(id.bytes)
        assert stored is not None
        return self._case(stored)

    def _case(self, stored: store.StoredCase) -> Case:
        decided = stored.decided_at
        return Case(
            id=CaseId(UUID(bytes=stored.id)),
            number=stored.number,
            kind=CaseKind(stored.kind),
            state=CaseState(stored.state),
            opened_at=from_microseconds(stored.opened_at),
            due_at=from_microseconds(stored.due_at),
            owner=stored.owner,
            evidence=stored.evidence,
            boxes=tuple(sorted(map(parse_box_id, stored.boxes.split()))),
            outcome=Outcome(stored.outcome) if stored.outcome else None,
            decided_at=None if decided is None else from_microseconds(decided),
            decided_by=stored.decided_by,
            note=self._keys.open(_NOTE, stored.note) if stored.note else "",
        )

    def _seal(self, evidence: Evidence) -> store.StoredEvidence:
        return store.StoredEvidence(
            at=to_microseconds(evidence.at),
            zh=evidence.zh,
            en=evidence.en,
            box=None if evidence.box is None else str(evidence.box),
            record=None if evidence.record is None else evidence.record.bytes,
            person=None if evidence.person is None else evidence.person.bytes,
            counter=evidence.counter,
            operator=evidence.operator,
            private=self._keys.seal(_PRIVATE, evidence.private) if evidence.private else None,
        )

    def _open_evidence(self, stored: store.StoredEvidence) -> Evidence:
        return Evidence(
            at=from_microseconds(stored.at),
            zh=stored.zh,
            en=stored.en,
            box=None if stored.box is None else parse_box_id(stored.box),
            record=None if stored.record is None else RecordId(UUID(bytes=stored.record)),
            person=None if stored.person is None else PersonId(UUID(bytes=stored.person)),
            counter=stored.counter,
            operator=stored.operator,
            private=self._keys.open(_PRIVATE, stored.private) if stored.private else "",
        )
