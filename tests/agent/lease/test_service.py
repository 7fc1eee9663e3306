"""The lease at work: its steps, what it costs, and what is believed."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent.listed import Heeded
from shared.errors import NotAuthentic, Refused
from shared.lease import LeaseStep, LeaseUse, SignedLease
from shared.reasons import Reason
from tests.agent.lease.world import SMALL, Machine, sign

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NONCE = bytes(range(16))


async def test_steps_follow_each_other_with_time() -> None:
    """Full, verify only, identity only, stop; the countdown says what comes and when."""
    machine = Machine()
    lease = machine.start()
    await machine.grant(lease)
    steps = []
    for _ in range(4):
        steps.append(lease.step)
        machine.work(HOUR)
    assert steps == list(LeaseStep)
    assert lease.view().left is None
    assert lease.view().reason is Reason.LEASE_STOP


async def test_the_countdown() -> None:
    """What is left until the next step, in time and in counts."""
    machine = Machine()
    lease = machine.start()
    await machine.grant(lease)
    machine.work(20 * MINUTE)
    await lease.charge(LeaseUse.SCAN)
    left = lease.view().left
    assert left is not None
    assert (left.step, left.seconds, left.scans, left.issues) == (
        LeaseStep.VERIFY_ONLY,
        2400,
        99,
        50,
    )


@pytest.mark.parametrize(("use", "most"), [(LeaseUse.SCAN, 100), (LeaseUse.ISSUE, 50)])
async def test_counts_end_a_step_as_time_does(use: LeaseUse, most: int) -> None:
    """The hundredth scan is still taken in full, the next is not."""
    machine = Machine()
    lease = machine.start()
    await machine.grant(lease)
    steps = [await lease.charge(use) for _ in range(most + 1)]
    assert steps == [LeaseStep.FULL] * most + [LeaseStep.VERIFY_ONLY]


async def test_a_new_lease_begins_anew() -> None:
    """Whatever was consumed."""
    machine = Machine()
    lease = machine.start()
    await machine.grant(lease)
    machine.work(9 * HOUR)
    assert lease.view().step is LeaseStep.STOP
    await machine.grant(lease)
    assert lease.view().step is LeaseStep.FULL
    assert machine.start().step is LeaseStep.FULL


async def test_few_writes_for_many_scans() -> None:
    """Counts are reserved in blocks: a scan does not wait for a write of its own."""
    machine = Machine()
    lease = machine.start()
    generous = msgspec.structs.replace(
        SMALL, verify_only=msgspec.structs.replace(SMALL.verify_only, scans=10_000, issues=10_000)
    )
    generous = msgspec.structs.replace(
        generous,
        identity_only=msgspec.structs.replace(generous.verify_only, seconds=7200),
        stop=msgspec.structs.replace(generous.verify_only, seconds=10_800),
    )
    await machine.grant(lease, generous)
    before = machine.writes
    for _ in range(640):
        await lease.charge(LeaseUse.SCAN)
    await lease.close()
    assert machine.writes - before <= 2 * 640 // 32 + 2
    assert machine.start().consumed.scans == 640


async def test_a_kill_costs_at_most_what_was_reserved() -> None:
    """And never less than what was used."""
    machine = Machine()
    lease = machine.start()
    await machine.grant(lease)
    for _ in range(17):
        await lease.charge(LeaseUse.SCAN)
    after = machine.start().consumed.scans
    assert 17 <= after <= 19


async def test_a_start_of_the_machine_costs() -> None:
    """Also where the clock says that no time has passed."""
    machine = Machine()
    await machine.grant(machine.start())
    machine.reboot()
    assert machine.start().consumed.seconds == SMALL.boot_seconds
    assert machine.start().consumed.seconds == SMALL.boot_seconds  # a restart of the agent does not


async def test_time_that_the_box_was_off_is_charged() -> None:
    """400 days in a cupboard: one clear answer, and a lease makes it work again."""
    machine = Machine()
    await machine.grant(machine.start())
    machine.reboot(timedelta(days=400))
    lease = machine.start()
    assert lease.view().step is LeaseStep.STOP
    assert lease.view().reason is Reason.LEASE_STOP
    await machine.grant(lease)
    assert lease.view().step is LeaseStep.FULL


async def test_a_clock_at_1970_verifies_only_until_central_says_the_time() -> None:
    """What time it is at least is still known."""
    machine = Machine()
    await machine.grant(machine.start())
    machine.reboot()
    machine.wall = datetime(1970, 1, 1, tzinfo=UTC)
    lease = machine.start()
    assert (lease.view().step, lease.view().reason) == (LeaseStep.VERIFY_ONLY, Reason.LEASE_CLOCK)
    assert lease.time is None
    assert lease.best_now >= machine.true
    machine.work(MINUTE)
    lease = machine.start()
    assert lease.view().reason is Reason.LEASE_CLOCK
    lease.learn(machine.offset())
    assert (lease.view().step, lease.view().reason) == (LeaseStep.FULL, None)
    assert lease.central_now == machine.true


async def test_a_clock_once_doubted_is_not_believed_when_it_is_set_right_by_hand() -> None:
    """Only central's word ends the doubt: a hand that sets a clock proves nothing."""
    machine = Machine()
    await machine.grant(machine.start())
    machine.reboot(jump=timedelta(days=-2))
    assert machine.start().clock_doubted
    machine.wall = machine.true
    assert machine.start().clock_doubted


