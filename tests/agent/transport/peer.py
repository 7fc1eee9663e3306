"""The other end of a line, without sockets: it keeps what it hears and says what a test wants."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from agent.transport.line import Message
from shared.clock import to_microseconds
from shared.codec import asks, batches, receipts, replies
from shared.crypto import STD
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.ledger import hash_of
from shared.messages import Ask, Batch, Receipt, Reply, ScanReply, Settled, Verdict
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from shared.topics import RECEIPT, REPLY, STATUS, UP, build_topic, parse_topic
from tests.fakes import NOON

BOX = BoxId("site1", "box1")
PAIR_KEY = PairKey(bytes(range(32)))


class Published(NamedTuple):
    """A message as the broker got it."""

    payload: bytes
    qos: int
    retain: bool


class Peer:
    """Broker and central in one; a test decides what comes down, and when the line breaks."""

    def __init__(self) -> None:
        self.refuse_connections = False
        self.refuse_publishing = False
        self.refused = asyncio.Event()
        self.break_on_closing = False
        self.wills: list[bytes] = []
        self._published: dict[str, asyncio.Queue[Published]] = defaultdict(asyncio.Queue)
        self._down: asyncio.Queue[Message | None] = asyncio.Queue()

    @asynccontextmanager
    async def open_connection(self, will: bytes) -> AsyncIterator["Peer"]:
        """What the box's line calls."""
        self.wills.append(will)
        if self.refuse_connections:
            raise Unavailable(Reason.BROKER_UNAVAILABLE, "refused")
        self._down = asyncio.Queue()
        try:
            yield self
        finally:
            if self.break_on_closing:
                raise Unavailable(Reason.BROKER_UNAVAILABLE, "lost while closing")

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        if self.refuse_publishing:
            self.refused.set()
            raise Unavailable(Reason.BROKER_UNAVAILABLE, "broken pipe")
        self._published[parse_topic(topic).kind].put_nowait(Published(payload, qos, retain))

    async def messages(self) -> AsyncIterator[Message]:
        while message := await self._down.get():
            yield message
        raise Unavailable(Reason.BROKER_UNAVAILABLE, "lost")

    def cut(self) -> None:
        """Break the connection."""
        self._down.put_nowait(None)

    async def heard(self, kind: str) -> Published:
        """The next message that the box published under this tail."""
        return await self._published[kind].get()

    async def heard_status(self) -> Published:
        return await self.heard(STATUS)

    async def heard_ask(self, kind: str) -> Ask:
        """The next ask, opened as central would."""
        payload = (await self.heard(kind)).payload
        return asks.decode(PAIR_KEY.open(Direction.UP, BOX, kind, payload))

    async def heard_batch(self) -> Batch:
        return batches.decode((await self.heard(UP)).payload)

    def nothing_heard(self, kind: str) -> bool:
        return self._published[kind].empty()

    def send(self, kind: str, payload: bytes, box: BoxId = BOX) -> None:
        """Send any bytes down."""
        self._down.put_nowait(Message(build_topic(box, kind), payload))

    def reply(self, reply: Reply, key: PairKey = PAIR_KEY) -> None:
        plaintext = replies.encode(reply)
        self.send(REPLY, key.seal(Direction.DOWN, BOX, REPLY, plaintext))

    def receipt(
        self, batch: Batch, only: Sequence[int] | None = None, key: PairKey = PAIR_KEY
    ) -> None:
        """Give a receipt for a batch, or for the rows of it at these sequences."""
        rows = tuple(
            Settled(row.seq, hash_of(STD, row))
            for row in batch.rows
            if only is None or row.seq in only
        )
        plaintext = receipts.encode(Receipt(str(BOX), batch.head.epoch, rows))
        self.send(RECEIPT, key.seal(Direction.DOWN, BOX, RECEIPT, plaintext))


def accepted(ask: Ask) -> ScanReply:
    """Central's time is noon, whatever the box's clock says."""
    return ScanReply(
        id=ask.id,
        central_at=to_microseconds(NOON),
        verdict=Verdict.ACCEPTED,
        reason=None,
        identity=None,
    )
