"""The hand-over as the rest of the box sees it. Until somebody is paired or wants to pair, this
is all of it that is loaded, and nothing listens.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from agent.api.views import PairingView, WorkstationView
from agent.config import BoxFiles, LanConfig
from shared.clock import Clock
from shared.errors import OneCodeError, Refused, Unavailable
from shared.ids import RecordId
from shared.reasons import Reason

if TYPE_CHECKING:
    from agent.handover.desk import Desk, NetworkBox

log = logging.getLogger(__name__)


class Door:
    """Implements ``agent.ports.HandOver`` and ``agent.api.pairing.Pairing``."""

    def __init__(self, config: LanConfig, files: BoxFiles, clock: Clock) -> None:
        self._config = config
        self._files = files
        self._clock = clock
        self._desk: Desk | None = None
        self._called = asyncio.Event()
        self._came: asyncio.Future[None] = asyncio.Future()

    def hand_on(self, id: RecordId, at: datetime, text: str) -> int:
        """To those who listen now; 0 while nobody is paired."""
        return self._desk.hand_on(id, at, text) if self._desk else 0

    def list_workstations(self) -> Sequence[WorkstationView]:
        """Who is paired."""
        return self._desk.list_workstations() if self._desk else ()

    async def open_window(self) -> PairingView:
        """Open a pairing window, and the network for it."""
        return await (await self._call()).open_window()

    async def remove(self, workstation_id: str) -> None:
        """End a pairing."""
        if self._desk is None:
            raise Refused(Reason.NOT_FOUND, "nobody is paired")
        await self._desk.remove(workstation_id)

    async def run(self, box: "NetworkBox") -> None:
        """Serve workstations, once there are any; for ever."""
        if not self._files.workstations.exists():
            await self._called.wait()
        from agent.handover.desk import Desk

        desk = Desk(box, self._config, self._files, self._clock, self)
        try:
            await desk.load()
        except OneCodeError as error:
            # The counter goes on without its workstations; whoever wants to pair hears why.
            log.error("who is paired cannot be read: %s", error)
            self._came.set_exception(Unavailable(error.reason, error.detail))
            return
        self._desk = desk
        self._came.set_result(None)
        await desk.run()

    async def _call(self) -> "Desk":
        self._called.set()
        await asyncio.shield(self._came)
        assert self._desk is not None
        return self._desk
