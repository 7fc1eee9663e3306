"""From "issue" to a label: how soon its first byte is at an idle printer, and whether a run of
labels goes at the printer's own pace.

A real site; the printer is a Zebra below pyusb (``tests.devices.zebra``), with the real driver
above. Every label is registered with central, kept in the queue and in the journal, proved by the
odometer.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

from agent import app
from agent.box import RunningBox
from agent.config import BoxFiles
from agent.counter.form import parse_request
from agent.drivers.encoder import LabelEncoder
from agent.drivers.printer import WiredPrinter
from agent.drivers.printer_usb import ZEBRA, open_usb
from agent.ports import DeviceDescriptor
from shared.devices import PrintState
from tests.agent.drivers.usb_peer import UsbPeer
from tests.bench.load import open_online
from tests.bench.scan import percentile
from tests.bench.site import name_devices, open_site
from tests.bench.table import Figure, median, ratio_at_least, run, shown, value_at_most
from tests.devices.zebra import LABELS_A_SECOND, Zebra

SINGLE = 60
WARM_UP = 10
RUN = 100
FAST = 1000.0  # labels a second
BAR_MS = 30
PACE = 0.95
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class TimedPeer(UsbPeer):
    """Notes when the first bytes of a label come, and when it is seen to be out."""

    def __init__(self, zebra: Zebra) -> None:
        super().__init__(zebra)
        self.label_at: list[float] = []
        self.out_at: list[float] = []

    def bulk_write(self, dev_handle: str, ep: int, intf: int, data: Any, timeout: int) -> int:
        if data.tobytes().startswith(b"^XA^JZN^LH"):
            self.label_at.append(time.perf_counter())
        return super().bulk_write(dev_handle, ep, intf, data, timeout)

    def bulk_read(self, dev_handle: str, ep: int, intf: int, buff: Any, timeout: int) -> int:
        count = super().bulk_read(dev_handle, ep, intf, buff, timeout)
        while len(self.out_at) < len(self.zebra.printed):
            self.out_at.append(time.perf_counter())
        return count


def measure() -> list[Figure]:
    """All figures of one run."""
    peer = TimedPeer(Zebra(labels_a_second=FAST))
    with open_site(1, 1) as site:
        (files,) = site.boxes
        name_devices(files, scanner=("none", ""), printer=("auto", ""))
        opening = partial(_open_printer, peer)
        with patch.object(app, "open_printer", opening):
            singles, rate = asyncio.run(_print_all(files, peer))
    name = "issue → first byte at the printer"
    return [
        value_at_most(f"{name}, p50", median(singles), "ms", BAR_MS),
        shown(f"{name}, p95", percentile(singles, 95), "ms"),
        ratio_at_least(f"a run of {RUN} labels", rate, "labels/s", LABELS_A_SECOND, PACE),
    ]


def _open_printer(
    peer: UsbPeer, _config: object, _directory: object, font: str, template: str
) -> WiredPrinter:
    device = DeviceDescriptor("label printer", "below pyusb")
    return WiredPrinter(device, partial(open_usb, ZEBRA, peer), LabelEncoder(font), template)


async def _print_all(files: BoxFiles, peer: TimedPeer) -> tuple[list[float], float]:
    """Milliseconds of single labels, and labels a second of a run asked for at once."""
    async with AsyncExitStack() as stack:
        box = await open_online(stack, files)
        people = iter(range(1000))
        singles = [await _issue(box, next(people), peer) for _ in range(WARM_UP + SINGLE)]
        peer.zebra.labels_a_second = LABELS_A_SECOND
        peer.label_at.clear()
        await asyncio.gather(*(_issue(box, next(people), peer) for _ in range(RUN)))
        return singles[WARM_UP:], RUN / (peer.out_at[-1] - peer.label_at[0])


async def _issue(box: RunningBox, number: int, peer: TimedPeer) -> float:
    """One resident registered, one label confirmed; milliseconds to its first byte."""
    person = parse_request(
        document_type="01", number=_build_number(number), name=f"测试{chr(0x4E00 + number)}生"
    )
    begun = time.perf_counter()
    view = await box.issue(person)
    if view.label is None or view.label.state is not PrintState.CONFIRMED:
        raise RuntimeError(f"not confirmed: {view}")
    return (peer.label_at[-1] - begun) * 1000


def _build_number(sequence: int) -> str:
    """A fictitious resident number that satisfies GB 11643."""
    body = f"11010019{50 + sequence // 365 % 50:02d}0101{sequence % 1000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
