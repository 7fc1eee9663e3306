"""From the last key event of a scan to the question on the line, at one box that is online.

The keyboard driver reads events from a pipe instead of the kernel (``tests.devices.keyboard``);
decoding, framing, the counter, sealing and the line are those of a real box, broker and central.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from unittest.mock import patch

import evdev

from agent.app import Observers, open_box
from agent.box import RunningBox
from agent.config import BoxFiles, read_box_config
from agent.counter.views import ScanView
from agent.transport.edges import Edge
from shared.messages import Verdict
from tests.bench.scan import percentile
from tests.bench.site import name_devices, open_site
from tests.bench.table import Figure, median, run, shown, value_at_most
from tests.devices.keyboard import ENTER, PipedKeyboard, build_keys

SCANS = 500
WARM_UP = 50
BAR_MS = 2


def measure() -> list[Figure]:
    """All figures of one run."""
    with open_site(1, SCANS + WARM_UP) as site:
        (files,) = site.boxes
        name_devices(files, scanner=("hid", "/dev/input/piped"))
        taken = asyncio.run(_scan_all(files, site.codes))
    name = "last key event → question sent"
    return [
        shown(f"{name}, p50", median(taken), "ms"),
        value_at_most(f"{name}, p99", percentile(taken, 99), "ms", BAR_MS),
    ]


async def _scan_all(files: BoxFiles, codes: list[str]) -> list[float]:
    """Milliseconds of every scan after the warm-up, one after another."""
    keyboard = PipedKeyboard()
    sent: list[float] = []

    def note(edge: Edge) -> None:
        if edge is Edge.ASK_SENT:
            sent.append(time.perf_counter())

    with patch.object(evdev, "InputDevice", keyboard):
        async with AsyncExitStack() as stack:
            observers = Observers(line=note)
            box = await stack.enter_async_context(
                open_box(read_box_config(files), files, observers)
            )
            await box.wait_online()
            taken = [await _scan(box, keyboard, code, sent) for code in codes]
    keyboard.dispose()
    return taken[WARM_UP:]


async def _scan(box: RunningBox, keyboard: PipedKeyboard, code: str, sent: list[float]) -> float:
    shown_scans: asyncio.Queue[ScanView] = asyncio.Queue()
    undo = box.subscribe_scans(shown_scans.put_nowait)
    *keys, enter, release = build_keys(code + ENTER)
    for report in keys:
        keyboard.type_keys(report)
        await asyncio.sleep(0)
    sent.clear()
    begun = time.perf_counter()
    keyboard.type_keys(enter)
    keyboard.type_keys(release)
    while (view := await shown_scans.get()).verdict is None:
        pass
    undo()
    if view.verdict is not Verdict.ACCEPTED:
        raise RuntimeError(f"not accepted: {view.verdict} {view.advice}")
    # The box asks for its lists and its lease beside; the scan's own question comes first.
    return (sent[0] - begun) * 1000


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
