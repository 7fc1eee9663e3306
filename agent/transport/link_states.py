"""The state machine of the line to the broker, as one table. Pure: no socket, no clock.

    DOWN ──start──▶ CONNECTING ──subscribed──▶ UP
                      ▲     │                   │
                      │   failed              lost
                      │     ▼                   │
                      └─ BACKING_OFF ◀──────────┘        from anywhere ──stop──▶ DOWN

UP means subscribed, not merely connected: a reply would arrive.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LinkState(StrEnum):
    """Where the line stands."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    BACKING_OFF = "backing-off"


LINK_STEPS: dict[LinkState, frozenset[LinkState]] = {
    LinkState.DOWN: frozenset({LinkState.CONNECTING}),
    LinkState.CONNECTING: frozenset({LinkState.UP, LinkState.BACKING_OFF, LinkState.DOWN}),
    LinkState.UP: frozenset({LinkState.BACKING_OFF, LinkState.DOWN}),
    LinkState.BACKING_OFF: frozenset({LinkState.CONNECTING, LinkState.DOWN}),
}


@dataclass(frozen=True, slots=True)
class Link:
    """The line's state and when it began."""

    state: LinkState
    since: datetime

    def step(self, to: LinkState, at: datetime) -> "Link":
        """The next state. Raises ValueError for a step that is not in the table: a bug."""
        if to not in LINK_STEPS[self.state]:
            raise ValueError(f"the line cannot go from {self.state} to {to}")
        return Link(to, at)
