"""Statuses and reports of many boxes on their way into the database, and who is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from central.feed import BoxChanged, Feed, FeedEvent
from central.presence.mailbox import Mailbox
from central.storage.writer import Writer
from shared.clock import ManualClock
from shared.codec import statuses
from shared.desired import Reported
from shared.ids import BoxId
from shared.messages import Status
from shared.topics import REPORTED, STATUS
from tests.central.ingest.boxes import add_box
from tests.central.ingest.centre import AT, Centre
from tests.central.presence.test_service import report, sealed

PATIENCE_SECONDS = 20.0
ONLINE = statuses.encode(Status(online=True, since=0))


class Ear:
    """Hears the feed and the kept reports."""

    def __init__(self) -> None:
        self.told: list[FeedEvent] = []
        self.reports: list[Reported] = []
        self._came = asyncio.Event()

    def hear(self, event: FeedEvent) -> None:
        self.told.append(event)
        self._came.set()

    async def heard(self, count: int) -> list[FeedEvent]:
        """The first events, once there are so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.told) < count:
                self._came.clear()
                await self._came.wait()
        return self.told


@asynccontextmanager
async def open_mailbox(centre: Centre, ear: Ear) -> AsyncIterator[Mailbox]:
    """A mailbox that is emptied while the block lasts."""
    feed = Feed()
    feed.subscribe(ear.hear)
    async with Writer(centre.database) as writer:
        mailbox = Mailbox(centre.presence, writer, feed, ManualClock(AT), ear.reports.append)
        running = asyncio.create_task(mailbox.run())
        yield mailbox
        running.cancel()
        await asyncio.wait((running,))


async def test_many_boxes_come_back_together(centre: Centre) -> None:
    """Each is told once and read in one statement."""
    boxes = [BoxId(f"site{number % 7}", f"box{number}") for number in range(300)]
    with centre.database.unit():
        for box in boxes:
            add_box(centre, box)
    ear = Ear()
    async with open_mailbox(centre, ear) as mailbox:
        for box in boxes:
            mailbox.put(box, STATUS, ONLINE)
            mailbox.put(box, REPORTED, sealed(centre, report(box)))
        told = await ear.heard(600)
    assert {event.box for event in told if isinstance(event, BoxChanged)} == set(boxes)
    lives = centre.presence.list()
    assert len(lives) == 300
    assert all(live.online and live.unsent == 2 for live in lives)
    assert len(ear.reports) == 300


async def test_the_last_of_several_counts_and_rubbish_hinders_nobody(centre: Centre) -> None:
    """A box that speaks faster than central keeps costs one write; a forger, or a box
    whose numbers no database holds, costs nothing."""
    box, other, third = (BoxId("site1", f"box{number}") for number in (1, 2, 3))
    for id in (box, other, third):
        add_box(centre, id)
    ear = Ear()
    async with open_mailbox(centre, ear) as mailbox:
        for created in range(5, 9):
            mailbox.put(box, REPORTED, sealed(centre, report(box, created)))
        mailbox.put(other, REPORTED, sealed(centre, report(other, (1 << 64) - 1)))
        mailbox.put(third, REPORTED, bytes(99))
        mailbox.put(BoxId("site9", "box9"), STATUS, ONLINE)
        mailbox.put(other, STATUS, ONLINE)
        told = await ear.heard(2)
    assert told == [BoxChanged(box), BoxChanged(other)]
    assert [said.created for said in ear.reports] == [8]
