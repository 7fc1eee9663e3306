"""Where a box stands with central: one table, no I/O."""

from enum import StrEnum

from shared.errors import Refused
from shared.reasons import Reason


class BoxState(StrEnum):
    """Only an ACTIVE box is answered; rows of a quarantined one are kept, not believed."""

    ACTIVE = "active"
    QUARANTINED = "quarantined"  # its ledger forked: a person decides, a new epoch begins
    RETIRED = "retired"


BOX_STEPS: dict[BoxState, frozenset[BoxState]] = {
    BoxState.ACTIVE: frozenset({BoxState.QUARANTINED, BoxState.RETIRED}),
    BoxState.QUARANTINED: frozenset({BoxState.ACTIVE, BoxState.RETIRED}),
    BoxState.RETIRED: frozenset(),
}


def check_step(before: BoxState, after: BoxState) -> None:
    """Raises Refused (STATE_STEP) unless the table allows the step."""
    if after not in BOX_STEPS[before]:
        raise Refused(Reason.STATE_STEP, f"box {before} → {after}")
