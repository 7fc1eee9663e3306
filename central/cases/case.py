"""A case as the rest of central knows it. Pure values."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType
from uuid import UUID

from central.cases.kinds import KINDS, CaseKind, KindFacts, Outcome
from central.cases.states import CaseState
from central.patients.person import PersonId
from shared.ids import BoxId, RecordId

CaseId = NewType("CaseId", UUID)
"""A UUIDv7; people say the case's number."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one side says. ``zh`` and ``en`` name no person; ``at`` is on central's clock.

    ``box`` is None for what central itself did; ``private`` is masked, and kept sealed.
    """

    at: datetime
    zh: str
    en: str
    box: BoxId | None = None
    record: RecordId | None = None
    person: PersonId | None = None
    counter: str = ""
    operator: str = ""
    private: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One conflict, with what was decided once it was. ``evidence`` counts all, also what is too
    much to be kept."""

    id: CaseId
    number: int
    kind: CaseKind
    state: CaseState
    opened_at: datetime
    due_at: datetime
    owner: str  # empty: nobody's
    evidence: int
    boxes: tuple[BoxId, ...]
    outcome: Outcome | None = None
    decided_at: datetime | None = None
    decided_by: str = ""
    note: str = field(default="", repr=False)

    @property
    def facts(self) -> KindFacts:
        """Its kind's words and choices."""
        return KINDS[self.kind]

    @property
    def sites(self) -> frozenset[str]:
        """The sites whose boxes are concerned."""
        return frozenset(box.site for box in self.boxes)

    def is_overdue(self, at: datetime) -> bool:
        """Whether it should have been decided before."""
        return self.state is not CaseState.DECIDED and at > self.due_at


def count_overdue(cases: Iterable[Case], at: datetime) -> list[tuple[str, int]]:
    """Whose cases should have been decided before, and how many: those that are nobody's ("")
    first, then whoever has most."""
    owners = Counter(case.owner for case in cases if case.is_overdue(at))
    return sorted(owners.items(), key=lambda each: (bool(each[0]), -each[1], each[0]))


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision; ``shown_once`` is kept nowhere: an invite, say."""

    case: Case
    shown_once: str = field(default="", repr=False)
