"""A scanner and a label printer without hardware: demos and tests use them, with the signatures
of the real ones.

The printer is a folder: each label becomes ``<label id>.zpl`` as sent, and ``<label id>.png`` as
printed from those bytes. Its file ``conditions`` holds what is wrong with it, one word of
``PrinterCondition`` a line, so that a person can take the paper out with an editor.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from agent.drivers.encoder import LabelEncoder
from agent.ports import (
    Calibration,
    DeviceChanged,
    DeviceDescriptor,
    FrameDropped,
    FrameScanned,
    Label,
    PrinterStatus,
    PrintOutcome,
    ScannerEvent,
    Slip,
)
from shared.clock import Clock
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.errors import Malformed
from shared.reasons import Reason

CONDITIONS_FILE = "conditions"


class SimulatedScanner:
    """A scanner that is fed by calls; implements ``agent.ports.Scanner``."""

    def __init__(self, clock: Clock, name: str = "simulated scanner") -> None:
        self._clock = clock
        self._descriptor = DeviceDescriptor(name, "simulated")
        self._events: asyncio.Queue[ScannerEvent] = asyncio.Queue()
        self.plug_in()

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._descriptor

    async def events(self) -> AsyncIterator[ScannerEvent]:
        while True:
            yield await self._events.get()

    def scan(self, data: bytes) -> None:
        """A complete frame comes."""
        self._events.put_nowait(FrameScanned(data, self._clock.now()))

    def drop(self, reason: Reason) -> None:
        """Bytes come that are no frame."""
        self._events.put_nowait(FrameDropped(reason, self._clock.now()))

    def plug_in(self) -> None:
        """The device is there and open."""
        self._events.put_nowait(DeviceChanged(self._descriptor, DeviceState.READY))

    def ail(self, reason: Reason) -> None:
        """It works, and something about it needs a cure."""
        self._events.put_nowait(DeviceChanged(self._descriptor, DeviceState.READY, reason))

    def unplug(self) -> None:
        """The device is pulled."""
        absent = DeviceChanged(self._descriptor, DeviceState.ABSENT, Reason.DEVICE_ABSENT)
        self._events.put_nowait(absent)


class SimulatedPrinter:
    """A printer that is a folder; implements ``agent.ports.LabelPrinter``."""

    def __init__(self, folder: Path, encoder: LabelEncoder) -> None:
        self._folder = folder
        self._encoder = encoder
        self._descriptor = DeviceDescriptor("simulated label printer", str(folder))
        self._writer = asyncio.Lock()
        self._state = DeviceState.READY
        self._cut_after: int | None = None

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._descriptor

    async def read_status(self) -> PrinterStatus:
        if self._state is not DeviceState.READY:
            return PrinterStatus(self._state)
        conditions = self._read_conditions()
        return PrinterStatus(DeviceState.FAULTY if conditions else DeviceState.READY, conditions)

    async def prepare(self, label: Label) -> None:
        await asyncio.to_thread(self._encoder.draw, label)

    async def print(self, label: Label, sent: Callable[[], None] = lambda: None) -> PrintOutcome:
        return await self._print(label, sent)

    async def print_slip(self, slip: Slip | Calibration) -> PrintOutcome:
        return await self._print(slip, lambda: None)

    async def _print(
        self, label: Label | Slip | Calibration, sent: Callable[[], None]
    ) -> PrintOutcome:
        data = await asyncio.to_thread(self._encoder.encode, label)
        async with self._writer:
            status = await self.read_status()
            if status.state is not DeviceState.READY:
                return PrintOutcome(PrintState.FAILED, _WHY[status.state], status.conditions)
            cut, self._cut_after = self._cut_after, None
            await asyncio.to_thread(self._take, str(label.id), data[:cut])
        if cut is not None and cut < len(data):
            return PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
        sent()
        return PrintOutcome(PrintState.CONFIRMED)  # its picture is there

    async def aclose(self) -> None:
        """A folder is let go of by itself."""

    def set_conditions(self, *conditions: PrinterCondition) -> None:
        """What the printer says from now on; none means ready again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{condition}\n" for condition in conditions)
        (self._folder / CONDITIONS_FILE).write_text(text)

    def set_state(self, state: DeviceState) -> None:
        """Unplug it (ABSENT), take its rights (DENIED), silence it (SILENT), or READY again."""
        self._state = state

    def cut_next_after(self, count: int) -> None:
        """The next label's cable is pulled after ``count`` bytes."""
        self._cut_after = count

    def _read_conditions(self) -> frozenset[PrinterCondition]:
        """The file's words; one that is no condition is a fault all the same."""
        try:
            words = (self._folder / CONDITIONS_FILE).read_text().split()
        except FileNotFoundError:
            return frozenset()
        known = set(PrinterCondition)
        return frozenset(
            PrinterCondition(word) if word in known else PrinterCondition.OTHER_FAULT
            for word in words
        )

    def _take(self, name: str, data: bytes) -> None:
        """Keep what came, and print it if it is whole, as a printer does."""
        from agent.drivers.raster import write_picture
        from agent.drivers.zpl import parse_format

        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{name}.zpl").write_bytes(data)
        try:
            width, height, pieces = parse_format(data)
        except Malformed:
            return
        write_picture(self._folder / f"{name}.png", width, height, pieces)


_WHY = {
    DeviceState.ABSENT: Reason.DEVICE_ABSENT,
    DeviceState.DENIED: Reason.DEVICE_RULE_MISSING,
    DeviceState.SILENT: Reason.DEVICE_SILENT,
    DeviceState.OPENING: Reason.DEVICE_SILENT,
    DeviceState.FAULTY: Reason.PRINT_CONDITION,
}