async def test_a_clock_five_years_ahead_costs_five_years() -> None:
    """Nothing here can tell it from a cupboard; central's word and a new lease end it."""
    machine = Machine()
    await machine.grant(machine.start())
    machine.reboot(jump=timedelta(days=5 * 365))
    lease = machine.start()
    assert lease.view().step is LeaseStep.STOP
    await machine.grant(lease)
    assert lease.view().step is LeaseStep.FULL
    assert lease.central_now == machine.true


@pytest.mark.parametrize("days", [-20_000, -1, 1, 5 * 365])
async def test_a_jump_after_central_has_said_the_time_changes_nothing(days: int) -> None:
    """In the boot in which it was learnt, the time goes on by the clock that nobody can set."""
    machine = Machine()
    await machine.grant(machine.start())
    machine.work(MINUTE)
    machine.wall += timedelta(days=days)
    lease = machine.start()
    assert lease.view().step is LeaseStep.FULL
    assert lease.consumed.seconds == 60
    assert lease.central_now == machine.true
    assert lease.time is not None
    assert lease.time.milliseconds == round(timedelta(days=-days) / timedelta(milliseconds=1))


@pytest.mark.parametrize("years", [-5, 5])
@pytest.mark.parametrize("mended", [False, True])
async def test_a_clock_that_central_found_wrong(years: int, mended: bool) -> None:
    """It may stay wrong or be set right while the box is off: only the time off is charged."""
    machine = Machine()
    wrong = timedelta(days=365 * years)
    machine.wall += wrong
    await machine.grant(machine.start())
    machine.reboot(10 * MINUTE, jump=-wrong if mended else timedelta())
    lease = machine.start()
    assert not lease.clock_doubted
    assert lease.consumed.seconds == 600 + SMALL.boot_seconds


async def test_books_that_are_lost_allow_less() -> None:
    """A box that has worked before does not begin anew by losing a file."""
    machine = Machine()
    assert machine.start().step is LeaseStep.FULL  # a new box
    machine.damaged = True
    lease = machine.start()
    assert (lease.view().step, lease.view().reason) == (LeaseStep.VERIFY_ONLY, Reason.LEASE_LOST)
    assert machine.start().reason is Reason.LEASE_LOST
    machine.books = None
    assert machine.start(used_before=True).reason is Reason.LEASE_LOST
    await machine.grant(machine.start())
    assert machine.start().step is LeaseStep.FULL


def test_old_lists_lower_what_is_allowed() -> None:
    """So do such as never came, which is said; lists whose age cannot be told lower nothing."""
    machine = Machine()
    old = machine.start(lists=Heeded(timedelta(days=8)))
    assert (old.step, old.reason) == (LeaseStep.VERIFY_ONLY, Reason.LEASE_LISTS)
    never = machine.start(lists=Heeded(timedelta.max, Reason.LEASE_LISTS_MISSING))
    assert never.view().step is LeaseStep.VERIFY_ONLY
    assert never.view().reason is Reason.LEASE_LISTS_MISSING
    assert machine.start(lists=Heeded(timedelta(days=6))).step is LeaseStep.FULL
    assert machine.start(lists=Heeded()).step is LeaseStep.FULL


async def test_what_is_not_believed() -> None:
    """Forged, of another box, an answer to another question, not newer: each with its reason."""
    machine = Machine()
    lease = machine.start()
    good = sign(NONCE, 5, policy=SMALL)
    await lease.take(good, NONCE)
    machine.work(30 * MINUTE)
    forged = SignedLease(sign(NONCE, 6).body, good.signature)
    for signed, nonce, reason in (
        (forged, NONCE, Reason.SIGNATURE_WRONG),
        (sign(NONCE, 6, box="site1/box2"), NONCE, Reason.NOT_FOR_THIS_BOX),
        (sign(NONCE, 6), bytes(16), Reason.NOT_ASKED),
        (sign(NONCE, 5), NONCE, Reason.LEASE_OLDER),
        (sign(NONCE, 4), NONCE, Reason.LEASE_OLDER),
    ):
        with pytest.raises(Refused) as refused:
            await lease.take(signed, nonce)
        assert refused.value.reason is reason
        assert lease.consumed.seconds == 1800
        assert lease.revision == 5


async def test_a_kept_lease_of_another_box_is_not_believed() -> None:
    """As after a copy of another box's file: nothing is known, so less is allowed."""
    machine = Machine()
    await machine.grant(machine.start())
    assert machine.books is not None
    other = sign(NONCE, 9, box="site1/box2")
    machine.books = msgspec.structs.replace(machine.books, lease=other)
    lease = machine.start()
    assert (lease.revision, lease.reason) == (0, Reason.LEASE_LOST)


async def test_without_centrals_key_nothing_is_believed() -> None:
    """A box that was never told whom to believe."""
    machine = Machine()
    lease = machine.start()
    lease._verify_key = None
    with pytest.raises(NotAuthentic):
        await lease.take(sign(NONCE), NONCE)


async def test_a_disk_that_takes_nothing_ends_nothing() -> None:
    """It is said, and counting goes on."""
    machine = Machine()
    lease = machine.start()
    await machine.grant(lease)
    machine.full = True
    for _ in range(101):
        step = await lease.charge(LeaseUse.SCAN)
    assert step is LeaseStep.VERIFY_ONLY
    machine.work(2 * MINUTE)
    await lease.keep_up()
    machine.full = False
    await lease.keep_up()
    assert machine.start().consumed.seconds >= 120
