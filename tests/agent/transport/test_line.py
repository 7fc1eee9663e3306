"""The line's states, its presence on the broker, and its way back after a loss."""

import asyncio
import logging
import subprocess
import sys
from datetime import timedelta

import pytest

from agent.transport.downlink import LinkChanged
from agent.transport.link_states import LINK_STEPS, Link, LinkState
from shared.codec import statuses
from shared.reasons import Reason
from tests.agent.transport.conftest import PATIENCE_SECONDS, Station
from tests.fakes import NOON


async def next_states(station: Station, count: int) -> list[LinkState]:
    return [(await station.told(LinkChanged)).state for _ in range(count)]


async def test_the_line_goes_up_and_comes_back(running: Station) -> None:
    """Each state is told with its time; a loss leads through backing off to up again."""
    assert await next_states(running, 2) == [LinkState.CONNECTING, LinkState.UP]
    running.clock.advance(timedelta(seconds=5))
    running.peer.cut()
    assert await running.told(LinkChanged) == LinkChanged(
        LinkState.BACKING_OFF, NOON + timedelta(seconds=5)
    )
    assert await next_states(running, 2) == [LinkState.CONNECTING, LinkState.UP]
    assert running.uplink.link == Link(LinkState.UP, NOON + timedelta(seconds=5))


async def test_the_line_is_opened_anew(running: Station) -> None:
    """Asked to, it says offline, goes, and comes back by itself; that is no failure."""
    assert await next_states(running, 2) == [LinkState.CONNECTING, LinkState.UP]
    online = [statuses.decode((await running.peer.heard_status()).payload).online]
    running.uplink.open_anew()
    assert await next_states(running, 3) == [
        LinkState.BACKING_OFF,
        LinkState.CONNECTING,
        LinkState.UP,
    ]
    online += [statuses.decode((await running.peer.heard_status()).payload).online for _ in "ab"]
    assert online == [True, False, True]


async def test_a_broker_away_is_tried_for_ever(
    station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    """The first failure is a warning, its repeats are not; the line goes up once it can."""
    station.peer.refuse_connections = True
    caplog.set_level(logging.DEBUG, logger="agent.transport.line")
    line = asyncio.create_task(station.uplink.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        states = await next_states(station, 6)
        assert states == [LinkState.CONNECTING, LinkState.BACKING_OFF] * 3
        levels = [record.levelno for record in caplog.records]
        assert levels[:3] == [logging.WARNING, logging.DEBUG, logging.DEBUG]
        assert station.uplink.trouble is Reason.BROKER_UNAVAILABLE
        station.peer.refuse_connections = False
        await station.uplink.wait_up()
    line.cancel()
    await asyncio.wait((line,))
    assert station.uplink.link.state is LinkState.DOWN


async def test_presence_is_retained(running: Station) -> None:
    """Online once it is up; offline by the will, and said so when stopping."""
    online = await running.peer.heard_status()
    assert (statuses.decode(online.payload).online, online.qos, online.retain) == (True, 1, True)
    assert not statuses.decode(running.peer.wills[0]).online


async def test_stopping_says_offline(station: Station) -> None:
    """An orderly end discards the will, so the box says it itself."""
    line = asyncio.create_task(station.uplink.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await station.uplink.wait_up()
        await station.peer.heard_status()
        line.cancel()
        goodbye = await station.peer.heard_status()
    assert not statuses.decode(goodbye.payload).online
    assert goodbye.retain
    await asyncio.wait((line,))


async def test_stopping_ends_although_the_connection_breaks_meanwhile(station: Station) -> None:
    """The loss must not hide the order to stop: the line would connect again, for ever."""
    line = asyncio.create_task(station.uplink.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await station.uplink.wait_up()
        station.peer.break_on_closing = True
        line.cancel()
        await asyncio.wait((line,))
    assert line.cancelled()
    assert station.uplink.link.state is LinkState.DOWN


def test_the_table_knows_every_state() -> None:
    """Each state has its row, each can stop, and a step outside the table is a bug."""
    assert set(LINK_STEPS) == set(LinkState)
    for state, following in LINK_STEPS.items():
        assert state is LinkState.DOWN or LinkState.DOWN in following
        for forbidden in set(LinkState) - following:
            with pytest.raises(ValueError, match="cannot go"):
                Link(state, NOON).step(forbidden, NOON)


def test_the_library_is_imported_with_the_first_connection() -> None:
    """Ready to scan does not wait for the MQTT library."""
    program = "import sys, agent.transport.uplink; print('aiomqtt' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False\n"
