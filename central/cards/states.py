"""What a card can be, and every step it may take: one table, no I/O.

A cancelled card stays cancelled: its ``ehc_id`` is for life and must not come back to life in
somebody's drawer.
"""

from enum import StrEnum

from shared.errors import Refused
from shared.reasons import Reason


class CardState(StrEnum):
    """Where a card stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # lost or under question; its codes are refused until resumed
    CANCELLED = "cancelled"


CARD_STEPS: dict[CardState, frozenset[CardState]] = {
    CardState.ACTIVE: frozenset({CardState.SUSPENDED, CardState.CANCELLED}),
    CardState.SUSPENDED: frozenset({CardState.ACTIVE, CardState.CANCELLED}),
    CardState.CANCELLED: frozenset(),
}
"""The one table of card states."""

REFUSALS: dict[CardState, Reason] = {
    CardState.SUSPENDED: Reason.CARD_SUSPENDED,
    CardState.CANCELLED: Reason.CARD_CANCELLED,
}
"""Why a card in this state identifies nobody; a state that is not here does."""


def check_step(before: CardState, after: CardState) -> None:
    """Raises Refused (STATE_STEP) for a step the table does not have."""
    if after not in CARD_STEPS[before]:
        raise Refused(Reason.STATE_STEP, f"card is {before}, cannot become {after}")
