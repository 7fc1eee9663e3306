"""Whatever is done to clocks and power: nothing is gained."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.lease import ORDER, LeaseUse, consumed_step
from tests.agent.lease.world import SMALL, Machine

SECONDS = st.integers(0, 4000)
JUMP = st.one_of(st.integers(-4000, 4000), st.integers(-60 * 365 * 86_400, 60 * 365 * 86_400))
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Abuse(RuleBasedStateMachine):
    """A box at a lease of three steps, and somebody with a screwdriver. ``worked`` is for how long
    the machine was on since the last lease, ``scans`` how often it judged alone."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.machine = Machine()
        self.lease = self.machine.start()
        self.worked = 0
        self.uses = dict.fromkeys(LeaseUse, 0)
        self.starts = 0
        self.before = self.lease.consumed
        self.grant()

    def teardown(self) -> None:
        self.loop.close()

    @rule()
    def grant(self) -> None:
        """The line comes up for a moment."""
        self.loop.run_until_complete(self.machine.grant(self.lease))
        self.worked, self.uses, self.starts = 0, dict.fromkeys(LeaseUse, 0), 0
        self.before = self.lease.consumed
        assert tuple(self.before) == (0, 0, 0)

    @rule(seconds=SECONDS)
    def work(self, seconds: int) -> None:
        self.machine.work(timedelta(seconds=seconds))
        self.worked += seconds

    @rule(use=st.sampled_from(LeaseUse), times=st.integers(1, 40))
    def use(self, use: LeaseUse, times: int) -> None:
        """Scans and issues, alone."""

        async def charge() -> None:
            for _ in range(times):
                await self.lease.charge(use)
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

        self.loop.run_until_complete(charge())
        self.uses[use] += times

    @rule(seconds=JUMP)
    def set_clock(self, seconds: int) -> None:
        """Somebody sets the clock while the box runs."""
        self._set(seconds)

    @rule(off=SECONDS, seconds=JUMP, lost=st.integers(0, 59))
    def cut_power(self, off: int, seconds: int, lost: int) -> None:
        """The box is switched off and its clock set, after up to a minute that was not written."""
        self.machine.work(timedelta(seconds=lost))
        self.worked += lost
        self.machine.reboot(timedelta(seconds=off))
        self._set(seconds)
        self.lease = self.machine.start()
        self.starts += 1

    @rule()
    def kill(self) -> None:
        """The process dies and starts again."""
        self.lease = self.machine.start()

    @precondition(lambda self: self.worked)
    @rule()
    def learn_time(self) -> None:
        """Central says the time, and gives no lease."""
        self.lease.learn(self.machine.offset())
        assert self.lease.central_now == self.machine.true

    @invariant()
    def nothing_is_gained(self) -> None:
        """Consumed only grows, and is never less than what was really used. The box looks every
        second, so whatever it shows is on its disk but for the last minute."""
        self.loop.run_until_complete(self.lease.keep_up())
        consumed = self.lease.consumed
        note(f"{consumed} worked {self.worked} starts {self.starts} uses {self.uses}")
        assert all(now >= then for now, then in zip(consumed, self.before, strict=True))
        assert consumed.seconds + 1 >= self.worked
        assert consumed.scans >= self.uses[LeaseUse.SCAN]
        assert consumed.issues >= self.uses[LeaseUse.ISSUE]
        step = consumed_step(SMALL, consumed)
        assert ORDER.index(step) >= ORDER.index(consumed_step(SMALL, self.before))
        assert ORDER.index(self.lease.step) >= ORDER.index(step)
        self.before = consumed

    def _set(self, seconds: int) -> None:
        wall = self.machine.wall + timedelta(seconds=seconds)
        self.machine.wall = min(max(wall, EARLIEST), LATEST)


TestAbuse = Abuse.TestCase
TestAbuse.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
