"""Signing in at a counter: badge and PIN, locks that grow, going again; what records then say."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.counter.operators import (
    PIN_SECONDS,
    RESTING_SECONDS,
    Operators,
    is_like_badge,
)
from agent.counter.pin_locks import (
    FIRST_LOCK_SECONDS,
    FREE_TRIES,
    LONGEST_LOCK_SECONDS,
    PinLocks,
)
from agent.counter.policy import FixedPolicy
from agent.counter.views import OperatorView
from agent.settings.wrong_pins import keep_wrong_pins, load_wrong_pins
from shared.badges import badge_digest, new_badge
from shared.clock import ManualClock
from shared.desired import OperatorEntry
from shared.errors import Refused
from shared.messages import ScanAsk, ScanRecord
from shared.passwords import hash_password, verify_password
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.factories import STATIC_TEXT, accepted
from tests.fakes import NOON, noon_clock, seconds

BADGE, OTHER_BADGE, PIN = new_badge(), new_badge(), "2468"
CLERK = OperatorEntry("u7", "李护士", "clerk", badge_digest(BADGE), hash_password(PIN))
OTHER = replace(CLERK, id="u8", name="王护士", badge=badge_digest(OTHER_BADGE))
POLICY = FixedPolicy("window 3", "", "zh", True, 900, (CLERK, OTHER))


class Door:
    """Operators with the clock in hand; the PIN is compared plainly, so that tests are quick."""

    def __init__(self, policy: FixedPolicy = POLICY, path: Path | None = None) -> None:
        self.clock: ManualClock = noon_clock()
        self.told: list[OperatorView] = []
        self.checked = 0
        locks = None
        if path is not None:
            wrong, keep = load_wrong_pins(path), partial(keep_wrong_pins, path)
            locks = PinLocks(self.clock, wrong, keep)
        self.operators = Operators(policy, self.clock, self._verify, locks)
        self.operators.changes.subscribe(self.told.append)

    def _verify(self, pin: str, _: str) -> bool:
        self.checked += 1
        return pin == PIN

    async def fail(self, times: int, who: str = BADGE) -> Reason:
        """Wrong PINs; why the last was refused."""
        reason = None
        for _ in range(times):
            with pytest.raises(Refused) as caught:
                await self.operators.sign_in("wrong", who)
            reason = caught.value.reason
        assert reason is not None
        return reason


async def test_a_badge_and_its_pin_sign_in() -> None:
    """The badge asks for the PIN by name; the PIN is the real Argon2id one."""
    operators = Operators(POLICY, noon_clock(), verify_password)
    operators.take_badge(BADGE.lower() + "\r")
    assert operators.view().asked_for_pin == "李护士"
    assert operators.current() is None
    with pytest.raises(Refused):
        await operators.sign_in("1357")
    await operators.sign_in(PIN)
    view = operators.view()
    assert (view.id, view.name, view.asked_for_pin, view.advice) == ("u7", "李护士", "", None)


async def test_the_same_badge_signs_out_and_another_takes_over() -> None:
    """Who reads a badge again wants to go; a colleague's badge asks for the colleague's PIN."""
    door = Door()
    await door.operators.sign_in(PIN, BADGE)
    door.operators.take_badge(OTHER_BADGE)
    assert door.operators.view().asked_for_pin == "王护士"
    assert door.operators.current_id == "u7"
    await door.operators.sign_in(PIN)
    assert door.operators.current_id == "u8"
    door.clock.advance(seconds(RESTING_SECONDS))
    door.operators.take_badge(OTHER_BADGE)
    assert door.operators.current_id == ""
    assert [view.id for view in door.told] == ["u7", "u7", "u8", ""]


async def test_a_badge_left_on_the_scanner_signs_nobody_out() -> None:
    """It is read again and again, before and behind the PIN: that is one showing until it goes."""
    door = Door()
    for _ in range(4):
        door.operators.take_badge(BADGE)
        door.clock.advance(seconds(RESTING_SECONDS - 1))
    await door.operators.sign_in(PIN)
    for _ in range(4):
        door.operators.take_badge(BADGE)
        door.clock.advance(seconds(RESTING_SECONDS - 1))
    assert door.operators.current_id == "u7"
    door.clock.advance(seconds(RESTING_SECONDS))
    for _ in range(2):
        door.operators.take_badge(BADGE)
        assert (door.operators.current_id, door.operators.view().asked_for_pin) == ("", "")
    door.clock.advance(seconds(RESTING_SECONDS))
    door.operators.take_badge(BADGE)
    door.operators.cancel()
    door.operators.take_badge(BADGE)
    assert door.operators.view().asked_for_pin == "李护士"


async def test_a_restart_forgets_no_wrong_pin(tmp_path: Path) -> None:
    """Whoever pulls the plug waits again; a right PIN clears the file; a disk that is full keeps
    no clerk out."""
    path = tmp_path / "wrong-pins"
    await Door(path=path).fail(FREE_TRIES - 1)
    door = Door(path=path)
    await door.fail(1)
    door = Door(path=path)
    assert await door.fail(1) is Reason.SIGN_IN_LOCKED
    assert path.stat().st_mode & 0o077 == 0
    door.clock.advance(seconds(FIRST_LOCK_SECONDS))
    await door.operators.sign_in(PIN, BADGE)
    assert await Door(path=path).fail(FREE_TRIES) is Reason.SIGN_IN_WRONG
    path.write_bytes(b"{")
    path.chmod(0o600)
    door = Door(path=path)
    path.unlink()
    path.mkdir()
    assert await door.fail(1) is Reason.SIGN_IN_WRONG
    await door.operators.sign_in(PIN, BADGE)


async def test_who_came_and_went_is_logged_without_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By id: the journal tells who tried a PIN and who worked when."""
    caplog.set_level("INFO")
    door = Door()
    await door.fail(1)
    await door.operators.sign_in(PIN, BADGE)
    door.operators.sign_out()
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "operator u7: wrong PIN, 1 in a row",
        "operator u7 has signed in",
        "operator u7 has signed out",
    ]


