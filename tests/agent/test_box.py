"""The running box seen from its API: what a device's trouble looks like to a clerk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.api.views import DeviceView, UnsentView
from agent.box import RunningBox
from agent.counter.policy import FixedPolicy
from agent.counter.views import ScanView
from agent.drivers.simulated import SimulatedScanner
from agent.ports import FrameScanned, PrinterStatus, PrintOutcome
from agent.transport.box_keys import BoxKeys
from agent.transport.uplink import CentralUplink
from shared.badges import badge_digest, new_badge
from shared.crypto import STD
from shared.desired import OperatorEntry
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.errors import Refused
from shared.messages import Verdict
from shared.passwords import hash_password
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.agent.counter.test_issuing import REQUEST
from tests.agent.counter.test_printing import print_first
from tests.agent.offline_queue.box import opened
from tests.agent.transport.peer import BOX, PAIR_KEY, Peer
from tests.factories import IDENTITY, STATIC_TEXT, accepted, other_static_text
from tests.fakes import NOON, seconds

PATIENCE_SECONDS = 20.0


BADGE, PIN = new_badge(), "2468"
CLERK = OperatorEntry("u7", "李护士", "clerk", badge_digest(BADGE), hash_password(PIN))


@pytest.fixture
def desk() -> Desk:
    desk = Desk(policy=FixedPolicy("window 3", "示范医院", "zh", True, 900, (CLERK,)))
    desk.uplink.up = False
    return desk


@pytest.fixture
def scanner(desk: Desk) -> SimulatedScanner:
    return SimulatedScanner(desk.clock)


@pytest.fixture
async def box(desk: Desk, scanner: SimulatedScanner, tmp_path: Path) -> AsyncIterator[RunningBox]:
    """A box that reads its scanner; its line is down."""
    async with opened(tmp_path / "queue.db") as outbox, asyncio.timeout(PATIENCE_SECONDS):
        keys = BoxKeys(BOX, PAIR_KEY, STD.new_signing_key(), 1)
        box = RunningBox(
            box=BOX,
            policy=desk.policy,
            operators=desk.operators,
            clock=desk.clock,
            counter=desk.counter,
            issuing=desk.issuing,
            printing=desk.printing,
            display=desk.display,
            outbox=desk.outbox,
            uplink=CentralUplink(keys, outbox, desk.clock, Peer().open_connection),
            scanner=scanner,
            printer=desk.printer,
        )
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(box.read_scanner(group))
            await box.wait_opened()
            yield box
            reading.cancel()


async def test_what_happened_is_seen_by_somebody_signed_in(box: RunningBox) -> None:
    """Where operators are required: nobody's look is no look."""
    with pytest.raises(Refused, match=Reason.OPERATOR_NEEDED):
        await box.see_notices([])


async def scanner_once(box: RunningBox, state: DeviceState) -> DeviceView:
    """The scanner as the API shows it, once it is in this state."""
    for _ in range(100):  # turns of the loop
        view = (await box.read_state()).scanner
        if view.state is state:
            return view
        await asyncio.sleep(0)
    raise AssertionError(f"the scanner is {view.state}")


async def test_a_pulled_scanner_is_shown_with_its_cure(
    box: RunningBox, scanner: SimulatedScanner
) -> None:
    """Not only "absent": the words say to look at the cable; put back, they are gone."""
    assert (await scanner_once(box, DeviceState.READY)).advice is None
    scanner.unplug()
    advice = (await scanner_once(box, DeviceState.ABSENT)).advice
    assert advice is not None
    assert (advice.reason, advice.next_en) == (
        Reason.DEVICE_ABSENT,
        Reason.DEVICE_ABSENT.words.next_en,
    )
    scanner.plug_in()
    assert (await scanner_once(box, DeviceState.READY)).advice is None


async def test_a_scanner_that_works_badly_is_shown_with_its_cure(
    box: RunningBox, scanner: SimulatedScanner
) -> None:
    """READY, and what to set it to; once it is well the advice is gone."""
    scanner.ail(Reason.SCANNER_LAYOUT)
    for _ in range(100):  # turns of the loop
        view = (await box.read_state()).scanner
        if view.advice is not None:
            break
        await asyncio.sleep(0)
    assert view.state is DeviceState.READY
    assert view.advice is not None
    assert "@KBWCTY0" in view.advice.next_en
    scanner.plug_in()
    for _ in range(100):
        view = (await box.read_state()).scanner
        if view.advice is None:
            break
        await asyncio.sleep(0)
    assert view.advice is None


async def test_scans_run_beside_each_other_and_are_finished(
    box: RunningBox, scanner: SimulatedScanner, desk: Desk
) -> None:
    """What the scanner read before a stop is kept and shown before the box ends."""
    desk.outbox.gate.clear()
    for number in range(3):
        scanner.scan(other_static_text(number).encode())
    scanner.drop(Reason.FRAME_CUT)
    scanner.unplug()
    await scanner_once(box, DeviceState.ABSENT)
    desk.outbox.gate.set()
    await box.finish_work(PATIENCE_SECONDS)
    assert len(desk.records) == len(box.recent()) == 4


