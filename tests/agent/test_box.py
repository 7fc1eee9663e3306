"""The running box seen from its API: what a device's trouble looks like to a clerk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.api.views import DeviceView
from agent.box import RunningBox
from agent.drivers.simulated import SimulatedScanner
from agent.transport.box_keys import BoxKeys
from agent.transport.uplink import CentralUplink
from shared.crypto import STD
from shared.devices import DeviceState
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.agent.offline_queue.box import opened
from tests.agent.transport.peer import BOX, PAIR_KEY, Peer
from tests.factories import other_static_text

PATIENCE_SECONDS = 20.0


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
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