async def test_who_does_nothing_is_signed_out() -> None:
    """Each act begins the time anew; the wall clock has no say."""
    door = Door()
    await door.operators.sign_in(PIN, "李护士")
    for _ in range(3):
        door.clock.advance(seconds(899))
        door.operators.act()
    door.clock.set_wall(NOON + seconds(90_000))
    assert door.operators.current_id == "u7"
    door.clock.advance(seconds(900))
    door.operators.act()
    assert door.operators.current_id == ""


async def test_a_badge_waits_for_its_pin_a_minute_only() -> None:
    """Whoever comes to the counter later is not asked for somebody else's PIN."""
    door = Door()
    door.operators.take_badge(BADGE)
    door.clock.advance(seconds(PIN_SECONDS))
    with pytest.raises(Refused) as caught:
        await door.operators.sign_in(PIN)
    assert caught.value.reason is Reason.SIGN_IN_NEEDED


async def test_wrong_pins_lock_one_operator_for_a_growing_time() -> None:
    """Locked, a right PIN is not even looked at; a colleague signs in meanwhile."""
    door = Door()
    assert await door.fail(FREE_TRIES) is Reason.SIGN_IN_WRONG
    assert await door.fail(1) is Reason.SIGN_IN_LOCKED
    with pytest.raises(Refused):
        await door.operators.sign_in(PIN, BADGE)
    assert door.checked == FREE_TRIES
    await door.operators.sign_in(PIN, OTHER_BADGE)
    for lock in (FIRST_LOCK_SECONDS, 2 * FIRST_LOCK_SECONDS, 4 * FIRST_LOCK_SECONDS):
        door.operators.take_badge(BADGE)
        assert door.operators.view().locked_seconds == lock
        door.clock.advance(seconds(lock))
        assert await door.fail(1) is Reason.SIGN_IN_WRONG
    for _ in range(40):
        door.clock.advance(seconds(LONGEST_LOCK_SECONDS))
        await door.fail(1)
    door.clock.advance(seconds(LONGEST_LOCK_SECONDS))
    await door.operators.sign_in(PIN, BADGE)
    assert await door.fail(FREE_TRIES) is Reason.SIGN_IN_WRONG


