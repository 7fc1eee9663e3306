"""Patients at the three boxes: codes sent to each box's API over kept connections.

What a box said it has taken is told at once to the witness, and to nobody else. Three of four
codes are shown again (a record each, nothing asked), most others are no codes of anybody.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable

import aiohttp

from tests.factories import other_static_text
from tests.soak.site import Site, SoakBox

WORKERS = 6
ASKING_EVERY = 25
MALFORMED_EVERY = 4
PATIENCE_SECONDS = 10.0
AWAY_SECONDS = 0.1


class Drivers:
    """Scans at every box, at ``rate`` a second in all, until ``stop``."""

    def __init__(self, site: Site, rate: float, heard: Callable[[str, str], None]) -> None:
        """``heard`` is told box and record id of each scan that was answered as taken."""
        self._site = site
        self._apart_seconds = len(site.boxes) * WORKERS / rate
        self._heard = heard
        self._numbers = itertools.count(1)
        self._stopped = asyncio.Event()
        self.taken: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """Answers that a record could not be kept, by box and reason."""
        self.unanswered = 0

    def stop(self) -> None:
        """No new patients."""
        self._stopped.set()

    async def run(self) -> None:
        """Until stopped."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            for box in self._site.boxes:
                for _ in range(WORKERS):
                    group.create_task(self._work(session, box))

    async def _work(self, session: aiohttp.ClientSession, box: SoakBox) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._stopped.is_set():
            due = max(due + self._apart_seconds, loop.time() - 20 * self._apart_seconds)
            await asyncio.sleep(due - loop.time())
            number = next(self._numbers)
            if number % ASKING_EVERY == 0:
                text = other_static_text(number)
            elif number % MALFORMED_EVERY == 0:
                text = f"AE{number:08d}:1"
            else:
                text = self._site.static_code
            try:
                await self._scan(session, box, text)
            except (OSError, aiohttp.ClientError, TimeoutError):
                self.unanswered += 1
                await asyncio.sleep(AWAY_SECONDS)

    async def _scan(self, session: aiohttp.ClientSession, box: SoakBox, text: str) -> None:
        token = (box.directory / "api.token").read_text().strip()
        address = f"http://127.0.0.1:{box.api.port}/api/v1/scan"
        headers = {"Authorization": f"Bearer {token}"}
        async with session.post(address, json={"text": text}, headers=headers) as answer:
            view = await answer.json()
        if answer.status == 200 and view["state"] == "shown" and view["verdict"] is not None:
            self.taken[box.name] += 1
            self._heard(str(box.id), view["id"])
        else:
            advice = view.get("advice") or {}
            self.refused[
                f"{box.name} {answer.status} {view.get('state')} {advice.get('reason')}"
            ] += 1
