"""What a card can be, and every act that moves it: one table, no I/O.

``ehc_id`` is for life, so a cancelled card is not replaced by another: it is issued again, which
only a registration with the holder's document does.
"""

from enum import StrEnum

from shared.errors import Refused
from shared.reasons import Reason


class CardState(StrEnum):
    """Where a card stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # lost or under question; its codes are refused until resumed
    CANCELLED = "cancelled"


class CardAct(StrEnum):
    """What can be done to a card; the audit's word for it behind ``card.``."""

    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"
    REISSUE = "reissue"


CARD_STEPS: dict[CardState, dict[CardAct, CardState]] = {
    CardState.ACTIVE: {
        CardAct.SUSPEND: CardState.SUSPENDED,
        CardAct.CANCEL: CardState.CANCELLED,
    },
    CardState.SUSPENDED: {
        CardAct.RESUME: CardState.ACTIVE,
        CardAct.CANCEL: CardState.CANCELLED,
    },
    CardState.CANCELLED: {
        CardAct.REISSUE: CardState.ACTIVE,
    },
}
"""The one table of card states."""

REFUSALS: dict[CardState, Reason] = {
    CardState.SUSPENDED: Reason.CARD_SUSPENDED,
    CardState.CANCELLED: Reason.CARD_CANCELLED,
}
"""Why a card in this state identifies nobody; a state that is not here does."""


def next_state(before: CardState, act: CardAct) -> CardState:
    """Where an act leads. Raises Refused (STATE_STEP) for one the table does not have."""
    after = CARD_STEPS[before].get(act)
    if after is None:
        raise Refused(Reason.STATE_STEP, f"a card that is {before} has no {act}")
    return after