async def test_ten_thousand_tries_open_nothing() -> None:
    """Of strangers and of known ones; few are looked at, the rest refused at once."""
    door = Door()
    await door.fail(5_000)
    await door.fail(5_000, "nobody")
    assert door.checked == FREE_TRIES
    assert door.operators.current_id == ""


async def test_tries_at_the_same_time_do_not_pile_up() -> None:
    """One PIN is looked at at a time, a few wait, more are sent away: memory is bounded."""
    door = Door()
    tries = [door.operators.sign_in("wrong", BADGE) for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    reasons = [result.reason for result in results if isinstance(result, Refused)]
    assert reasons.count(Reason.TOO_MANY_REQUESTS) == 16
    assert reasons.count(Reason.SIGN_IN_WRONG) == 4


async def test_a_stranger_is_told_so() -> None:
    """An unknown badge, half a badge, a name that two have."""
    door = Door(FixedPolicy("", "", entries=(CLERK, replace(OTHER, name=CLERK.name))))
    for text in (new_badge(), BADGE[:15]):
        door.operators.take_badge(text)
        advice = door.operators.view().advice
        assert advice is not None
        assert advice.reason is Reason.BADGE_UNKNOWN
        door.operators.cancel()
    assert await door.fail(1, CLERK.name) is Reason.SIGN_IN_WRONG
    await door.operators.sign_in(PIN, CLERK.id)


async def test_issuing_needs_an_operator_where_that_is_set() -> None:
    """A technician mends devices and issues nothing; without the setting anybody may."""
    technician = FixedPolicy("", "", "zh", True, 900, (replace(CLERK, role="technician"),))
    for policy, reason in (
        (POLICY, Reason.OPERATOR_NEEDED),
        (technician, Reason.PERMISSION_MISSING),
    ):
        door = Door(policy)
        if policy is technician:
            await door.operators.sign_in(PIN, BADGE)
        with pytest.raises(Refused) as caught:
            door.operators.check_may_issue()
        assert caught.value.reason is reason
        assert not door.operators.may_see_names
    Door(FixedPolicy("", "")).operators.check_may_issue()


async def test_who_is_no_longer_in_the_list_is_out() -> None:
    """Central takes an operator away: the sign-in ends with the entry."""
    door = Door()
    await door.operators.sign_in(PIN, BADGE)
    door.operators._policy = FixedPolicy("", "", entries=(OTHER,))
    assert door.operators.current_id == ""


async def test_records_and_questions_carry_the_operator() -> None:
    """Whoever was signed in when the code was scanned, also when the answer takes its time."""
    desk = Desk(policy=POLICY)
    await desk.operators.sign_in(PIN, BADGE)
    scanning = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    assert isinstance(ask, ScanAsk)
    desk.operators.sign_out()
    desk.uplink.answer(accepted(ask.id, NOON))
    await scanning
    (record,) = desk.records
    assert isinstance(record, ScanRecord)
    assert ask.operator == record.origin.operator == "u7"


@pytest.mark.parametrize(
    ("frame", "like"),
    [
        (BADGE.encode(), True),
        (BADGE[:12].lower().encode(), True),
        (b"OCBADGE", False),
        (b"", False),
    ],
    ids=["whole", "half", "word", "nothing"],
)
def test_half_a_badge_is_kept_from_the_counter_too(frame: bytes, like: bool) -> None:
    """What looks like a badge is never a scan, a record or a text handed on."""
    assert is_like_badge(frame) is like
