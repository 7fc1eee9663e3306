"""Scan to verdict online, against a bare MQTT round trip on the same broker, and under load.

Every scan shows a dynamic code that nobody has used: sealed ask, central's judgement with its
consumption in a FULL commit, sealed reply, the box's own record in a FULL commit, shown. One box
alternates with the bare client; then fifty boxes share two hundred scans a second.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from agent.app import open_box
from agent.box import RunningBox
from agent.config import BoxFiles
from agent.ports import FrameScanned
from shared.clock import SystemClock
from shared.messages import DecidedBy, Verdict
from tests.bench.echo import READY, BareClient, open_bare
from tests.bench.site import DEVELOPER_PYTHON, Site, open_site, running
from tests.bench.table import (
    Figure,
    median,
    print_table,
    ratio_at_most,
    shown,
    value_at_most,
    write_json,
)

BOXES = 50
SCANS_ALONE = 400
WARM_UP = 50
SCANS_A_SECOND = 200
SECONDS_OF_LOAD = 5
ASK_BYTES = 420
"""About what a sealed ask for a signed code is long."""


def measure() -> list[Figure]:
    """All figures of one run."""
    scans_under_load = SCANS_A_SECOND * SECONDS_OF_LOAD
    with open_site(BOXES + 1, WARM_UP + SCANS_ALONE + BOXES + scans_under_load) as site:
        echo = [DEVELOPER_PYTHON, "-m", "tests.bench.echo", site.directory, site.ports[1]]
        with running(echo, site.directory / "echo.log", READY):
            alone, bare, bare_zero = asyncio.run(_alternate(site))
        loaded = asyncio.run(_load(site))
    name = "scan → verdict, one box"
    many = f"scan → verdict, {BOXES} boxes, {SCANS_A_SECOND}/s"
    return [
        ratio_at_most(f"{name}, p50", median(alone), "ms", median(bare), 2.5),
        shown("bare round trip at QoS 0, p50", median(bare_zero), "ms"),
        value_at_most(f"{name}, p99", percentile(alone, 99), "ms", 20, percentile(bare, 99)),
        shown(f"{many}, p50", median(loaded), "ms"),
        value_at_most(f"{many}, p99", percentile(loaded, 99), "ms", 20),
    ]


async def _alternate(site: Site) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of scans at one box, of bare round trips at QoS 1 and at QoS 0, in turn."""
    scans: list[float] = []
    bare: list[float] = []
    bare_zero: list[float] = []
    bare_box, box_files = site.boxes[0], site.boxes[1]
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_bare(bare_box, site.config(bare_box)))
        box = await _open(stack, site, box_files)
        for _ in range(WARM_UP):
            await _scan(box, site.codes.pop())
            await _ask(client, 1)
        for _ in range(SCANS_ALONE):
            scans.append(await _scan(box, site.codes.pop()))
            bare.append(await _ask(client, 1))
            bare_zero.append(await _ask(client, 0))
    return scans, bare, bare_zero


async def _load(site: Site) -> list[float]:
    """Milliseconds of scans that come at their own times, whatever the earlier ones do."""
    async with AsyncExitStack() as stack:
        boxes = [await _open(stack, site, files) for files in site.boxes[1:]]
        for box in boxes:
            await _scan(box, site.codes.pop())
        loop = asyncio.get_running_loop()
        begun = loop.time()
        scans: list[asyncio.Task[float]] = []
        for number in range(SCANS_A_SECOND * SECONDS_OF_LOAD):
            await asyncio.sleep(begun + number / SCANS_A_SECOND - loop.time())
            scan = _scan(boxes[number % BOXES], site.codes.pop())
            scans.append(asyncio.create_task(scan))
        return await asyncio.gather(*scans)


async def _open(stack: AsyncExitStack, site: Site, files: BoxFiles) -> RunningBox:
    box = await stack.enter_async_context(open_box(site.config(files), files))
    await box.wait_online()
    return box


async def _scan(box: RunningBox, code: str) -> float:
    begun = time.perf_counter()
    view = await box.scan(FrameScanned(code.encode(), SystemClock().now()))
    taken = time.perf_counter() - begun
    if view.verdict is not Verdict.ACCEPTED or view.decided_by is not DecidedBy.CENTRAL:
        raise RuntimeError(f"not accepted by central: {view.verdict} {view.advice}")
    return taken * 1000


async def _ask(client: BareClient, qos: int) -> float:
    begun = time.perf_counter()
    await client.ask(bytes(ASK_BYTES), qos)
    return (time.perf_counter() - begun) * 1000


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that ``percent`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def main() -> int:
    """Measure, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    report = parser.parse_args().json
    figures = measure()
    print_table(figures)
    if report:
        write_json(figures, report)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
