"""Notices: what central told this box, on its disk before central hears so, shown once, until a
clerk has seen it.

While too many wait unseen no more are taken: central repeats them. Knows no topic and no page.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from agent.notices.absence import Absence
from agent.notices.views import AwayView, view_away
from shared.clock import Clock
from shared.errors import Malformed, Refused, Unavailable
from shared.ids import BoxId
from shared.notices import Notice, acknowledge, acknowledgements, commands
from shared.reasons import Reason

log = logging.getLogger(__name__)

MOST_UNSEEN = 200
MOST_ON_A_PAGE = 20


class Shelf(Protocol):
    """Where notices lie."""

    async def load(self) -> list[Notice]:
        """Those that nobody has seen, oldest first."""
        ...

    async def keep(self, notices: Sequence[Notice]) -> list[Notice]:
        """Put them on the disk; those that were not there yet. Raises Unavailable."""
        ...

    async def see(self, ids: Sequence[bytes]) -> None:
        """Remember that they were seen. Raises Unavailable."""
        ...


class Line(Protocol):
    """The line to central, as far as notices go."""

    async def acknowledge(self, plaintext: bytes) -> None:
        """Raises Unavailable."""
        ...


class Notices:
    """All methods belong to one event loop."""

    def __init__(self, box: BoxId, clock: Clock, shelf: Shelf, line: Line) -> None:
        self._box = box
        self._shelf = shelf
        self._line = line
        self._unseen: list[Notice] = []
        self.absence = Absence(clock)

    async def load(self) -> None:
        """Take up what nobody has seen, at the start."""
        self._unseen = await self._shelf.load()

    async def take(self, plaintext: bytes) -> bool:
        """Keep what came on ``down/command`` and say so; whether there is more to show.

        Never raises for what came: what cannot be read or kept is not acknowledged, and central
        repeats it.
        """
        try:
            command = commands.decode(plaintext)
            if command.box != str(self._box):
                raise Refused(Reason.NOT_FOR_THIS_BOX)
            if len(self._unseen) >= MOST_UNSEEN:
                return False
            new = await self._shelf.keep(command.notices)
            self._unseen = sorted([*self._unseen, *new], key=lambda notice: notice.id)
            noticed = acknowledge(command.box, command.notices)
            await self._line.acknowledge(acknowledgements.encode(noticed))
        except (Refused, Unavailable) as error:
            log.warning("notices: %s", error)
            return False
        return bool(new)

    def view(self) -> AwayView | None:
        """What is to be shown; None when there is nothing."""
        return view_away(self.absence, self._unseen, MOST_ON_A_PAGE)

    async def see(self, ids: Sequence[str]) -> None:
        """A clerk has seen these notices, and the absence with them; unknown ids change nothing.

        Raises Malformed (ID_MALFORMED), Unavailable (disk).
        """
        try:
            seen = {bytes.fromhex(id) for id in ids}
        except ValueError as error:
            raise Malformed(Reason.ID_MALFORMED, "notice") from error
        here = [notice.id for notice in self._unseen if notice.id in seen]
        if here:
            await self._shelf.see(here)
        self._unseen = [notice for notice in self._unseen if notice.id not in seen]
        self.absence.see()
