"""Some boxes of a site in one process, scanning at their own times: ``TASK``, a JSON file.

Says that it is ready, waits for a line, scans, and prints the milliseconds of every scan. Real
boxes are a process each; a few share one here, so that they do not share one interpreter's lock.
"""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from agent.app import open_box
from agent.box import RunningBox
from agent.config import BoxFiles, read_box_config
from agent.ports import FrameScanned
from shared.clock import SystemClock
from shared.messages import DecidedBy, Verdict

READY = "ready to scan"


class Task(msgspec.Struct):
    """Directories of boxes, unused codes (one of them warms each box up), when to scan."""

    boxes: list[str]
    codes: list[str]
    first_seconds: float  # after the word is given
    apart_seconds: float


async def open_online(stack: AsyncExitStack, files: BoxFiles) -> RunningBox:
    """A box at work whose line is up."""
    box = await stack.enter_async_context(open_box(read_box_config(files), files))
    await box.wait_online()
    return box


async def scan(box: RunningBox, code: str) -> float:
    """One scan that central must accept; milliseconds from frame to shown."""
    begun = time.perf_counter()
    view = await box.scan(FrameScanned(code.encode(), SystemClock().now()))
    taken = time.perf_counter() - begun
    if view.verdict is not Verdict.ACCEPTED or view.decided_by is not DecidedBy.CENTRAL:
        raise RuntimeError(f"not accepted by central: {view.verdict} {view.advice}")
    return taken * 1000


async def load(task: Task) -> list[float]:
    """Scan all codes, the boxes in turn, each at its time whatever the earlier ones do."""
    async with AsyncExitStack() as stack:
        boxes = [await open_online(stack, BoxFiles(Path(name))) for name in task.boxes]
        for box in boxes:
            await scan(box, task.codes.pop())
        print(READY, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        loop = asyncio.get_running_loop()
        begun = loop.time() + task.first_seconds
        scans: list[asyncio.Task[float]] = []
        for number, code in enumerate(task.codes):
            await asyncio.sleep(begun + number * task.apart_seconds - loop.time())
            scans.append(asyncio.create_task(scan(boxes[number % len(boxes)], code)))
        return await asyncio.gather(*scans)


if __name__ == "__main__":
    given = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Task)
    print(json.dumps(asyncio.run(load(given))), flush=True)
