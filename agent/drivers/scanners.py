"""Every scanner that is plugged in, as one: they come and go, and each keeps its place.

Implements ``agent.ports.Scanner``. What is there is told by a look, when to look again by a
source of changes, how a scanner is read by its driver: all three are given.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from agent.drivers.discovery import Found, Seen, Suspect
from agent.drivers.places import assign
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    DeviceReported,
    Scanner,
    ScannerEvent,
)
from shared.devices import DeviceState
from shared.reasons import Reason

QUEUE_LIMIT = 64
"""Events a busy consumer may leave lying; beyond it the drivers wait."""
AGAIN_SECONDS = 2.0
"""A scanner that may not be opened now is tried again after this, if it is still there."""
NOTICE_SECONDS = 1.0
"""A driver whose device has left notices by itself, and tells what was cut in half."""
NO_SCANNER = DeviceDescriptor("scanner", "")
_AWAY = frozenset({DeviceState.ABSENT, DeviceState.DENIED})


class ScannerPark:
    """All scanners of a box. One reader."""

    def __init__(
        self,
        look: Callable[[], Seen],
        watch: Callable[[], AsyncIterator[None]],
        open_found: Callable[[Found], Scanner],
    ) -> None:
        self._look = look
        self._watch = watch
        self._open_found = open_found
        self._events: asyncio.Queue[ScannerEvent | BaseException] = asyncio.Queue(QUEUE_LIMIT)
        self._places: dict[int, DeviceDescriptor] = {}
        self._readers: dict[int, tuple[Found, asyncio.Task[None]]] = {}
        self._told: dict[int, tuple[DeviceState, Reason | None]] = {}
        self._stirred = asyncio.Condition()
        self._again = asyncio.Event()
        self._suspects: dict[Suspect, None] = {}

    @property
    def descriptor(self) -> DeviceDescriptor:
        return next(iter(self._places.values()), NO_SCANNER)

    async def events(self) -> AsyncIterator[ScannerEvent]:
        follower = self._start(self._follow())
        try:
            while True:
                event = await self._events.get()
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            tasks = [follower, *(task for _, task in self._readers.values())]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._readers.clear()

    async def _follow(self) -> None:
        """Look, and look again whenever something has changed, for ever."""
        await self._arrange()
        if not self._readers:
            absent = DeviceChanged(NO_SCANNER, DeviceState.ABSENT, Reason.DEVICE_ABSENT)
            await self._events.put(absent)
        hearing = self._start(self._hear())
        try:
            while True:
                await self._again.wait()
                self._again.clear()
                await self._arrange()
        finally:
            hearing.cancel()

    async def _hear(self) -> None:
        async for _ in self._watch():
            self._again.set()

    async def _arrange(self) -> None:
        seen = await asyncio.to_thread(self._look)
        present = assign(self._places, seen.scanners)
        for place, (found, task) in tuple(self._readers.items()):
            if present.get(place) != found:
                await self._let_notice(place)
                task.cancel()
                await asyncio.wait([task])
                del self._readers[place]
                if place not in present:
                    await self._tell_absent(place)
        for place, found in present.items():
            self._places[place] = replace(found.device, place=str(place))
            if place not in self._readers or self._readers[place][1].done():
                self._readers[place] = found, self._start(self._read(place, found))
        await self._report(seen)

    async def _report(self, seen: Seen) -> None:
        """Each suspect once; again when it has left and come back."""
        for suspect in tuple(self._suspects):
            if suspect not in seen.suspects:
                del self._suspects[suspect]
                await self._events.put(DeviceReported(suspect.device, None))
        for suspect in seen.suspects:
            if suspect not in self._suspects:
                self._suspects[suspect] = None
                await self._events.put(DeviceReported(suspect.device, suspect.reason))

    async def _read(self, place: int, found: Found) -> None:
        device = self._places[place]
        scanner = self._open_found(replace(found, device=device))
        async with aclosing(scanner.events()) as events:  # type: ignore[type-var]  # a generator
            async for event in events:
                if not isinstance(event, DeviceChanged):
                    await self._events.put(event)
                    continue
                await self._tell(place, event)
                if event.state in _AWAY:
                    # Not opened again by its node: that may be another device's by now, a clerk's
                    # keyboard even. The next look tells.
                    asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._again.set)
                    return

    async def _tell(self, place: int, event: DeviceChanged) -> None:
        """A state once, however often opening fails."""
        told = self._told.get(place)
        new = event.state, event.reason
        if told and told[0] in _AWAY and event.state is DeviceState.OPENING:
            return
        if told != new:
            await self._events.put(event)
        async with self._stirred:
            self._told[place] = new
            self._stirred.notify_all()

    def _is_away(self, place: int) -> bool:
        return place in self._told and self._told[place][0] in _AWAY

    async def _let_notice(self, place: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(NOTICE_SECONDS), self._stirred:
                await self._stirred.wait_for(lambda: self._is_away(place))

    async def _tell_absent(self, place: int) -> None:
        absent = DeviceChanged(self._places[place], DeviceState.ABSENT, Reason.DEVICE_ABSENT)
        await self._tell(place, absent)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose bug reaches whoever reads the events."""
        task = asyncio.create_task(work, name="scanners")
        task.add_done_callback(self._note_end)
        return task

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            while self._events.full():
                self._events.get_nowait()
            self._events.put_nowait(error)
