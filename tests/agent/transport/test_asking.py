"""Questions to central: answered by id, in time or late, and only by who holds the pair key."""

import asyncio
from datetime import timedelta

import pytest

from agent.transport.downlink import Discarded, LateReply
from agent.transport.edges import Edge
from shared.clock import ClockOffset
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from shared.topics import ASK_SCAN, RECEIPT, REPLY
from tests.agent.transport.conftest import Station
from tests.agent.transport.peer import BOX, PAIR_KEY, accepted
from tests.fakes import NOON

LONG = 10.0


async def test_two_asks_answered_in_reverse_get_their_own(running: Station) -> None:
    """Answers are matched by id, not by order."""
    first, second = running.scan_ask(), running.scan_ask()
    one = asyncio.create_task(running.uplink.ask(first, LONG))
    assert await running.peer.heard_ask(ASK_SCAN) == first
    two = asyncio.create_task(running.uplink.ask(second, LONG))
    assert await running.peer.heard_ask(ASK_SCAN) == second
    running.peer.reply(accepted(second))
    assert await two == accepted(second)
    running.peer.reply(accepted(first))
    assert await one == accepted(first)
    assert running.edges == [Edge.ASK_SENT] * 2 + [Edge.REPLY_RECEIVED] * 2


async def test_an_answer_tells_centrals_clock(running: Station) -> None:
    """The offset is central's time against the middle of the trip; half the trip is the doubt."""
    assert running.uplink.clock_offset is None
    running.clock.advance(timedelta(seconds=-3600))
    asking = asyncio.create_task(running.uplink.ask(running.scan_ask(), LONG))
    ask = await running.peer.heard_ask(ASK_SCAN)
    running.clock.advance(timedelta(seconds=2))
    running.peer.reply(accepted(ask))
    await asking
    assert running.uplink.clock_offset == ClockOffset(3_599_000, 1000)


async def test_centrals_clock_is_known_through_a_jump_of_our_own(running: Station) -> None:
    """Offline, the wall clock is set back an hour: central's time goes on with the monotonic
    clock, and a day of that is in doubt by some seconds."""
    asking = asyncio.create_task(running.uplink.ask(running.scan_ask(), LONG))
    running.peer.reply(accepted(await running.peer.heard_ask(ASK_SCAN)))
    await asking
    assert running.uplink.clock_offset == ClockOffset(0, 1)
    running.clock.advance(timedelta(days=1))
    running.clock.set_wall(NOON + timedelta(hours=23))
    assert running.uplink.clock_offset == ClockOffset(3_600_000, 8641)


async def test_without_a_line_nothing_is_sent(station: Station) -> None:
    """LINK_DOWN comes at once: the counter need not wait to know that it is alone."""
    with pytest.raises(Unavailable) as error:
        await station.uplink.ask(station.scan_ask(), LONG)
    assert error.value.reason is Reason.LINK_DOWN
    assert station.peer.nothing_heard(ASK_SCAN)


async def test_an_answer_after_the_deadline_is_an_event(running: Station) -> None:
    """NO_ANSWER at the deadline; what comes later is told once, as late."""
    ask = running.scan_ask()
    with pytest.raises(Unavailable) as error:
        await running.uplink.ask(ask, 0.01)
    assert error.value.reason is Reason.NO_ANSWER
    running.peer.reply(accepted(ask))
    late = await running.told(LateReply)
    assert (late.id.bytes, late.reply) == (ask.id, accepted(ask))
    assert running.uplink.clock_offset is None
    running.peer.reply(accepted(ask))
    assert await running.told(Discarded) == Discarded(REPLY, Reason.NOT_ASKED)


async def test_an_answer_at_the_very_deadline_counts(running: Station) -> None:
    """It was taken as one in time, so nobody would ever tell it as late: it may not be dropped."""
    ask = running.scan_ask()
    asking = asyncio.create_task(running.uplink.ask(ask, 0))
    running.peer.reply(accepted(ask))
    assert await asking == accepted(ask)


async def test_a_lost_line_ends_the_waiting(running: Station) -> None:
    """An ask under way when the line breaks has no answer, long before its deadline."""
    asking = asyncio.create_task(running.uplink.ask(running.scan_ask(), 3600))
    await running.peer.heard_ask(ASK_SCAN)
    running.peer.cut()
    with pytest.raises(Unavailable) as error:
        await asking
    assert error.value.reason is Reason.NO_ANSWER


async def test_an_ask_that_breaks_on_the_way_has_no_answer(running: Station) -> None:
    """Part of it may have left: that is not LINK_DOWN, where nothing has."""
    running.peer.refuse_publishing = True
    with pytest.raises(Unavailable) as error:
        await running.uplink.ask(running.scan_ask(), LONG)
    assert error.value.reason is Reason.NO_ANSWER


async def test_a_forged_reply_changes_nothing(running: Station) -> None:
    """Another key, direction or kind, noise: dropped; the true answer still counts."""
    ask = running.scan_ask()
    asking = asyncio.create_task(running.uplink.ask(ask, LONG))
    await running.peer.heard_ask(ASK_SCAN)
    running.peer.reply(accepted(ask), key=PairKey(bytes(32)))
    for direction, box, kind in (
        (Direction.UP, BOX, REPLY),
        (Direction.DOWN, BoxId("site1", "box2"), REPLY),
        (Direction.DOWN, BOX, RECEIPT),
    ):
        running.peer.send(REPLY, PAIR_KEY.seal(direction, box, kind, b"x"))
    for _ in range(4):
        assert await running.told(Discarded) == Discarded(REPLY, Reason.SEAL_BROKEN)
    for noise in (b"", b"\x01", PAIR_KEY.seal(Direction.DOWN, BOX, REPLY, b"not a reply")):
        running.peer.send(REPLY, noise)
        assert await running.told(Discarded) == Discarded(REPLY, Reason.MESSAGE_MALFORMED)
    assert not asking.done()
    running.peer.reply(accepted(ask))
    assert await asking == accepted(ask)
    assert running.uplink.discarded == {Reason.SEAL_BROKEN: 4, Reason.MESSAGE_MALFORMED: 3}


async def test_what_is_not_for_this_box_is_passed_over(running: Station) -> None:
    """Another box's topic, and kinds that nobody here takes yet, disturb nothing."""
    running.peer.send(REPLY, b"x", box=BoxId("site1", "box2"))
    running.peer.send("down/what-comes-later", b"x")
    running.peer.send(REPLY, b"")
    assert await running.told(Discarded) == Discarded(REPLY, Reason.MESSAGE_MALFORMED)
    assert running.uplink.discarded.total() == 1
