"""Presence: takes what boxes say of themselves, and tells how they last were.

A ``status`` is a hint that the broker could forge; a report opens with the box's pair key only.
Every method runs inside the caller's unit of work; reading needs none.
"""

from datetime import datetime

from central.fleet.service import Fleet
from central.presence import store
from central.presence.live import Live
from shared.codec import statuses
from shared.desired import Reported, reports
from shared.errors import Refused
from shared.ids import BoxId
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import REPORTED


class Presence:
    """The latest of each box."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def read(self, box: BoxId) -> Live | None:
        """A box as it last was; None for an unknown one."""
        return store.find_live(box)

    def list(self, site: str | None = None) -> list[Live]:
        """Every box, or those of a site, in one statement; also those never heard."""
        return store.list_live(site)

    def read_revision(self, box: BoxId) -> int:
        """The configuration that a box says is at work; 0 where nothing is known."""
        return store.find_revision(box)

    def take_status(self, box: BoxId, payload: bytes, at: datetime) -> bool:
        """Keep whether a box is there; whether that changed.

        Raises Malformed, Refused (NOT_ADMITTED) for a box that is not of the fleet.
        """
        status = statuses.decode(payload)
        _ = self._fleet.box(box)
        return store.save_status(box, online=status.online, at=at)

    def take_report(self, box: BoxId, payload: bytes, at: datetime) -> Reported | None:
        """Keep a box's report; None when a later one is there already.

        Raises NotAuthentic, Malformed, Refused (NOT_ADMITTED, NOT_FOR_THIS_BOX, SCHEMA_UNKNOWN).
        """
        opened = self._fleet.pair_key(box).open(Direction.UP, box, REPORTED, payload)
        report = reports.decode(opened)
        if report.box != str(box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        return report if store.save_report(box, report, at) else None
