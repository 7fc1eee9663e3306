"""Identity cards over a real pseudo-terminal: read once, whatever the wire does to the answer."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.document_reader import SamDocumentReader
from agent.drivers.document_reader_simulated import SimulatedSamModule, Wire, whole
from agent.drivers.sam_v import (
    FIND,
    READ,
    SELECT,
    Answer,
    AnswerFramer,
    CardText,
    Status,
    build_card,
    build_command,
    parse_card,
)
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    DocumentEvent,
    DocumentNotRead,
    DocumentRead,
)
from shared.clock import SystemClock
from shared.devices import DeviceState
from shared.errors import Malformed
from shared.reasons import Reason
from tests.agent.drivers.pseudoterminal import Pseudoterminal

E = TypeVar("E")

SAMPLE = CardText("电子健康卡", "0", "11010020171225006X")
NEXT = CardText("示范居民", "2", "11010020171225006X")


def byte_by_byte(answer: bytes) -> Iterable[bytes]:
    """The slowest wire there is."""
    return (answer[at : at + 1] for at in range(len(answer)))


def noisy(answer: bytes) -> Iterable[bytes]:
    """Rubbish before the frame, as on a line that was just plugged in."""
    return (b"\x00\xaa\xaa\x96", answer)


def flipped(answer: bytes) -> Iterable[bytes]:
    """One bit of a long answer is lost: the check byte tells."""
    at = len(answer) // 2
    spoilt = answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]
    return (answer if len(answer) < 100 else spoilt,)


class Bench:
    """A reader and its module."""

    def __init__(self, line: Pseudoterminal, module: SimulatedSamModule) -> None:
        self.line = line
        self.module = module
        device = DeviceDescriptor("SAM_V", str(line.path))
        self.events = SamDocumentReader(device, SystemClock(), answer_seconds=0.3).events()

    async def next(self, kind: type[E]) -> E:
        """The next event of this kind."""
        async with asyncio.timeout(10):
            async for event in self.events:
                if isinstance(event, kind):
                    return event
        raise AssertionError("events never end")

    async def next_event(self) -> DocumentEvent:
        """The next event of any kind."""
        async with asyncio.timeout(10):
            return await anext(self.events)


@asynccontextmanager
async def opened(tmp_path: Path, wire: Wire = whole) -> AsyncIterator[Bench]:
    """A plugged-in reader."""
    line = Pseudoterminal(tmp_path / "reader")
    line.plug_in()
    module = SimulatedSamModule(line.master, wire)
    module.open()
    bench = Bench(line, module)
    try:
        yield bench
    finally:
        await bench.events.aclose()  # type: ignore[attr-defined]
        module.close()
        line.close()


@pytest.mark.parametrize("wire", [whole, byte_by_byte, noisy])
async def test_a_card_is_read_once(tmp_path: Path, wire: Wire) -> None:
    """Laid down, it is told once; the next one is told, and the reader is ready throughout."""
    async with opened(tmp_path, wire) as bench:
        bench.module.lay(SAMPLE)
        read = await bench.next(DocumentRead)
        assert (read.document_type, read.number) == ("01", SAMPLE.number)
        assert (read.name, read.sex) == (SAMPLE.name, SAMPLE.sex)
        bench.module.lift()
        bench.module.lay(NEXT)
        following = await bench.next_event()
        assert isinstance(following, DocumentRead)
        assert (following.name, following.sex) == (NEXT.name, NEXT.sex)
        assert SAMPLE.name not in repr(read)


async def test_a_spoilt_answer_is_no_card(tmp_path: Path) -> None:
    """A wrong check byte is told with its reason, and never half a person."""
    async with opened(tmp_path, flipped) as bench:
        bench.module.lay(SAMPLE)
        assert (await bench.next(DocumentNotRead)).reason is Reason.DOCUMENT_UNREADABLE


async def test_a_card_pulled_while_it_is_read(tmp_path: Path) -> None:
    """Found, then gone: told, and the same card laid again is read."""
    async with opened(tmp_path) as bench:
        bench.module.pulled = True
        bench.module.lay(SAMPLE)
        assert (await bench.next(DocumentNotRead)).reason is Reason.DOCUMENT_UNREADABLE
        bench.module.pulled = False
        bench.module.lay(SAMPLE)
        assert (await bench.next(DocumentRead)).name == SAMPLE.name


async def test_a_silent_module_is_never_ready(tmp_path: Path) -> None:
    """No answer is SILENT; when it answers it is READY."""
    async with opened(tmp_path) as bench:
        bench.module.silent = True
        assert (await bench.next_event()) == DeviceChanged(_device(bench), DeviceState.OPENING)
        silent = await bench.next(DeviceChanged)
        assert (silent.state, silent.reason) == (DeviceState.SILENT, Reason.DEVICE_SILENT)
        bench.module.silent = False
        assert (await bench.next(DeviceChanged)).state is DeviceState.READY


async def test_a_reader_may_be_pulled_and_plugged_in(tmp_path: Path) -> None:
    """ABSENT while it is away, READY when it is back."""
    async with opened(tmp_path) as bench:
        await bench.next(DeviceChanged)
        assert (await bench.next(DeviceChanged)).state is DeviceState.READY
        bench.module.close()
        bench.line.pull()
        assert (await bench.next(DeviceChanged)).state is DeviceState.ABSENT
        bench.line.plug_in()
        bench.module.fd = bench.line.master
        bench.module.open()
        assert (await bench.next(DeviceChanged)).state is DeviceState.READY


def test_frames_are_those_of_the_protocol_sheet() -> None:
    """The published bytes of finding, selecting, reading, and of a found card."""
    assert build_command(FIND).hex(" ") == "aa aa aa 96 69 00 03 20 01 22"
    assert build_command(SELECT).hex(" ") == "aa aa aa 96 69 00 03 20 02 21"
    assert build_command(READ).hex(" ") == "aa aa aa 96 69 00 03 30 01 32"
    found = Answer(Status.FOUND, bytes(4)).to_bytes()
    assert found.hex(" ") == "aa aa aa 96 69 00 08 00 00 9f 00 00 00 00 97"
    assert len(Answer(Status.DONE, build_card(SAMPLE)).to_bytes()) == 1295


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 50))
def test_answers_are_found_in_any_noise(noise: list[bytes], step: int) -> None:
    """However the bytes are cut, every answer behind noise that holds no preamble is found."""
    answer = Answer(Status.DONE, b"data")
    quiet = [each.replace(b"\xaa", b"") for each in noise]
    sent = b"".join(each + answer.to_bytes() for each in quiet)
    framer = AnswerFramer()
    found = [each for at in range(0, len(sent), step) for each in framer.feed(sent[at : at + step])]
    assert found == [answer] * len(quiet)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_card_or_refused(data: bytes) -> None:
    """Nothing but Malformed comes of what is no card."""
    with suppress(Malformed):
        parse_card(data)


def _device(bench: Bench) -> DeviceDescriptor:
    return DeviceDescriptor("SAM_V", str(bench.line.path))
