"""Where a box, and an invite to become one, stand with central: tables, no I/O."""

from enum import StrEnum

from shared.errors import Refused
from shared.reasons import Reason


class BoxState(StrEnum):
    """Only an ACTIVE box is answered; rows of a quarantined one are kept, not believed.

    A revoked box is shut out with its certificates, and may come back by a new invite.
    """

    ACTIVE = "active"
    QUARANTINED = "quarantined"  # its ledger forked: a person decides, a new epoch begins
    REVOKED = "revoked"
    RETIRED = "retired"


SHUT_OUT = frozenset({BoxState.REVOKED, BoxState.RETIRED})
"""The broker gives these no topic."""


BOX_STEPS: dict[BoxState, frozenset[BoxState]] = {
    BoxState.ACTIVE: frozenset({BoxState.QUARANTINED, BoxState.REVOKED, BoxState.RETIRED}),
    BoxState.QUARANTINED: frozenset({BoxState.ACTIVE, BoxState.REVOKED, BoxState.RETIRED}),
    BoxState.REVOKED: frozenset({BoxState.ACTIVE, BoxState.RETIRED}),
    BoxState.RETIRED: frozenset(),
}


class InviteState(StrEnum):
    """Where an invite stands; only an open one lets a new machine in."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


def invite_state(*, used: bool, withdrawn: bool, expired: bool) -> InviteState:
    """What was done with an invite says more than that its time is over."""
    if used:
        return InviteState.USED
    if withdrawn:
        return InviteState.WITHDRAWN
    return InviteState.EXPIRED if expired else InviteState.OPEN


def check_joining(state: BoxState) -> None:
    """Raises Refused (STATE_STEP) unless another machine may join under a known box's name."""
    if state is not BoxState.ACTIVE:
        check_step(state, BoxState.ACTIVE)


def check_step(before: BoxState, after: BoxState) -> None:
    """Raises Refused (STATE_STEP) unless the table allows the step."""
    if after not in BOX_STEPS[before]:
        raise Refused(Reason.STATE_STEP, f"box {before} → {after}")
