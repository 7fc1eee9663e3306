"""The box's side of the line: questions with deadlines, the queue's drain, events for the rest.

Implements ``agent.ports.Uplink``. Nothing that arrives is believed unless it opens with the pair
key; what does not is dropped, counted by reason, and told as ``Discarded``.

QoS: asks go at most once (0), because an answer after the deadline is worth no second delivery
and the record follows anyway; batches at least once (1), for the broker's flow control alone.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from agent.config import BoxConfig, BoxFiles
from agent.ports import Custody
from agent.transport.anchoring import Anchoring
from agent.transport.asks import Asks
from agent.transport.box_keys import BoxKeys
from agent.transport.downlink import (
    CommandCame,
    DesiredCame,
    Discarded,
    Downlink,
    LinkChanged,
    ListHeadCame,
    RowsSettled,
)
from agent.transport.drain import Drain
from agent.transport.edges import Edge, Observe, ignore
from agent.transport.line import LISTED, Line, OpenConnection
from agent.transport.link_states import Link, LinkState
from agent.transport.mqtt import open_connection
from shared.clock import Clock, ClockOffset
from shared.codec import receipts
from shared.config import read_secret
from shared.crypto import STD
from shared.errors import Refused, Unavailable
from shared.messages import Ask, ListAsk, Reply
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from shared.topics import ANCHOR, ASK_NOTICED, COMMAND, DESIRED, RECEIPT, REPLY, REPORTED

_log = logging.getLogger(__name__)

RECEIPT_SECONDS = 2.0
GATHER_SECONDS = 0.5
RETRY_SECONDS = 0.5
SPREAD_SECONDS = 4.0


class CentralUplink:
    """The line to central; works while ``run`` runs."""

    def __init__(  # noqa: PLR0913 - a composition: as whom, what, by which clock and line
        self,
        keys: BoxKeys,
        custody: Custody,
        clock: Clock,
        open_connection: OpenConnection,
        *,
        observe: Observe = ignore,
        receipt_seconds: float = RECEIPT_SECONDS,
        gather_seconds: float = GATHER_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
        spread_seconds: float = SPREAD_SECONDS,
        known_offset: Callable[[], ClockOffset | None] = lambda: None,
    ) -> None:
        """``known_offset``: what was known of central's clock before this process asked."""
        self.downlink = Downlink()
        self.discarded: Counter[Reason] = Counter()
        self._keys = keys
        self._observe = observe
        self._known_offset = known_offset
        self._asks = Asks(keys.box, keys.pair_key, clock)
        self._line = Line(
            keys.box,
            clock,
            open_connection,
            self._receive,
            self._changed,
            retry_seconds=retry_seconds,
        )
        self._custody = custody
        self._anchoring = Anchoring(keys, custody)
        self._drain = Drain(
            keys=keys,
            custody=custody,
            line=self._line,
            downlink=self.downlink,
            observe=observe,
            receipt_seconds=receipt_seconds,
            gather_seconds=gather_seconds,
            spread_seconds=spread_seconds,
        )

    @property
    def link(self) -> Link:
        """Where the line stands, and since when."""
        return self._line.link

    @property
    def link_since(self) -> datetime:
        """When the line went to the state it is in."""
        return self._line.link.since

    @property
    def trouble(self) -> Reason | None:
        """Why there is no line, where that is known."""
        return self._line.trouble

    @property
    def is_up(self) -> bool:
        """Whether a question would leave the box now."""
        return self._line.is_up

    @property
    def measured_offset(self) -> ClockOffset | None:
        """What the last answer in time told of central's clock; None before the first."""
        return self._asks.clock_offset

    @property
    def clock_offset(self) -> ClockOffset | None:
        """The same, or what was known before; None where central has never said the time."""
        return self._asks.clock_offset or self._known_offset()

    async def run(self) -> None:
        """Keep the line and drain the queue until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._line.run(), name="line")
            group.create_task(self._drain.run(), name="drain")
            group.create_task(self._anchoring.run(), name="anchoring")

    async def wait_up(self) -> None:
        """Return once the line is up."""
        await self._line.wait_up()

    def open_anew(self) -> None:
        """Connect again, with the certificate that now lies there."""
        self._line.open_anew()

    async def wait_moving(self) -> None:
        """Return unless the line hangs."""
        await self._line.wait_moving()

    async def wait_drained(self) -> None:
        """Drain at once until nothing is pending; give it a time limit.

        Raises Unavailable, Damaged.
        """
        await self._drain.wait_drained()

    async def take_receipt(self, sealed: bytes) -> int:
        """A receipt that came by hand instead of the line; how many rows it settled.

        Raises NotAuthentic, Malformed, Refused (NOT_FOR_THIS_BOX), Unavailable, Damaged.
        """
        receipt = receipts.decode(self._open(RECEIPT, sealed))
        if receipt.box != str(self._keys.box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        settled = await self._custody.settle(receipt.epoch, receipt.rows)
        if settled:
            self.downlink.post(RowsSettled(settled))
        return settled

    async def ask(self, ask: Ask, deadline_seconds: float) -> Reply:
        """Raises Unavailable: LINK_DOWN at once (nothing was sent), NO_ANSWER after the deadline
        or when the line is lost meanwhile. An answer after that is a ``LateReply``.
        """
        if not self._line.is_up:
            raise Unavailable(Reason.LINK_DOWN)
        sealed = self._asks.seal(ask)
        observe = ignore if isinstance(ask, ListAsk) else self._observe  # nobody waits at a counter
        with self._asks.waiting(ask.id) as answer:
            try:
                async with asyncio.timeout(deadline_seconds):
                    await self._line.publish(sealed.kind, sealed.payload, qos=0)
                    observe(Edge.ASK_SENT)
                    reply = await answer
                observe(Edge.REPLY_RECEIVED)
                return reply
            except TimeoutError as error:
                # Both may come in one turn of the loop: then the answer counts.
                if answer.done() and not answer.cancelled() and answer.exception() is None:
                    return answer.result()
                raise Unavailable(Reason.NO_ANSWER) from error
            except Unavailable as error:
                # The connection broke under the publish: part of the ask may have left.
                raise Unavailable(Reason.NO_ANSWER, error.detail) from error

    async def report(self, plaintext: bytes) -> None:
        """Say what the box is like, retained: the latest is there for whoever asks later.

        Raises Unavailable.
        """
        sealed = self._keys.pair_key.seal(Direction.UP, self._keys.box, REPORTED, plaintext)
        await self._line.publish(REPORTED, sealed, qos=1, retain=True)

    async def acknowledge(self, plaintext: bytes) -> None:
        """Say which notices are on the disk; nothing answers. Raises Unavailable."""
        sealed = self._keys.pair_key.seal(Direction.UP, self._keys.box, ASK_NOTICED, plaintext)
        await self._line.publish(ASK_NOTICED, sealed, qos=1)

    def _receive(self, kind: str, payload: bytes) -> None:
        try:
            if kind == REPLY:
                late = self._asks.accept(payload)
                if late is not None:
                    self._observe(Edge.REPLY_RECEIVED)
                    self.downlink.post(late)
            elif kind == RECEIPT:
                self._drain.accept(payload)
            elif kind == ANCHOR:
                self._anchoring.accept(payload)
            elif kind == DESIRED:
                self.downlink.post(DesiredCame(self._open(kind, payload)))
            elif kind == LISTED:
                self.downlink.post(ListHeadCame(payload))
            elif kind == COMMAND:
                self.downlink.post(CommandCame(self._open(kind, payload)))
        except Refused as refusal:
            self._discard(kind, refusal)

    def _open(self, kind: str, payload: bytes) -> bytes:
        return self._keys.pair_key.open(Direction.DOWN, self._keys.box, kind, payload)

    def _discard(self, kind: str, refusal: Refused) -> None:
        self.discarded[refusal.reason] += 1
        first = self.discarded[refusal.reason] == 1
        _log.log(logging.WARNING if first else logging.DEBUG, "%s dropped: %s", kind, refusal)
        self.downlink.post(Discarded(kind, refusal.reason))

    def _changed(self, link: Link) -> None:
        if link.state is not LinkState.UP:
            self._asks.fail_all()
            self._drain.line_lost()
        self.downlink.post(LinkChanged(link.state, link.since))


def open_uplink(  # noqa: PLR0913 - a box, its parts, and what tests set shorter
    config: BoxConfig,
    files: BoxFiles,
    custody: Custody,
    clock: Clock,
    observe: Observe = ignore,
    *,
    receipt_seconds: float = RECEIPT_SECONDS,
    central_now: Callable[[], datetime | None] = lambda: None,
    known_offset: Callable[[], ClockOffset | None] = lambda: None,
) -> CentralUplink:
    """The uplink of a configured box. ``central_now`` judges the broker's certificate where central
    has said the time, and our own clock elsewhere. Raises Unavailable or Refused for keys not
    there or bare."""
    keys = BoxKeys(
        config.box_id,
        PairKey(read_secret(files.pair_key)),
        STD.signing_key(read_secret(files.signing_key)),
        config.signing_key_id,
        STD.verify_key(bytes.fromhex(config.announcements)) if config.announcements else None,
    )
    return CentralUplink(
        keys,
        custody,
        clock,
        lambda will: open_connection(config.broker, files, keys.box, will, central_now()),
        observe=observe,
        receipt_seconds=receipt_seconds,
        known_offset=known_offset,
    )
