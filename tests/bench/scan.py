"""Scan to verdict online, against a bare MQTT round trip on the same broker, and under load.

Every scan shows a dynamic code that nobody has used: sealed ask, central's judgement with its
consumption in a FULL commit, sealed reply, the box's own record in a FULL commit, shown. One box
alternates with the bare client; then fifty boxes share two hundred scans a second.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager

import msgspec

from agent.config import BoxFiles
from tests.bench import echo, load
from tests.bench.echo import BareClient, open_bare
from tests.bench.load import Task, open_online, scan
from tests.bench.site import DEVELOPER_PYTHON, Site, open_site, running
from tests.bench.table import Figure, median, ratio_at_most, run, shown, value_at_most

BOXES = 50
WORKERS = 10
SCANS_ALONE = 400
WARM_UP = 50
SCANS_A_SECOND = 200
SECONDS_OF_LOAD = 10
ASK_BYTES = 420
"""About what a sealed ask for a signed code is long."""


def measure() -> list[Figure]:
    """All figures of one run."""
    codes = WARM_UP + SCANS_ALONE + BOXES + SCANS_A_SECOND * SECONDS_OF_LOAD
    with open_site(BOXES + 2, codes) as site:
        answerer = [DEVELOPER_PYTHON, "-m", "tests.bench.echo", site.directory, site.ports[1]]
        with running(answerer, site.directory / "echo.log", echo.READY):
            alone, bare, bare_zero = asyncio.run(_alternate(site))
        loaded = _load(site)
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
    bare_box, box_files = site.boxes[-1], site.boxes[-2]
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_bare(bare_box, site.config(bare_box)))
        box = await open_online(stack, box_files)
        for _ in range(WARM_UP):
            await scan(box, site.codes.pop())
            await _ask(client, 1)
        for _ in range(SCANS_ALONE):
            scans.append(await scan(box, site.codes.pop()))
            bare.append(await _ask(client, 1))
            bare_zero.append(await _ask(client, 0))
    return scans, bare, bare_zero


async def _ask(client: BareClient, qos: int) -> float:
    begun = time.perf_counter()
    await client.ask(bytes(ASK_BYTES), qos)
    return (time.perf_counter() - begun) * 1000


def _load(site: Site) -> list[float]:
    """Milliseconds of scans that come at their own times, whatever the earlier ones do."""
    with ExitStack() as stack:
        workers = [
            stack.enter_context(_worker(site, site.boxes[number:BOXES:WORKERS], number))
            for number in range(WORKERS)
        ]
        for worker in workers:
            if _hear(worker) != load.READY:
                raise RuntimeError("a worker did not get its boxes online")
        for worker in workers:
            _tell(worker, "go")
        return [taken for worker in workers for taken in json.loads(_hear(worker))]


@contextmanager
def _worker(
    site: Site, boxes: Sequence[BoxFiles], number: int
) -> Iterator["subprocess.Popen[str]"]:
    """A process that runs some of the boxes, with codes of its own."""
    count = SCANS_A_SECOND * SECONDS_OF_LOAD // WORKERS + len(boxes)
    codes = [site.codes.pop() for _ in range(count)]
    directories = [str(box.directory) for box in boxes]
    file = site.directory / f"task{number}.json"
    task = Task(directories, codes, number / SCANS_A_SECOND, WORKERS / SCANS_A_SECOND)
    file.write_bytes(msgspec.json.encode(task))
    command = [sys.executable, "-m", "tests.bench.load", str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _hear(worker: "subprocess.Popen[str]") -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def _tell(worker: "subprocess.Popen[str]", word: str) -> None:
    assert worker.stdin is not None
    worker.stdin.write(f"{word}\n")
    worker.stdin.flush()


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that ``percent`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
