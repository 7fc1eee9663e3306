"""A device in a slot is replaced while it works; nothing that has begun is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.drivers.simulated import SimulatedScanner
from agent.drivers.slots import PrinterSlot, ScannerSlot
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    FrameScanned,
    Label,
    PrinterStatus,
    PrintOutcome,
    ScannerEvent,
    ScannerExchanged,
)
from shared.devices import DeviceState, PrintState
from shared.ids import new_record_id
from shared.reasons import Reason
from tests.fakes import NOON, RecordingPrinter, noon_clock

PATIENCE_SECONDS = 20.0


class Watched:
    """A scanner that never reads anything, and says when it is let go of."""

    descriptor = DeviceDescriptor("watched", "memory")

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()

    async def events(self) -> AsyncIterator[ScannerEvent]:
        try:
            yield DeviceChanged(self.descriptor, DeviceState.READY)
            self.opened.set()
            await asyncio.Event().wait()
        finally:
            self.closed.set()


@pytest.fixture
def label() -> Label:
    return Label(new_record_id(NOON), "x", "电***卡", "M1", "示范医院", "2026-11-22")


async def test_an_exchanged_scanner_is_closed_and_the_new_one_read() -> None:
    """The old device is free for others before the new one is opened."""
    old, new = Watched(), SimulatedScanner(noon_clock(), "new")
    slot = ScannerSlot(old)
    events = aiter(slot.events())
    async with asyncio.timeout(PATIENCE_SECONDS):
        first = await anext(events)
        assert isinstance(first, DeviceChanged)
        coming = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        slot.exchange(new)
        assert await coming == ScannerExchanged()
        second = await anext(events)
        assert old.closed.is_set()
        assert isinstance(second, DeviceChanged)
        assert second.device.name == slot.descriptor.name == "new"
        new.scan(b"x")
        assert isinstance(await anext(events), FrameScanned)


async def test_what_was_read_at_once_is_told_before_the_new_scanner() -> None:
    """Two codes in one reading, and an exchange between them: no patient's code is dropped."""

    class Quick:
        descriptor = DeviceDescriptor("quick", "memory")

        async def events(self) -> AsyncIterator[ScannerEvent]:
            for text in (b"first", b"second"):
                yield FrameScanned(text, NOON)
            await asyncio.Event().wait()

    slot = ScannerSlot(Quick())
    events = aiter(slot.events())
    async with asyncio.timeout(PATIENCE_SECONDS):
        told = [await anext(events)]
        slot.exchange(None)
        told += [await anext(events) for _ in range(3)]
    assert [each.data for each in told if isinstance(each, FrameScanned)] == [b"first", b"second"]
    assert told[2] == ScannerExchanged()
    assert isinstance(told[3], DeviceChanged)


async def test_an_empty_slot_is_absent_until_something_is_put_in() -> None:
    """A box may begin without a scanner, and lose it by a setting."""
    slot = ScannerSlot(None)
    events = aiter(slot.events())
    async with asyncio.timeout(PATIENCE_SECONDS):
        absent = await anext(events)
        assert isinstance(absent, DeviceChanged)
        assert (absent.state, absent.reason) == (DeviceState.ABSENT, None)
        slot.exchange(SimulatedScanner(noon_clock()))
        assert await anext(events) == ScannerExchanged()
        ready = await anext(events)
        assert isinstance(ready, DeviceChanged)
        assert ready.state is DeviceState.READY
        slot.exchange(None)
        assert await anext(events) == ScannerExchanged()
        gone = await anext(events)
        assert isinstance(gone, DeviceChanged)
        assert gone.state is DeviceState.ABSENT


async def test_who_stops_reading_a_slot_closes_its_device() -> None:
    """Stopping the box lets go of the device."""
    watched = Watched()

    async def read() -> None:
        async for _ in ScannerSlot(watched).events():
            pass

    async with asyncio.timeout(PATIENCE_SECONDS):
        reading = asyncio.create_task(read())
        await watched.opened.wait()
        reading.cancel()
        await watched.closed.wait()
        await asyncio.wait((reading,))
    assert reading.cancelled()


async def test_the_next_label_goes_to_the_new_printer(label: Label) -> None:
    """Without a printer nothing is printed, and that is known at once."""
    first, second = RecordingPrinter(), RecordingPrinter()
    slot = PrinterSlot(first)
    await slot.print(label)
    slot.exchange(second)
    assert await slot.print(label) == PrintOutcome(PrintState.SENT)
    assert (len(first.labels), len(second.labels)) == (1, 1)
    slot.exchange(None)
    assert await slot.print(label) == PrintOutcome(PrintState.FAILED, Reason.DEVICE_ABSENT)
    assert await slot.read_status() == PrinterStatus(DeviceState.ABSENT)
    assert slot.descriptor.name == ""


async def test_one_printer_has_one_holder_while_it_is_exchanged(label: Label) -> None:
    """Two who print at once both wait until the old one is let go of: both may mean one device."""
    told: list[str] = []
    may_close = asyncio.Event()

    class Old(RecordingPrinter):
        async def aclose(self) -> None:
            await may_close.wait()
            told.append("closed")

    class New(RecordingPrinter):
        async def read_status(self) -> PrinterStatus:
            told.append("asked")
            return await super().read_status()

    slot = PrinterSlot(Old())
    slot.exchange(New())
    asking = [asyncio.create_task(slot.read_status()) for _ in range(2)]
    await asyncio.sleep(0)
    may_close.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*asking)
    assert told == ["closed", "asked", "asked"]
