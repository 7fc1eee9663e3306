"""Notices from central to a box over a real broker: repeated until they are on the box's disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from agent.cache.notices import SealedNotices
from agent.config import BoxFiles
from agent.notices.service import Notices
from agent.transport.downlink import CommandCame
from shared.clock import SystemClock
from shared.errors import NotAuthentic
from shared.ids import BoxId
from shared.notices import (
    Command,
    Notice,
    NoticeKind,
    acknowledge,
    acknowledgements,
    commands,
    new_notice,
)
from shared.pairing import Direction, PairKey
from shared.topics import ASK_NOTICED
from tests.central.ingest.wire import PATIENCE_SECONDS, Box, Wire, running_box, serving

BOX, OTHER = BoxId("site1", "box1"), BoxId("site1", "box2")


def post(wire: Wire, text: str, box: BoxId = BOX) -> Notice:
    """Post by a connection that is not the server's, as a command line would."""
    notice = new_notice(NoticeKind.CASE_OPENED, datetime.now(UTC), zh="立案", en=text)
    with wire.centre.database.unit():
        wire.centre.notices.post(box, notice)
    return notice


async def acknowledged(wire: Wire) -> None:
    """Return once no box is owed anything."""
    changed = asyncio.Event()
    undo = wire.centre.feed.subscribe(lambda _: changed.set())
    while wire.centre.notices.list_boxes_waiting():
        await changed.wait()
        changed.clear()
    undo()


@asynccontextmanager
async def counter(files: BoxFiles) -> AsyncIterator[tuple[Box, Notices]]:
    """A box that takes its notices while the block lasts."""
    async with running_box(files) as box:
        shelf = SealedNotices(files.notices, files.cache_key)
        notices = Notices(box.config.box_id, SystemClock(), shelf, box.uplink)
        await notices.load()

        async def listen() -> None:
            while True:
                await notices.take((await box.told(CommandCame)).plaintext)

        task = asyncio.create_task(listen())
        try:
            yield box, notices
        finally:
            task.cancel()
            await asyncio.wait((task,))


def texts(notices: Notices) -> list[str]:
    away = notices.view()
    return [notice.en for notice in away.notices] if away else []


async def test_a_notice_waits_for_a_box_that_is_away(wire: Wire) -> None:
    """Posted while the box is off, it comes when the box does; what follows comes at once."""
    files = wire.add_box(BOX)
    post(wire, "while away")
    async with asyncio.timeout(PATIENCE_SECONDS), serving(wire.centre):
        async with counter(files) as (_, notices):
            await acknowledged(wire)
            assert texts(notices) == ["while away"]
            post(wire, "while there")
            await acknowledged(wire)
        async with counter(files) as (_, again):
            assert texts(again) == ["while away", "while there"]


async def test_many_notices_come_whole_and_once(wire: Wire) -> None:
    """More than one message holds: each twenty follow the acknowledgement of those before."""
    files = wire.add_box(BOX)
    sent = sorted((post(wire, str(number)) for number in range(50)), key=lambda each: each.id)
    async with asyncio.timeout(PATIENCE_SECONDS), serving(wire.centre), counter(files) as (_, here):
        await acknowledged(wire)
        assert len(texts(here)) < len(sent)  # a page shows the oldest first
        assert await SealedNotices(files.notices, files.cache_key).load() == sent


async def test_a_box_acknowledges_its_own_notices_only(wire: Wire) -> None:
    """What names another box's notice, or speaks for another box, changes nothing."""
    wire.add_box(BOX)
    notice = post(wire, "for box 1")
    other = wire.add_box(OTHER)
    async with asyncio.timeout(PATIENCE_SECONDS), serving(wire.centre), running_box(other) as box:
        await box.uplink.wait_up()
        for named in (OTHER, BOX):
            noticed = acknowledge(str(named), [notice])
            await box.uplink.acknowledge(acknowledgements.encode(noticed))
        mine = post(wire, "for box 2", OTHER)
        command = commands.decode((await box.told(CommandCame)).plaintext)
        assert command == Command(str(OTHER), (mine,))
    assert wire.centre.notices.list_waiting(BOX) == [notice]


def test_a_forged_acknowledgement_is_refused(wire: Wire) -> None:
    """Only what the box itself sealed counts."""
    wire.add_box(BOX)
    notice = post(wire, "for box 1")
    plaintext = acknowledgements.encode(acknowledge(str(BOX), [notice]))
    forged = PairKey(bytes(32)).seal(Direction.UP, BOX, ASK_NOTICED, plaintext)
    with pytest.raises(NotAuthentic), wire.centre.database.unit():
        wire.centre.notices.take_acknowledgement(BOX, forged, datetime.now(UTC))


async def test_a_notice_is_repeated_until_it_is_acknowledged(wire: Wire) -> None:
    """A box that heard it and did not say so hears it again, with no event in between."""
    files = wire.add_box(BOX)
    post(wire, "again")
    async with asyncio.timeout(PATIENCE_SECONDS), serving(wire.centre), running_box(files) as box:
        first, second = await box.told(CommandCame), await box.told(CommandCame)
        assert first.plaintext == second.plaintext


async def test_a_box_that_never_was_is_told_nothing(wire: Wire) -> None:
    """Evidence may name a box that was never here: no row waits for it."""
    post(wire, "nobody")
    assert wire.centre.notices.list_boxes_waiting() == []
