"""Places for devices: what is plugged in there may be replaced by another driver at work.

A slot has the signature of its device, so nobody who holds one notices an exchange: frames of
the old scanner are told before states of the new one, and a label that has begun ends where it
began.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from agent.ports import (
    Calibration,
    DeviceChanged,
    DeviceDescriptor,
    Label,
    LabelPrinter,
    PrinterStatus,
    PrintOutcome,
    Scanner,
    ScannerEvent,
    ScannerExchanged,
    Slip,
)
from shared.devices import DeviceState, PrintState
from shared.reasons import Reason

_NOTHING = DeviceDescriptor("", "")


class ScannerSlot:
    """Implements ``agent.ports.Scanner``; empty, it is ABSENT without a reason. One reader."""

    def __init__(self, scanner: Scanner | None) -> None:
        self._scanner = scanner
        self._exchanged = asyncio.Event()

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._scanner.descriptor if self._scanner else _NOTHING

    def exchange(self, scanner: Scanner | None) -> None:
        """Read this one from now on; the old one is let go of."""
        self._scanner = scanner
        self._exchanged.set()

    async def events(self) -> AsyncIterator[ScannerEvent]:
        while True:
            if self._exchanged.is_set():
                yield ScannerExchanged()
            self._exchanged.clear()
            if self._scanner is None:
                yield DeviceChanged(_NOTHING, DeviceState.ABSENT)
                await self._exchanged.wait()
            else:
                async for event in self._until_exchanged(self._scanner.events()):
                    yield event

    async def _until_exchanged(
        self, events: AsyncIterator[ScannerEvent]
    ) -> AsyncIterator[ScannerEvent]:
        exchanged = asyncio.create_task(self._exchanged.wait())
        coming: asyncio.Future[ScannerEvent] | None = None
        try:
            while True:
                coming = asyncio.ensure_future(anext(events))
                await asyncio.wait((coming, exchanged), return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    return
                yield coming.result()
        finally:
            # Cancelled while it waits for the device, the driver closes it on its way out.
            pending = [task for task in (coming, exchanged) if task and not task.done()]
            for task in pending:
                task.cancel()
            if pending:
                await asyncio.wait(pending)


class PrinterSlot:
    """Implements ``agent.ports.LabelPrinter``; empty, it is ABSENT and prints nothing."""

    def __init__(self, printer: LabelPrinter | None) -> None:
        self._printer = printer
        self._retired: list[LabelPrinter] = []
        self._exchanging = asyncio.Lock()

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._printer.descriptor if self._printer else _NOTHING

    def exchange(self, printer: LabelPrinter | None) -> None:
        """Print the next label on this one; the old one is let go of before."""
        if self._printer is not None:
            self._retired.append(self._printer)
        self._printer = printer

    async def read_status(self) -> PrinterStatus:
        printer = await self._at_work()
        return await printer.read_status() if printer else PrinterStatus(DeviceState.ABSENT)

    async def prepare(self, label: Label) -> None:
        if printer := await self._at_work():
            await printer.prepare(label)

    async def print(self, label: Label, sent: Callable[[], None] = lambda: None) -> PrintOutcome:
        printer = await self._at_work()
        return await printer.print(label, sent) if printer else _NO_PRINTER

    async def print_slip(self, slip: Slip | Calibration) -> PrintOutcome:
        printer = await self._at_work()
        return await printer.print_slip(slip) if printer else _NO_PRINTER

    async def aclose(self) -> None:
        self.exchange(None)
        await self._at_work()

    async def _at_work(self) -> LabelPrinter | None:
        """The one of now: two of them may mean one device, which has one holder."""
        async with self._exchanging:
            while self._retired:
                await self._retired.pop().aclose()
        return self._printer


_NO_PRINTER = PrintOutcome(PrintState.FAILED, Reason.DEVICE_ABSENT)
