"""When a box asks for a lease and for the time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.lease.keeper import LeaseKeeper
from agent.lease.service import OfflineLease
from shared.clock import ClockOffset, to_microseconds
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.lease import DEFAULT_POLICY, LeaseAsk, LeaseReply, LeaseStep
from shared.messages import Ask, RefusalReply, Reply
from shared.reasons import Reason
from tests.agent.lease.world import BOX, Machine, sign
from tests.fakes import NOON

PATIENCE_SECONDS = 20.0


@dataclass
class Line:
    """Central and the way to it, in a test's hand. ``refuse`` is what central answers."""

    machine: Machine
    up: bool = False
    link_since: datetime = NOON
    trouble: Reason | None = None
    refuse: Reason | None = None
    measured_offset: ClockOffset | None = None
    asks: asyncio.Queue[LeaseAsk] = field(default_factory=asyncio.Queue)
    times: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    time_known: bool = True
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_up(self) -> bool:
        self.looked.set()
        return self.up

    async def look(self) -> None:
        """Return when the keeper has looked, acted and looked again."""
        for _ in range(2):
            self.looked.clear()
            await self.looked.wait()

    async def ask(self, ask: Ask, deadline_seconds: float) -> Reply:
        assert isinstance(ask, LeaseAsk)
        await self.asks.put(ask)
        at = to_microseconds(self.machine.true)
        self.measured_offset = self.machine.offset()
        if ask.expires_at <= at:
            return RefusalReply(id=ask.id, central_at=at, reason=Reason.ASK_EXPIRED)
        if self.refuse is not None:
            return RefusalReply(id=ask.id, central_at=at, reason=self.refuse)
        lease = sign(ask.id, ask.revision + 1, at=self.machine.true)
        return LeaseReply(id=ask.id, central_at=at, lease=lease)

    async def fetch_time(self) -> ClockOffset:
        await self.times.put(None)
        if not self.time_known:
            raise Unavailable(Reason.CENTRE_UNREACHABLE)
        return self.machine.offset()

    def come_up(self) -> None:
        self.up = True
        self.link_since += timedelta(seconds=1)


@dataclass
class Scene:
    """A keeper at work."""

    machine: Machine
    line: Line
    lease: OfflineLease
    renewals: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note_time(self) -> None:
        self.renewals += 1

    async def change(self) -> None:
        """Wait for the next change of lease, step or time."""
        await self.changed.wait()
        self.changed.clear()


@asynccontextmanager
async def keeping(machine: Machine) -> AsyncIterator[Scene]:
    line = Line(machine)
    scene = Scene(machine, line, machine.start())
    keeper = LeaseKeeper(
        box=BoxId(*BOX.split("/")),
        counter="c1",
        clock=machine,
        lease=scene.lease,
        line=line,
        fetch_time=line.fetch_time,
        on_time=scene.note_time,
        on_change=scene.changed.set,
        look_seconds=0.001,
    )
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield scene
    running.cancel()
    await asyncio.wait((running,))
    assert running.cancelled()


async def test_a_lease_comes_with_the_line_and_now_and_then() -> None:
    """At once when the line is up, ten minutes later again, and with each new line."""
    async with keeping(Machine()) as scene:
        scene.line.come_up()
        await scene.change()
        assert scene.lease.revision == 1
        scene.machine.work(timedelta(minutes=9))
        await scene.line.look()
        assert scene.lease.revision == 1
        scene.machine.work(timedelta(minutes=2))
        await scene.change()
        assert scene.lease.revision == 2
        scene.line.come_up()
        await scene.change()
        assert scene.lease.revision == 3
        assert scene.lease.policy == DEFAULT_POLICY
    assert scene.machine.start().revision == 3


async def test_a_question_that_came_too_late_by_a_wrong_clock_is_asked_again() -> None:
    """Central's refusal told the time."""
    machine = Machine()
    machine.wall -= timedelta(days=900)
    async with keeping(machine) as scene:
        scene.line.come_up()
        await scene.line.asks.get()
        await scene.line.look()
        assert scene.lease.view().step is LeaseStep.STOP  # 900 days went by unnoticed
        scene.changed.clear()
        machine.work(timedelta(seconds=10))
        await scene.change()
        assert scene.lease.revision == 1
        assert scene.lease.view().step is LeaseStep.FULL
        assert scene.lease.central_now == machine.true


async def test_a_box_that_central_shuts_out_uses_up_what_it_has() -> None:
    """It keeps asking, ever more seldom."""
    async with keeping(Machine()) as scene:
        scene.line.refuse = Reason.NOT_ADMITTED
        scene.line.come_up()
        await scene.line.asks.get()
        scene.machine.work(timedelta(days=4))
        await scene.change()
        assert scene.lease.view().step is LeaseStep.VERIFY_ONLY
        await scene.line.asks.get()


async def test_signed_time_is_fetched_where_it_may_mend_the_line() -> None:
    """A line that is merely away is no reason; a certificate that seems too old or too new is."""
    machine = Machine()
    machine.wall += timedelta(days=2000)
    async with keeping(machine) as scene:
        scene.line.trouble = Reason.BROKER_UNAVAILABLE
        await scene.line.look()
        assert scene.line.times.empty()
        scene.line.time_known = False
        scene.line.trouble = Reason.BROKER_NOT_TRUSTED
        await scene.line.times.get()
        assert scene.renewals == 0
        scene.line.time_known = True
        machine.work(timedelta(seconds=10))
        await scene.change()
        assert scene.renewals == 1
        assert scene.lease.central_now == machine.true