async def test_a_badge_at_the_scanner_is_no_scan(
    box: RunningBox, scanner: SimulatedScanner, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Read by the counter's own scanner or sent to the API: no record, nothing shown or logged."""
    caplog.set_level("DEBUG")
    scanner.scan(BADGE.encode())
    scanner.scan(BADGE[:15].encode())
    scanner.unplug()
    await scanner_once(box, DeviceState.ABSENT)
    typed = await box.scan(FrameScanned(BADGE.lower().encode(), desk.clock.now()))
    assert typed.verdict is None
    assert box.operators.view().asked_for_pin == "李护士"
    assert not desk.records
    assert not box.recent()
    assert desk.display.main is None
    assert BADGE[:15] not in caplog.text


async def test_without_an_operator_scans_go_on_and_issuing_does_not(
    box: RunningBox, desk: Desk
) -> None:
    """The patient's path never waits for a badge; a name is a surname until somebody signed in."""
    desk.uplink.up = True
    scanning = asyncio.create_task(box.scan(FrameScanned(STATIC_TEXT.encode(), desk.clock.now())))
    ask = await desk.uplink.asked(1)
    desk.uplink.answer(accepted(ask.id, NOON))
    view = await scanning
    assert view.identity is not None
    assert (view.verdict, view.identity.name) == (Verdict.ACCEPTED, "电**")
    told: list[ScanView] = []
    box.subscribe_scans(told.append)
    with pytest.raises(Refused) as caught:
        await box.issue(REQUEST)
    assert caught.value.reason is Reason.OPERATOR_NEEDED
    with pytest.raises(Refused) as caught:
        await box.answer_label("00", out=True)
    assert caught.value.reason is Reason.OPERATOR_NEEDED
    await box.operators.sign_in(PIN, BADGE)
    state = await box.read_state()
    assert state.main is not None
    assert state.main.identity == IDENTITY
    assert state.operator.name == "李护士"


async def test_no_page_waits_for_a_printer_at_work(
    box: RunningBox, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A printer that takes its time over a label delays no news of anything else."""
    assert (await box.read_state()).printer.state is DeviceState.READY
    answers: asyncio.Future[PrinterStatus] = asyncio.Future()

    async def read_status() -> PrinterStatus:
        return await answers

    monkeypatch.setattr(desk.printer, "read_status", read_status)
    desk.clock.advance(seconds(60))
    looking = asyncio.create_task(box.read_devices())
    await asyncio.sleep(0)
    assert (await box.read_state()).printer.state is DeviceState.READY
    answers.set_result(PrinterStatus(DeviceState.SILENT))
    assert (await looking).printer.state is DeviceState.SILENT
    assert (await box.read_state()).printer.state is DeviceState.SILENT


async def test_a_label_that_is_scanned_at_the_counter_is_no_question_any_more(
    box: RunningBox, desk: Desk, scanner: SimulatedScanner
) -> None:
    """The box's own scanner proves it; the scan is judged and shown as any other. The same text
    by the API proves nothing: whoever sends it need not have the label."""
    desk.printer.outcome = PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
    asked = await print_first(desk)
    frame = FrameScanned(STATIC_TEXT.encode(), desk.clock.now())
    await box.scan(frame)
    assert [view.id for view in (await box.read_state()).questions] == [asked.id]
    proved = asyncio.Event()
    desk.printing.changes.subscribe(lambda _: proved.set())
    scanner.scan(STATIC_TEXT.encode())
    await proved.wait()
    state = await box.read_state()
    assert state.questions == ()
    assert state.labels[0].state is PrintState.CONFIRMED
    await box.finish_work(PATIENCE_SECONDS)
    assert len(box.recent()) == 2


async def test_questions_are_of_the_whole_day_and_the_oldest_is_first(
    box: RunningBox, desk: Desk
) -> None:
    """Also one that ten later labels have pushed off the page's list."""
    desk.printer.outcome = PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
    first = await print_first(desk)
    desk.clock.advance(seconds(1))
    second = await print_first(desk)
    desk.printer.outcome = PrintOutcome(PrintState.SENT)
    for _ in range(12):
        desk.clock.advance(seconds(1))
        await print_first(desk)
    state = await box.read_state()
    assert [view.id for view in state.questions] == [first.id, second.id]
    assert {view.state for view in state.labels} == {PrintState.SENT}


async def test_a_change_at_the_printer_is_told_by_itself(box: RunningBox, desk: Desk) -> None:
    """Nobody asks and nothing is printed: the watch reads, shares what it read, and tells."""
    assert (await box.read_state()).printer.state is DeviceState.READY
    told = asyncio.Event()
    box.subscribe(lambda _: told.set())
    no_paper = frozenset({PrinterCondition.NO_PAPER})
    desk.printer.status = PrinterStatus(DeviceState.FAULTY, no_paper)
    watching = asyncio.create_task(box.watch())
    await told.wait()
    assert (await box.read_state()).printer.conditions == (PrinterCondition.NO_PAPER,)
    watching.cancel()


async def test_the_state_tells_what_is_unsent_and_since_when(box: RunningBox, desk: Desk) -> None:
    """Count and age of what central lacks, by the box's clock; never less than nothing."""
    assert (await box.read_state()).unsent == UnsentView(0, None)
    desk.uplink.up = False
    await box.scan(FrameScanned(STATIC_TEXT.encode(), desk.clock.now()))
    desk.clock.advance(seconds(95))
    assert (await box.read_state()).unsent == UnsentView(1, 95)
    desk.clock.set_wall(NOON - seconds(1000))
    assert (await box.read_state()).unsent == UnsentView(1, 0)


async def test_a_refusal_is_acknowledged_once_and_told(box: RunningBox, desk: Desk) -> None:
    """It leaves the list on every page; what was never shown cannot be acknowledged."""
    view = await box.scan(FrameScanned(b"98FF", desk.clock.now()))
    if view.verdict is not Verdict.REFUSED:
        view = await box.scan(FrameScanned(STATIC_TEXT.lower().encode(), desk.clock.now()))
    assert view.verdict is Verdict.REFUSED
    changes: list[None] = []
    box.subscribe(changes.append)
    assert (await box.read_state()).unacknowledged == (view,)
    box.acknowledge(view.id)
    assert (await box.read_state()).unacknowledged == ()
    assert changes
    with pytest.raises(Refused):
        box.acknowledge("0")
