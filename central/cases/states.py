"""Where a case stands, and every step: one table, no I/O."""

from enum import StrEnum

from shared.errors import Refused
from shared.reasons import Reason


class CaseState(StrEnum):
    """A decided case is never opened again: what comes later is a case of its own."""

    OPEN = "open"  # nobody has it
    ASSIGNED = "assigned"
    DECIDED = "decided"


CASE_STEPS: dict[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.ASSIGNED, CaseState.DECIDED}),
    CaseState.ASSIGNED: frozenset({CaseState.ASSIGNED, CaseState.DECIDED}),
    CaseState.DECIDED: frozenset(),
}


def check_step(before: CaseState, after: CaseState) -> None:
    """Raises Refused (STATE_STEP) unless the table allows the step."""
    if after not in CASE_STEPS[before]:
        raise Refused(Reason.STATE_STEP, f"case {before} → {after}")
