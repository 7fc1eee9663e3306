"""A box comes back with a hundred thousand records: how long they take, and what a patient who is
scanned meanwhile feels of it.

The same scans at the same times, first on an idle box, then while its backlog drains to central
over the real broker, all on this machine. Needs only the box's packages.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack

from agent.box import RunningBox
from agent.config import BoxFiles
from tests.backlog import build_backlog_of
from tests.bench.load import open_online, scan
from tests.bench.scan import percentile
from tests.bench.site import open_site
from tests.bench.table import Figure, median, ratio_at_most, run, shown, value_at_most

ROWS = 100_000
SCANS_A_SECOND = 20
SCANS = 400
WARM_UP = 20
LONGEST_SECONDS = 300
CODES = 4 * SCANS + 2 * WARM_UP + SCANS_A_SECOND * LONGEST_SECONDS


def measure() -> list[Figure]:
    """Idle, backlog, idle again: the idle figure is of both sides."""
    with open_site(1, CODES) as site:
        (files,) = site.boxes
        before, _ = asyncio.run(_scan_while(files, site.codes, SCANS))
        build_backlog_of(files, ROWS)
        during, seconds = asyncio.run(_scan_while(files, site.codes, 0))
        after, _ = asyncio.run(_scan_while(files, site.codes, SCANS))
    idle = before + after
    return [
        value_at_most(f"a backlog of {ROWS:,} drains", seconds, "s", 60),
        shown("which is", ROWS / seconds, "rows/s"),
        shown("fresh scans meanwhile, p50", median(during), "ms"),
        ratio_at_most(
            "fresh scans meanwhile, p99", percentile(during, 99), "ms", percentile(idle, 99), 1.5
        ),
    ]


async def _scan_while(files: BoxFiles, codes: list[str], scans: int) -> tuple[list[float], float]:
    """Milliseconds of each of so many scans, or of all until nothing is pending; how long that
    took from the line's coming up on."""
    taken: list[float] = []
    async with AsyncExitStack() as stack:
        box = await open_online(stack, files)
        begun = time.monotonic()
        for _ in range(WARM_UP):
            await scan(box, codes.pop())
        while len(taken) < scans if scans else await _backlog(box):
            taken.append(await scan(box, codes.pop()))
            await asyncio.sleep(1 / SCANS_A_SECOND)
        return taken, time.monotonic() - begun


async def _backlog(box: RunningBox) -> bool:
    return (await box.read_account()).pending > SCANS_A_SECOND


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
