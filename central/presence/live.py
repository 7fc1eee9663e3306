"""A box as it last was, for whoever looks. Pure values."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import from_microseconds
from shared.desired import Reported
from shared.ids import BoxId

SILENT_AFTER = timedelta(seconds=150)
"""A box reports once a minute while its line is up: two are lost before it counts as silent."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is known of a box now.

    ``online`` is a hint: the box or its will said so, by way of the broker, at ``since``.
    ``heard_at`` is when its last authentic report came; None before the first.
    """

    box: BoxId
    online: bool
    since: datetime | None
    heard_at: datetime | None
    reported: Reported | None

    @property
    def unsent(self) -> int | None:
        """Rows that central lacks, as the box last said."""
        return self.reported.pending if self.reported else None

    @property
    def oldest_unsent_at(self) -> datetime | None:
        """When the oldest of them was born, by the box's clock."""
        oldest = self.reported.oldest_pending_at if self.reported else None
        return None if oldest is None else from_microseconds(oldest)

    @property
    def certificate_until(self) -> datetime | None:
        """When the box's certificate ends."""
        until = self.reported.certificate_until if self.reported else None
        return None if until is None else from_microseconds(until)

    def is_silent(self, at: datetime) -> bool:
        """Said to be online, and yet not heard for long."""
        return self.online and (self.heard_at is None or at - self.heard_at > SILENT_AFTER)
