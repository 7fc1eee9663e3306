"""The printer's last known state, so that nobody who only looks opens the device.

A USB printer is opened and asked for each reading; with many pages open it would be asked all
day, between labels. Reads are shared and spaced instead, and the age of what is known is told.
"""

import asyncio
from collections.abc import Callable

from agent.ports import LabelPrinter, PrinterStatus
from shared.clock import Clock
from shared.devices import DeviceState

REST_SECONDS = 1.0
"""Between two readings. A page shows a change within two seconds: so long it may go unread, half a
second is the longest wait for an answer, and a tenth the page's own gathering of changes."""


class PrinterWatch:
    """One printer's last status. Without a printer it is ABSENT for ever."""

    def __init__(self, printer: LabelPrinter | None, clock: Clock) -> None:
        self._printer = printer
        self._clock = clock
        self._reading: asyncio.Task[PrinterStatus] | None = None
        initial = DeviceState.OPENING if printer else DeviceState.ABSENT
        self.status = PrinterStatus(initial)
        self.read_ms: int | None = None

    async def run(self, changed: Callable[[], None]) -> None:
        """Read for ever, and tell what changes. A reading that is under way is shared."""
        while True:
            if await self.read():
                changed()
            await asyncio.sleep(REST_SECONDS)

    async def read(self, not_older_than_seconds: float = 0.0) -> bool:
        """Make ``status`` at most this old; whether it changed. Who asks meanwhile shares it."""
        if self._printer is None or self._is_fresh(not_older_than_seconds):
            return False
        before = self.status
        if self._reading is None:
            self._reading = asyncio.create_task(self._printer.read_status(), name="printer status")
            self._reading.add_done_callback(self._keep)
        await asyncio.shield(self._reading)
        return self.status != before

    def _is_fresh(self, seconds: float) -> bool:
        if self.read_ms is None:
            return False
        return self._clock.monotonic_ns() // 1_000_000 - self.read_ms < seconds * 1000

    def _keep(self, reading: asyncio.Task[PrinterStatus]) -> None:
        self._reading = None
        if not reading.cancelled() and reading.exception() is None:
            self.status = reading.result()
            self.read_ms = self._clock.monotonic_ns() // 1_000_000
