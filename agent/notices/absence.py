"""Since when this box was without its line, when it was back, and how much went out since. No I/O.

Told to a counter once the line is back, until a clerk has seen it. A line that goes again before
that makes the same absence longer. One too short to notice is not told.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.clock import Clock

SHORTEST = timedelta(minutes=1)


@dataclass
class Absence:
    """The last absence that nobody here has seen yet."""

    clock: Clock
    since: datetime | None = None
    until: datetime | None = None
    delivered: int = field(default=0)

    def begin(self, oldest_pending_at: datetime | None) -> None:
        """This box starts: it has been away as long as its oldest record waits."""
        self.since = oldest_pending_at or self.clock.now()

    def note_link(self, *, up: bool) -> None:
        """The line came or went."""
        if up:
            self.until = self.clock.now() if self.until is None else self.until
        elif self.until is not None or self.since is None:
            if not self.is_told:
                self.since, self.delivered = self.clock.now(), 0
            self.until = None

    def note_delivered(self, count: int) -> None:
        """Central has custody of so many more records."""
        if self.since is not None:
            self.delivered += count

    @property
    def is_told(self) -> bool:
        """Whether it is over, long enough, and not seen."""
        if self.since is None or self.until is None:
            return False
        return self.until - self.since >= SHORTEST

    def see(self) -> None:
        """A clerk has seen it."""
        if self.is_told:
            self.since = self.until = None
            self.delivered = 0
