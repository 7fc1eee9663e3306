"""Random faults, drawn from a seed: who is hurt, how, and for how long. One at a time or two.

Every fault is undone by itself; at the end everything is whole and running.
"""

import asyncio
import os
import random
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.faults.proxy import Mode, Weather
from tests.soak.site import BOXES, Site, SoakBox

LONGEST_SECONDS = 6.0
MOST_PAUSE_SECONDS = 3.0
MID_PACKET_BYTES = 20_000
MOST_FLAPS = 6
FULL_SECONDS = 10.0
"""A log that is used again needs no room for some seconds."""
WEATHERS: dict[str, Callable[[], Weather]] = {
    "swallows": lambda: Weather(Mode.DROP),
    "half-open": lambda: Weather(Mode.HALF_OPEN),
    "refuses": lambda: Weather(Mode.REFUSE),
    "portal": lambda: Weather(Mode.PORTAL),
    "loses a third": lambda: Weather(loss=0.3),
    "two seconds late": lambda: Weather(delay_seconds=1.0),
}


class Mischief:
    """Strikes again and again until ``stop``."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._random = random.Random(seed)
        self._stopped = asyncio.Event()
        self.struck: Counter[str] = Counter()
        self.ended_by_itself: Counter[str] = Counter()
        self.last = "nothing yet"
        self._faults: list[Callable[[], Awaitable[None]]] = [
            self._kill_box,
            self._kill_box,
            self._kill_central,
            self._kill_broker,
            self._spoil_line,
            self._spoil_line,
            self._flap,
            self._cut_mid_packet,
        ]
        if site.small_disk is not None:
            self._faults.append(self._fill_disk)

    def stop(self) -> None:
        """No more."""
        self._stopped.set()

    async def run(self) -> None:
        """Until stopped, and then until all is whole."""
        while not self._stopped.is_set():
            await self._rest(self._random.uniform(0.2, MOST_PAUSE_SECONDS))
            await self._random.choice(self._faults)()
            for name in self._site.ensure_running():
                self.ended_by_itself[name] += 1
        for box in self._site.boxes:
            self._heal(box)
        self._site.ensure_running()

    def _note(self, what: str) -> None:
        self.struck[what.split(":", maxsplit=1)[0]] += 1
        self.last = what

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            pass

    def _duration(self) -> float:
        return self._random.uniform(0.0, LONGEST_SECONDS)

    async def _kill_box(self) -> None:
        name = self._random.choice(BOXES)
        self._note(f"kill a box: {name}")
        await self._kill(name)

    async def _kill_central(self) -> None:
        self._note("kill central")
        await self._kill("central")

    async def _kill(self, name: str) -> None:
        await asyncio.to_thread(self._site.kill, name)
        await self._rest(self._duration() / 2)
        self._site.start(name)

    async def _kill_broker(self) -> None:
        self._note("kill the broker")
        await asyncio.to_thread(self._site.broker.kill)
        await self._rest(self._duration())
        await asyncio.to_thread(self._site.broker.start)

    async def _spoil_line(self) -> None:
        box, name = self._random.choice(self._site.boxes), self._random.choice(list(WEATHERS))
        self._note(f"line {name}: {box.name}")
        box.proxy.weather = WEATHERS[name]()
        await self._rest(self._duration())
        self._heal(box)

    async def _flap(self) -> None:
        box = self._random.choice(self._site.boxes)
        self._note(f"line flapping: {box.name}")
        for _ in range(self._random.randrange(2, MOST_FLAPS)):
            await asyncio.to_thread(box.proxy.cut)
            await self._rest(self._random.uniform(0.1, 1.0))

    async def _cut_mid_packet(self) -> None:
        box = self._random.choice(self._site.boxes)
        self._note(f"reset in mid-packet: {box.name}")
        box.proxy.weather = Weather(reset_after=self._random.randrange(1, MID_PACKET_BYTES))
        await asyncio.to_thread(box.proxy.cut)

    @staticmethod
    def _heal(box: SoakBox) -> None:
        box.proxy.weather = Weather()
        box.proxy.cut()

    async def _fill_disk(self) -> None:
        box = self._site.small_disk
        assert box is not None
        self._note(f"fill the disk: {box.name}")
        filler = box.directory / "filler"
        try:
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(box.directory).free)
        except OSError:
            pass  # the box was faster: the disk is full enough
        await self._rest(FULL_SECONDS)
        if self._random.random() < 0.5:
            self._note(f"kill a box on a full disk: {box.name}")
            await self._kill(box.name)
        await self._rest(self._duration())
        filler.unlink(missing_ok=True)
