"""HID-POS reports into frames: pure, and over a real descriptor."""

import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.framing import LIMIT_BYTES
from agent.drivers.scanner_hidpos import (
    DATA_BYTES,
    REPORT_BYTES,
    HidPosLine,
    HidPosScanner,
    Report,
    ReportFramer,
    parse_report,
)
from agent.ports import DeviceDescriptor, FrameDropped
from shared.clock import SystemClock
from shared.errors import Malformed
from shared.reasons import Reason
from tests.agent.drivers.labels import STATIC_TEXT
from tests.agent.drivers.watcher import Watcher
from tests.devices.hidpos import build_reports

CODE = STATIC_TEXT.encode()


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A node that reports are written to, one write each, as the kernel hands them out."""
    path = tmp_path / "hidraw0"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    os.close(reader)
    yield str(path), writer
    os.close(writer)


def read(fifo: tuple[str, int], *reports: bytes) -> list[bytes | Reason]:
    """What a line makes of these reports."""
    path, writer = fifo
    line = HidPosLine(path)
    pieces = []
    for report in reports:
        os.write(writer, report)
        pieces += line.read()
    line.close()
    return pieces


@given(st.binary(max_size=300))
def test_any_data_comes_back(data: bytes) -> None:
    """In as many reports as it takes; all but the last are continued."""
    parts = [parse_report(report) for report in build_reports(data)]
    assert b"".join(part.data for part in parts) == data
    assert [part.continued for part in parts] == [True] * (len(parts) - 1) + [False]


def test_a_report_by_the_manual() -> None:
    """Id, length, data, symbology and continued, each in its place."""
    report = bytes([2, 3]) + b"ABC".ljust(60, b"\0") + bytes([17, 1])
    assert parse_report(report) == Report(b"ABC", 17, True)


def test_a_code_of_two_reports_is_one_frame(fifo: tuple[str, int]) -> None:
    """67 characters; a terminator besides comes off."""
    assert len(CODE) > DATA_BYTES
    assert read(fifo, *build_reports(CODE), *build_reports(CODE + b"\r")) == [CODE, CODE]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (bytes(REPORT_BYTES), Reason.FRAME_LOST),
        (bytes([2, DATA_BYTES + 1]) + bytes(62), Reason.FRAME_CUT),
        (b"\x02\x03ABC", Reason.FRAME_LOST),
    ],
)
def test_what_is_no_report_drops_the_code_around_it(
    fifo: tuple[str, int], wrong: bytes, reason: Reason
) -> None:
    """Nothing is guessed from the rest of it; the next code is right."""
    first, second = build_reports(CODE)
    assert read(fifo, first, wrong, second, *build_reports(CODE)) == [reason, CODE]


@pytest.mark.parametrize(
    "wrong",
    [bytes(REPORT_BYTES), bytes([2, DATA_BYTES + 1]) + bytes(62), b"\x02\x03ABC"],
    ids=["another id", "too long", "short"],
)
def test_a_stray_report_costs_no_code(fifo: tuple[str, int], wrong: bytes) -> None:
    """Between two codes it is told, and the next code is whole."""
    read_now = read(fifo, *build_reports(CODE), wrong, *build_reports(CODE))
    assert read_now[0] == read_now[2] == CODE
    assert isinstance(read_now[1], Reason)


def test_silence_ends_what_was_under_way() -> None:
    """Half a code is dropped with its reason; after the silence a new code is a new code."""
    framer = ReportFramer()
    first, second = build_reports(CODE)
    assert framer.take(first) == []
    assert framer.gap() == [Reason.FRAME_CUT]
    assert [*framer.take(first), *framer.take(bytes(REPORT_BYTES))] == [Reason.FRAME_LOST]
    assert framer.gap() == []
    assert [*framer.take(first), *framer.take(second)] == [CODE]


def test_a_code_without_end_is_dropped_once(fifo: tuple[str, int]) -> None:
    """More than any symbol holds: told once, memory bounded, the next code is right."""
    endless = build_reports(bytes(1_000_000))
    pieces = read(fifo, *endless[: 2 * LIMIT_BYTES // DATA_BYTES], endless[-1])
    assert pieces.count(Reason.CODE_TOO_LONG) >= 1
    assert set(pieces) == {Reason.CODE_TOO_LONG}
    assert read(fifo, *build_reports(CODE)) == [CODE]


def test_a_device_that_is_not_there() -> None:
    """Absent, as an error of ours."""
    with pytest.raises(Exception, match="device-absent"):
        HidPosLine("/nowhere/hidraw0")


async def test_a_scanner_reads_on(fifo: tuple[str, int]) -> None:
    """The driver over the line: frames and drops as events."""
    path, writer = fifo
    scanner = HidPosScanner(DeviceDescriptor("A", path), 60.0, SystemClock())
    async with aclosing(Watcher(scanner)) as watcher:
        await watcher.ready()
        for report in build_reports(CODE):
            os.write(writer, report)
        assert await watcher.frame() == CODE
        os.write(writer, bytes(REPORT_BYTES))
        assert isinstance(await watcher.next(), FrameDropped)


def test_malformed_names_no_data() -> None:
    """An error's detail holds nothing of what was scanned."""
    with pytest.raises(Malformed) as caught:
        parse_report(CODE)
    assert STATIC_TEXT[:8] not in str(caught.value)
