"""How soon the console's first page is painted with a thousand boxes in it.

Headless Chromium against the pages as central serves them, all thousand rows in one page (the
first hundred at once, the rest behind them) and all of them with something to say. Beside it: the
same browser painting the sign-in page, which is next to nothing.
"""

import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Page, expect

from shared.ids import BoxId
from tests.bench.table import Figure, median, run, shown, value_at_most
from tests.browser.centre import Centre, found_centre, open_centre, sign_in
from tests.browser.chromium import DESK, open_browser, open_context

BOXES = 1000
TIMES = 7
_PAINTED = """
new Promise((resolve) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) resolve(found.startTime);
}).observe({ type: "paint", buffered: true }))
"""


def measure() -> list[Figure]:
    """All figures of one run."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        found_centre(directory)
        async with (
            open_centre(directory) as centre,
            open_browser() as browser,
            open_context(browser, DESK) as context,
        ):
            await _fill(centre)
            page = await context.new_page()
            bare = await _paint(page, f"{centre.url}/console/sign-in")
            await sign_in(page, centre)
            whole = await _paint(page, f"{centre.url}/console/boxes?rows={BOXES}")
            await expect(page.locator("table.boxes tbody tr")).to_have_count(BOXES)
            first = await _paint(page, f"{centre.url}/console/boxes")
            answer = await _answer(page, f"{centre.url}/console/boxes/live?rows={BOXES}")
    return [
        value_at_most(f"console, {BOXES:,} boxes to first paint", whole, "ms", 300, bare),
        shown("console, first hundred to first paint", first, "ms"),
        shown(f"console, {BOXES:,} rows answered", answer, "ms"),
    ]


async def _fill(centre: Centre) -> None:
    await centre.add_user()
    for number in range(BOXES):
        box = BoxId(f"site{number % 20}", f"box{number}")
        await centre.add_box(box, f"{number}号窗口")
        await centre.send_status(box, online=number % 3 > 0)
        await centre.send_report(box, pending=number % 5, waiting=timedelta(minutes=number))


async def _paint(page: Page, address: str) -> float:
    """Milliseconds from the request to the first contentful paint, as the browser says."""
    times = []
    for _ in range(TIMES):
        await page.goto(address)
        times.append(float(await page.evaluate(_PAINTED)))
    return median(times)


async def _answer(page: Page, address: str) -> float:
    """Milliseconds until the whole answer has come."""
    times = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        answer = await page.request.get(address)
        await answer.body()
        times.append((time.perf_counter() - begun) * 1000)
    return median(times)


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
