"""A box that floods central waits for itself: others are served as if it were not there."""

import asyncio

from central.ingest.mqtt import Message
from central.ingest.turns import Share, Turns
from shared.ids import BoxId
from shared.topics import ASK_SCAN, UP, build_topic

FEW = Share(at_once=2, waiting=3, waiting_bytes=100)
LOUD, QUIET = BoxId("site1", "loud"), BoxId("site1", "quiet")


class Desk:
    """Works on messages as slowly as the test wants."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.dropped: list[bytes] = []
        self.go_on = asyncio.Event()

    async def handle(self, message: Message) -> None:
        self.begun.append(message.payload)
        await self.go_on.wait()

    def drop(self, message: Message) -> None:
        self.dropped.append(message.payload)


async def put(turns: Turns, box: BoxId, kind: str, *payloads: bytes) -> None:
    """Messages, and a turn of the loop for the work on them to begin."""
    for payload in payloads:
        await turns.put(Message(build_topic(box, kind), payload))
    await asyncio.sleep(0)


async def test_others_do_not_wait_for_a_flood() -> None:
    """Two are worked on, three wait, the rest is dropped; another box, and the same box's rows,
    are begun at once; what waits comes in its order."""
    desk = Desk()
    async with asyncio.TaskGroup() as group:
        turns = Turns(group, desk.handle, desk.drop, FEW, FEW)
        await put(turns, LOUD, ASK_SCAN, *(b"%d" % number for number in range(9)))
        assert desk.begun == [b"0", b"1"]
        assert desk.dropped == [b"5", b"6", b"7", b"8"]
        await put(turns, QUIET, ASK_SCAN, b"quiet")
        await put(turns, LOUD, UP, b"rows")
        assert desk.begun == [b"0", b"1", b"quiet", b"rows"]
        desk.go_on.set()
    assert desk.begun[4:] == [b"2", b"3", b"4"]


async def test_what_waits_is_bounded_in_bytes() -> None:
    """Three long messages are more than a box may have waiting."""
    desk = Desk()
    async with asyncio.TaskGroup() as group:
        turns = Turns(group, desk.handle, desk.drop, FEW, FEW)
        await put(turns, LOUD, UP, b"a", b"b", b"c" * 60, b"d" * 60, b"e" * 40)
        assert desk.dropped == [b"d" * 60]
        desk.go_on.set()
    assert desk.begun[2:] == [b"c" * 60, b"e" * 40]


async def test_a_box_that_was_served_is_forgotten() -> None:
    """And may begin anew."""
    desk = Desk()
    desk.go_on.set()
    async with asyncio.TaskGroup() as group:
        turns = Turns(group, desk.handle, desk.drop, FEW, FEW)
        for _ in range(5):
            await put(turns, LOUD, ASK_SCAN, b"1", b"2")
    assert len(desk.begun) == 10
    assert not desk.dropped
