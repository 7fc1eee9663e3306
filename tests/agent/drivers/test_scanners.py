"""All scanners of a box over real pseudo-terminals: two at once, pulled, put in elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.drivers.discovery import Found, Mode, Seen, Suspect
from agent.drivers.scanner_serial import SerialScanner
from agent.drivers.scanners import ScannerPark
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    DeviceReported,
    FrameDropped,
    Scanner,
    ScannerEvent,
)
from shared.clock import SystemClock
from shared.devices import DeviceState
from shared.reasons import Reason
from tests.agent.drivers.pseudoterminal import Pseudoterminal
from tests.agent.drivers.watcher import LIMIT_SECONDS, Watcher

NEVER = 60.0  # seconds of silence
KEYBOARD = DeviceDescriptor("Keyboard", "/dev/input/event9", "", 0x046D, 1, "1-9")


class Machine:
    """What is plugged in, and a word when it changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed = asyncio.Event()
        self.seen = Seen()
        self.terminals: dict[str, Pseudoterminal] = {}

    def plug_in(self, serial: str, port: str) -> Pseudoterminal:
        """A scanner with this serial number, on a port."""
        terminal = Pseudoterminal(self._folder / f"tty-{port}")
        terminal.plug_in()
        device = DeviceDescriptor("A", str(terminal.path), serial, 0x1EAB, 1, port)
        self.terminals[port] = terminal
        self._see((*self.seen.scanners, Found(Mode.SERIAL, device)))
        return terminal

    def pull(self, port: str) -> None:
        """It leaves."""
        self.terminals.pop(port).pull()
        self._see(tuple(each for each in self.seen.scanners if each.device.port != port))

    def report(self, *suspects: Suspect) -> None:
        """Something else is there."""
        self.seen = replace(self.seen, suspects=suspects)
        self._changed.set()

    def _see(self, scanners: tuple[Found, ...]) -> None:
        self.seen = replace(self.seen, scanners=scanners)
        self._changed.set()

    async def watch(self) -> AsyncIterator[None]:
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path)
    yield made
    for terminal in made.terminals.values():
        terminal.close()


def open_park(machine: Machine) -> Watcher:
    """The park's events."""

    def open_found(found: Found) -> Scanner:
        return SerialScanner(found.device, NEVER, SystemClock())

    return Watcher(ScannerPark(lambda: machine.seen, machine.watch, open_found))


async def changed(watcher: Watcher, state: DeviceState) -> DeviceChanged:
    """The next time that a scanner has this state."""
    while True:
        event = await watcher.next()
        if isinstance(event, DeviceChanged) and event.state is state:
            return event


async def test_two_scanners_work_at_once(machine: Machine) -> None:
    """Each has its place; frames of both come."""
    one, two = machine.plug_in("S1", "1-1"), machine.plug_in("S2", "1-2")
    async with aclosing(open_park(machine)) as watcher:
        ready = [await changed(watcher, DeviceState.READY) for _ in range(2)]
        assert {event.device.place for event in ready} == {"1", "2"}
        one.write(b"FIRST\r")
        two.write(b"SECOND\r")
        assert {await watcher.frame(), await watcher.frame()} == {b"FIRST", b"SECOND"}


async def test_without_a_scanner_it_is_absent_until_one_comes(machine: Machine) -> None:
    """So that a box without one starts, and takes the one that comes."""
    async with aclosing(open_park(machine)) as watcher:
        assert (await changed(watcher, DeviceState.ABSENT)).device.place == ""
        terminal = machine.plug_in("S1", "1-1")
        assert (await changed(watcher, DeviceState.READY)).device.place == "1"
        terminal.write(b"CODE\r")
        assert await watcher.frame() == b"CODE"


async def test_pulled_in_mid_code_and_put_in_elsewhere(machine: Machine) -> None:
    """Half a code is dropped with its reason; on another port and node it is the same scanner."""
    first, beside = machine.plug_in("S1", "1-1"), machine.plug_in("S2", "1-2")
    async with aclosing(open_park(machine)) as watcher:
        await changed(watcher, DeviceState.READY)
        await changed(watcher, DeviceState.READY)
        first.write(b"WHOLE\r")
        assert await watcher.frame() == b"WHOLE"
        first.write(b"HALF")
        beside.write(b"BESIDE\r")  # read in the same turn of the loop
        assert await watcher.frame() == b"BESIDE"
        machine.pull("1-1")
        dropped = await watcher.next()
        assert isinstance(dropped, FrameDropped)
        assert dropped.reason is Reason.FRAME_CUT
        assert (await changed(watcher, DeviceState.ABSENT)).device.place == "1"
        second = machine.plug_in("S1", "1-4")
        ready = await changed(watcher, DeviceState.READY)
        assert (ready.device.place, ready.device.port) == ("1", "1-4")
        second.write(b"AGAIN\r")
        assert await watcher.frame() == b"AGAIN"


async def test_suspects_are_told_once(machine: Machine) -> None:
    """Again only when they have left and come back."""
    keyboard = Suspect(KEYBOARD, Reason.KEYBOARD_UNKNOWN)
    machine.report(keyboard)
    async with aclosing(open_park(machine)) as watcher:
        assert await watcher.next() == DeviceReported(KEYBOARD, Reason.KEYBOARD_UNKNOWN)
        assert isinstance(await watcher.next(), DeviceChanged)  # there is no scanner
        machine.plug_in("S1", "1-1")
        await changed(watcher, DeviceState.READY)
        machine.report()
        assert await watcher.next() == DeviceReported(KEYBOARD, None)
        machine.report(keyboard)
        assert await watcher.next() == DeviceReported(KEYBOARD, Reason.KEYBOARD_UNKNOWN)


async def test_a_bug_reaches_whoever_reads(machine: Machine) -> None:
    """A crash in the look ends the reading, not only a task that nobody awaits."""

    def look() -> Seen:
        raise ZeroDivisionError

    watcher = Watcher(ScannerPark(look, machine.watch, lambda _: pytest.fail("opened")))
    with pytest.raises(ZeroDivisionError):
        await watcher.next()


async def test_a_scanner_that_may_not_be_opened_is_not_tried_by_its_node(machine: Machine) -> None:
    """The node may be a clerk's keyboard by now: only a look that finds the scanner there opens it
    again, and until then its state is told once."""
    opened: list[str] = []
    again = asyncio.Event()

    class Denied:
        def __init__(self, device: DeviceDescriptor) -> None:
            self.descriptor = device

        async def events(self) -> AsyncIterator[ScannerEvent]:
            if opened:
                again.set()
            opened.append(self.descriptor.port)
            yield DeviceChanged(self.descriptor, DeviceState.OPENING)
            yield DeviceChanged(self.descriptor, DeviceState.DENIED, Reason.DEVICE_IN_USE)
            pytest.fail("read on after it was denied")

    machine.plug_in("S1", "1-1")
    looks: list[Seen] = []

    def look() -> Seen:
        looks.append(machine.seen)
        return machine.seen

    park = ScannerPark(look, machine.watch, lambda found: Denied(found.device))
    async with aclosing(Watcher(park)) as watcher:
        await changed(watcher, DeviceState.DENIED)
        machine.report(Suspect(KEYBOARD, Reason.KEYBOARD_UNKNOWN))  # something to look for
        assert await watcher.next() == DeviceReported(KEYBOARD, Reason.KEYBOARD_UNKNOWN)
        async with asyncio.timeout(LIMIT_SECONDS):
            await again.wait()
        assert len(opened) <= len(looks)
