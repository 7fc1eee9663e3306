"""The serial scanner on a real pseudo-terminal: bytes as they come, hang-up and return."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from agent.drivers.framing import NO_AFFIXES, Affixes
from agent.drivers.scanner_serial import SerialScanner
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    FrameDropped,
)
from shared.clock import SystemClock
from shared.devices import DeviceState
from shared.reasons import Reason
from tests.agent.drivers.pseudoterminal import Pseudoterminal
from tests.agent.drivers.watcher import Watcher

STATIC = b"98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
NEVER = 3600.0  # a gap that no test reaches: only terminators end a frame
SOON = 0.05


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Pseudoterminal]:
    made = Pseudoterminal(tmp_path / "scanner")
    yield made
    made.close()


def make_scanner(
    terminal: Pseudoterminal, gap_seconds: float, affixes: Affixes = NO_AFFIXES
) -> SerialScanner:
    device = DeviceDescriptor("scanner on a pty", str(terminal.path))
    return SerialScanner(device, gap_seconds, SystemClock(), affixes)


async def test_frames_come_whole_however_they_arrive(terminal: Pseudoterminal) -> None:
    """One byte at a time, glued, split across writes: each code once, terminators gone."""
    terminal.plug_in()
    async with aclosing(Watcher(make_scanner(terminal, NEVER))) as watcher:
        await watcher.ready()
        for byte in STATIC + b"\r":
            terminal.write(bytes([byte]))
            await asyncio.sleep(0)
        assert await watcher.frame() == STATIC
        terminal.write(b"AAA\r\nBBB\nCCC\tDD")
        assert [await watcher.frame() for _ in range(3)] == [b"AAA", b"BBB", b"CCC"]
        terminal.write(b"D\r")
        assert await watcher.frame() == b"DDD"


async def test_silence_ends_a_code_without_terminator(terminal: Pseudoterminal) -> None:
    """The inter-key gap hands on the code of a scanner that sends no terminator."""
    terminal.plug_in()
    async with aclosing(Watcher(make_scanner(terminal, SOON))) as watcher:
        await watcher.ready()
        terminal.write(STATIC)
        assert await watcher.frame() == STATIC


async def test_half_frame_of_a_terminating_scanner_is_dropped(terminal: Pseudoterminal) -> None:
    """Half a code before a silence is dropped with a reason; nothing is guessed."""
    terminal.plug_in()
    async with aclosing(Watcher(make_scanner(terminal, SOON))) as watcher:
        await watcher.ready()
        terminal.write(STATIC + b"\r")
        assert await watcher.frame() == STATIC
        terminal.write(STATIC[:30])
        event = await watcher.next()
        assert isinstance(event, FrameDropped)
        assert event.reason is Reason.FRAME_CUT


async def test_hang_up_and_return(terminal: Pseudoterminal) -> None:
    """Pulled in the middle of a code: the half is dropped, ABSENT is told once, and plugged in
    again the scanner works again."""
    terminal.plug_in()
    async with aclosing(Watcher(make_scanner(terminal, NEVER))) as watcher:
        await watcher.ready()
        terminal.write(b"WHOLE\r")
        assert await watcher.frame() == b"WHOLE"
        terminal.write(b"HALF")
        await asyncio.sleep(0)
        terminal.pull()
        events = [await watcher.next()]
        if isinstance(events[0], FrameDropped):  # unless the kernel threw the half away itself
            assert events[0].reason is Reason.FRAME_CUT
            events.append(await watcher.next())
        assert isinstance(events[-1], DeviceChanged)
        assert events[-1].state is DeviceState.ABSENT
        terminal.plug_in()
        await watcher.ready()
        terminal.write(STATIC + b"\r")
        assert await watcher.frame() == STATIC


async def test_absent_device_is_data(terminal: Pseudoterminal) -> None:
    """A scanner that is not there yet is ABSENT, told once, and READY once it comes."""
    async with aclosing(Watcher(make_scanner(terminal, NEVER))) as watcher:
        assert await watcher.state() == (DeviceState.OPENING, None)
        assert await watcher.state() == (DeviceState.ABSENT, Reason.DEVICE_ABSENT)
        terminal.plug_in()
        assert await watcher.state() == (DeviceState.READY, None)


async def test_port_of_another_program_is_denied(terminal: Pseudoterminal) -> None:
    """A port that another program holds is there, but not ours to open."""
    terminal.plug_in()
    holder = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        async with aclosing(Watcher(make_scanner(terminal, NEVER))) as watcher:
            assert (await watcher.state())[0] is DeviceState.OPENING
            assert await watcher.state() == (DeviceState.DENIED, Reason.DEVICE_IN_USE)
    finally:
        os.close(holder)


async def test_a_busy_counter_loses_nothing(terminal: Pseudoterminal) -> None:
    """More codes than are kept in memory, while nobody takes them, the last one in two parts: all
    come, in order; a silence that only we made cuts nothing."""
    terminal.plug_in()
    async with aclosing(Watcher(make_scanner(terminal, SOON))) as watcher:
        await watcher.ready()
        codes = [b"%04d" % number for number in range(300)]
        stream = b"".join(code + b"\r" for code in codes)
        terminal.write(stream[:-3])
        assert await watcher.frame() == codes[0]
        terminal.write(stream[-3:])
        await asyncio.sleep(3 * SOON)  # the consumer is busy for longer than the gap
        assert [await watcher.frame() for _ in codes[1:]] == codes[1:]


async def test_a_wrong_set_up_is_told_and_forgotten_with_the_device(
    terminal: Pseudoterminal,
) -> None:
    """Prefix and suffix come off; small letters are dropped and the scanner is READY with a
    reason; another scanner in its place begins well."""
    terminal.plug_in()
    async with aclosing(Watcher(make_scanner(terminal, NEVER, Affixes(b"]Q1", b"#")))) as watcher:
        await watcher.ready()
        terminal.write(b"]Q1" + STATIC + b"#\r")
        assert await watcher.frame() == STATIC
        terminal.write(b"]Q1" + STATIC.lower() + b"#\r")
        event = await watcher.next()
        assert isinstance(event, FrameDropped)
        assert event.reason is Reason.SCANNER_LOWER_CASE
        assert await watcher.state() == (DeviceState.READY, Reason.SCANNER_LOWER_CASE)
        terminal.pull()
        assert (await watcher.state())[0] is DeviceState.ABSENT
        terminal.plug_in()
        assert await watcher.state() == (DeviceState.READY, None)


async def test_a_megabyte_without_end_stops_nothing(terminal: Pseudoterminal) -> None:
    """A scanner gone mad: one event with its reason, and the next code comes exact."""
    terminal.plug_in()
    async with aclosing(Watcher(make_scanner(terminal, NEVER))) as watcher:
        await watcher.ready()
        writing = asyncio.create_task(asyncio.to_thread(write_all, terminal, b"A" * (1 << 20)))
        event = await watcher.next()
        assert isinstance(event, FrameDropped)
        assert event.reason is Reason.CODE_TOO_LONG
        coming = asyncio.create_task(watcher.frame())
        await writing
        await asyncio.to_thread(write_all, terminal, b"\r" + STATIC + b"\r")
        assert await coming == STATIC


def write_all(terminal: Pseudoterminal, data: bytes) -> None:
    """More than the kernel takes at once."""
    while data:
        data = data[os.write(terminal.master, data) :]
