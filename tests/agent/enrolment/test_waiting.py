"""A box without keyboard and screen joins by its scanner and says on paper what came of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent.config import BoxFiles, read_box_config
from agent.drivers.simulated import SimulatedScanner
from agent.enrolment.found import Machine
from agent.enrolment.joining import Joining
from agent.enrolment.waiting import Waiting
from agent.ports import Calibration, PrintOutcome, Slip
from shared.clock import SystemClock
from shared.devices import PrintState
from shared.errors import OneCodeError, Unavailable
from shared.reasons import Reason
from tests.agent.enrolment.peer import BOX, Peer
from tests.agent.enrolment.test_joining import join
from tests.fakes import RecordingPrinter, noon_clock

PATIENCE_SECONDS = 20


class Paper(RecordingPrinter):
    """A printer that tells when something comes out."""

    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Event()

    async def print_slip(self, slip: Slip | Calibration) -> PrintOutcome:
        outcome = await super().print_slip(slip)
        self.came.set()
        return outcome

    async def next_slip(self) -> tuple[str, ...]:
        """The lines of the slip that comes next."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.came.wait()
        self.came.clear()
        slip = self.slips[-1]
        assert isinstance(slip, Slip)
        return slip.lines


class Bench:
    """A waiting box in a technician's hands."""

    def __init__(self, files: BoxFiles) -> None:
        self.scanner = SimulatedScanner(noon_clock())
        self.paper = Paper()
        joining = Joining(files, "SN-1", SystemClock(), Machine())
        self.waiting = Waiting(joining, self.scanner, self.paper, SystemClock())

    def scan(self, text: str) -> None:
        """Hold a code to the scanner."""
        self.scanner.scan(text.encode())


@asynccontextmanager
async def waiting(files: BoxFiles) -> AsyncIterator[Bench]:
    """A box that waits; when the block ends, it has joined."""
    bench = Bench(files)
    task = asyncio.create_task(bench.waiting.run())
    try:
        yield bench
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task
    finally:
        task.cancel()


async def test_a_scanned_invite_is_enough(files: BoxFiles, peer: Peer) -> None:
    """The slip says OK, which box, where, since when and until when."""
    async with waiting(files) as bench:
        bench.scan(peer.invite())
        heading, *lines = await bench.paper.next_slip()
    text = "\n".join(lines)
    assert "OK" in heading
    assert BOX in heading
    assert "虚构市人民医院" in text
    assert "挂号 1" in text
    assert peer.at.astimezone().date().isoformat() in text
    assert files.config.exists()


async def test_a_refusal_says_what_to_do_and_the_next_invite_works(
    files: BoxFiles, peer: Peer
) -> None:
    """Reason code, words and next step in both languages; then another invite is scanned."""
    async with waiting(files) as bench:
        peer.expired = True
        bench.scan(peer.invite())
        slip = await bench.paper.next_slip()
        words = Reason.INVITE_EXPIRED.words
        assert Reason.INVITE_EXPIRED in slip[0]
        for said in words:
            assert any(said in line for line in slip)
        peer.expired = False
        bench.scan(peer.invite(secret=b"t" * 16))
        assert "OK" in (await bench.paper.next_slip())[0]


async def test_a_patients_code_is_no_invite(
    files: BoxFiles, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is neither taken, nor printed, nor written to the log."""
    async with waiting(files) as bench:
        bench.scan("0123456789ABCDEF:1")
        bench.scan(peer.invite())
        assert "OK" in (await bench.paper.next_slip())[0]
    assert len(bench.paper.slips) == 1
    assert "0123456789ABCDEF" not in caplog.text


async def test_a_cut_network_is_said_once_and_ended_by_scanning_again(
    files: BoxFiles, peer: Peer
) -> None:
    """The same keys go on: central has one answer for them."""
    async with waiting(files) as bench:
        peer.cut.add("after join")
        bench.scan(peer.invite())
        assert Reason.CENTRE_UNREACHABLE in (await bench.paper.next_slip())[0]
        peer.cut.clear()
        bench.scan(peer.invite())
        assert "OK" in (await bench.paper.next_slip())[0]
    assert len(peer.answers) == 1


async def test_a_restart_goes_on_by_itself(files: BoxFiles, peer: Peer) -> None:
    """The invite that was scanned before a power cut is used without being scanned again."""
    peer.cut.add("before join")
    bench = Bench(files)
    task = asyncio.create_task(bench.waiting.run())
    bench.scan(peer.invite())
    await bench.paper.next_slip()
    task.cancel()
    await asyncio.wait([task])
    peer.cut.clear()
    async with waiting(files) as bench:
        assert "OK" in (await bench.paper.next_slip())[0]


@pytest.mark.parametrize(
    "outcome",
    [
        PrintOutcome(PrintState.FAILED, Reason.PRINT_CONDITION),
        Unavailable(Reason.FONT_MISSING),
    ],
    ids=["no paper", "no font"],
)
async def test_no_slip_stops_nothing(
    files: BoxFiles, peer: Peer, outcome: PrintOutcome | OneCodeError
) -> None:
    """The box has joined all the same."""
    async with waiting(files) as bench:
        bench.paper.outcome = outcome
        bench.scan(peer.invite())
    assert read_box_config(files).box == BOX


async def test_the_command_line_may_join_meanwhile(files: BoxFiles, peer: Peer) -> None:
    """A waiting box sees that it has joined, and goes on."""
    async with waiting(files):
        await asyncio.to_thread(join, files, peer)
