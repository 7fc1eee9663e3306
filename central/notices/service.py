"""Notices: kept in the unit of work of whatever they tell of, until the box says it has them.

Every method runs inside the caller's unit of work; who sends them is ``posting``.
"""

from datetime import datetime
from typing import NamedTuple

from central.fleet.service import Fleet
from central.notices import store
from shared.clock import from_microseconds, to_microseconds
from shared.errors import Refused
from shared.ids import BoxId
from shared.notices import MOST_TOGETHER, Command, Notice, acknowledgements, commands
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import ASK_NOTICED, COMMAND


class Delivery(NamedTuple):
    """A box that was told of a case; ``acknowledged_at`` is None until it has it on its disk."""

    box: str
    posted_at: datetime
    acknowledged_at: datetime | None


class Notices:
    """Posts, seals, and takes acknowledgements."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.changes = 0
        """Counts what this process has posted and taken, so that the sender need not look."""

    def post(self, box: BoxId, notice: Notice) -> bool:
        """Tell a box; the same notice again, or one to a box that never was, changes nothing."""
        posted = self._fleet.is_known(box) and store.insert_notice(box, notice)
        self.changes += posted
        return posted

    def list_waiting(self, box: BoxId, most: int = MOST_TOGETHER) -> list[Notice]:
        """The oldest that a box has not acknowledged."""
        return store.list_waiting(box, most)

    def list_boxes_waiting(self) -> list[BoxId]:
        """The boxes that have not acknowledged everything."""
        return store.list_boxes_waiting()

    def list_deliveries(self, case: bytes) -> list[Delivery]:
        """Who was told of a case, in order."""
        return [
            Delivery(box, from_microseconds(at), None if had is None else from_microseconds(had))
            for box, at, had in store.list_deliveries(case)
        ]

    def seal_waiting(self, box: BoxId) -> bytes | None:
        """The next message to a box, ready to leave; None when it has everything.

        Raises Refused (NOT_ADMITTED) for a box that is shut out.
        """
        notices = store.list_waiting(box, MOST_TOGETHER)
        if not notices:
            return None
        plaintext = commands.encode(Command(str(box), tuple(notices)))
        return self._fleet.pair_key(box).seal(Direction.DOWN, box, COMMAND, plaintext)

    def take_acknowledgement(self, box: BoxId, payload: bytes, at: datetime) -> bool:
        """A box has notices on its disk; whether more wait for it.

        Raises Refused (NotAuthentic, Malformed, NOT_ADMITTED, NOT_FOR_THIS_BOX).
        """
        opened = self._fleet.pair_key(box).open(Direction.UP, box, ASK_NOTICED, payload)
        noticed = acknowledgements.decode(opened)
        if noticed.box != str(box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        self.changes += store.acknowledge(box, noticed.ids, to_microseconds(at))
        return bool(store.list_waiting(box, 1))
