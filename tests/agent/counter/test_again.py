"""The same code shown again: within the window, after a restart, with a clock set back."""

import asyncio

import pytest

from shared.ledger import Lane
from shared.messages import (
    RepeatRecord,
    ScanRecord,
    Verdict,
)
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.factories import (
    DOMAIN_KEY,
    IDENTITY,
    STATIC_TEXT,
    accepted,
    signed_dynamic_text,
)
from tests.fakes import NOON, seconds


async def test_a_second_read_within_the_window_is_again() -> None:
    """One record counts it; nothing is asked and nothing used up."""
    desk = Desk()
    text = signed_dynamic_text(DOMAIN_KEY, NOON)
    scan = desk.begin(text)
    desk.uplink.answer(accepted((await desk.uplink.asked(1)).id, NOON))
    first = await scan
    desk.clock.advance(seconds(9))
    again = await desk.scan(text)
    assert (again.again, again.verdict, again.identity) == (True, first.verdict, IDENTITY)
    assert len(desk.uplink.asks) == 1
    record = desk.records[-1]
    assert isinstance(record, RepeatRecord)
    assert record.first.hex() == first.id
    assert desk.outbox.drafts[-1].consumed is None


async def test_a_second_read_while_the_first_is_asked_waits_for_its_verdict() -> None:
    """A phone resting on the pad: one question."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    second = desk.begin(STATIC_TEXT)
    await asyncio.wait([second], timeout=0)
    desk.uplink.answer(accepted(ask.id, NOON))
    assert (await scan).verdict is Verdict.ACCEPTED
    view = await second
    assert view.again
    assert desk.display.main == view
    assert len(desk.uplink.asks) == 1


async def test_after_the_window_a_static_code_is_asked_anew() -> None:
    """The window is measured from the first read."""
    desk = Desk()
    desk.uplink.up = False
    await desk.scan(STATIC_TEXT)
    desk.clock.advance(seconds(10))
    view = await desk.scan(STATIC_TEXT)
    assert not view.again
    assert isinstance(desk.records[-1], ScanRecord)


async def test_a_dynamic_code_used_online_is_refused_offline_at_the_same_box() -> None:
    """The box looks at its own consumptions first; central is not even asked."""
    desk = Desk()
    text = signed_dynamic_text(DOMAIN_KEY, NOON, ttl_seconds=200)
    scan = desk.begin(text)
    desk.uplink.answer(accepted((await desk.uplink.asked(1)).id, NOON))
    await scan
    assert desk.outbox.drafts[-1].record.lane is Lane.IDENTITY
    desk.clock.advance(seconds(11))
    desk.uplink.up = False
    view = await desk.scan(text)
    assert view.verdict is Verdict.REFUSED
    assert view.advice is not None
    assert view.advice.reason is Reason.CODE_USED
    assert len(desk.uplink.asks) == 1


async def test_a_restart_within_the_window_does_not_turn_again_into_used() -> None:
    """Committed, then killed before the light: the patient who shows the code again is let in."""
    desk = Desk()
    text = signed_dynamic_text(DOMAIN_KEY, NOON)
    scan = desk.begin(text)
    desk.uplink.answer(accepted((await desk.uplink.asked(1)).id, NOON))
    first = await scan
    desk.restart()
    desk.clock.advance(seconds(4))
    view = await desk.scan(text)
    assert (view.again, view.verdict, view.identity) == (True, Verdict.ACCEPTED, IDENTITY)
    record = desk.records[-1]
    assert isinstance(record, RepeatRecord)
    assert record.first.hex() == first.id
    desk.clock.advance(seconds(10))
    assert (await desk.scan(text)).verdict is Verdict.REFUSED


async def test_a_clock_set_back_makes_no_used_code_good_again() -> None:
    """An hour after its use the wall clock says it was a moment ago: used stays used."""
    desk = Desk()
    text = signed_dynamic_text(DOMAIN_KEY, NOON)
    scan = desk.begin(text)
    desk.uplink.answer(accepted((await desk.uplink.asked(1)).id, NOON))
    await scan
    desk.clock.advance(seconds(3600))
    desk.clock.set_wall(NOON + seconds(1))
    view = await desk.scan(text)
    assert (view.again, view.verdict) == (False, Verdict.REFUSED)
    assert view.advice is not None
    assert view.advice.reason is Reason.CODE_USED


@pytest.mark.parametrize("online", [True, False])
async def test_a_verdict_repeated_after_a_restart_says_whose_it_is_and_why(online: bool) -> None:
    """Only central accepts; a provisional verdict never stands without what it allows."""
    desk = Desk()
    text = signed_dynamic_text(DOMAIN_KEY, NOON)
    desk.uplink.up = online
    scan = desk.begin(text)
    if online:
        desk.uplink.answer(accepted((await desk.uplink.asked(1)).id, NOON))
    first = await scan
    desk.restart()
    view = await desk.scan(text)
    assert (view.again, view.verdict, view.decided_by) == (True, first.verdict, first.decided_by)
    assert (view.advice is None) == (first.advice is None)


async def test_a_second_read_that_is_given_up_leaves_the_first_alone() -> None:
    """Whoever asked for it has gone; the scan that all wait for goes on."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    gone, patient = desk.begin(STATIC_TEXT), desk.begin(STATIC_TEXT)
    await asyncio.wait([gone], timeout=0)
    gone.cancel()
    await asyncio.wait([gone])
    desk.uplink.answer(accepted(ask.id, NOON))
    assert (await scan).verdict is Verdict.ACCEPTED
    assert (await patient).again
