"""Takes a scanner's events one by one, with a limit on waiting that only a fault reaches."""

import asyncio
from collections.abc import AsyncGenerator

from agent.ports import DeviceChanged, FrameScanned, Scanner, ScannerEvent
from shared.devices import DeviceState
from shared.reasons import Reason

LIMIT_SECONDS = 20


class Watcher:
    """Takes a scanner's events one by one."""

    def __init__(self, scanner: Scanner) -> None:
        self._events = scanner.events()

    async def next(self) -> ScannerEvent:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await anext(self._events)

    async def frame(self) -> bytes:
        event = await self.next()
        assert isinstance(event, FrameScanned)
        return event.data

    async def state(self) -> tuple[DeviceState, Reason | None]:
        event = await self.next()
        assert isinstance(event, DeviceChanged)
        return event.state, event.reason

    async def ready(self) -> None:
        while (await self.state())[0] is not DeviceState.READY:
            pass

    async def aclose(self) -> None:
        if isinstance(self._events, AsyncGenerator):
            await self._events.aclose()
