"""Ingest running: messages from the broker, each its own task, units of work in the writer.

Replies and receipts leave only after the commit. QoS: replies at most once (0), for after its
deadline nobody waits for one; receipts at least once (1), and a lost one costs a repetition of
the batch. Any number of such processes may run and die: the subscriptions are shared, but for
what boxes say of themselves, which each process hears.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from central.audit.service import Audit
from central.config import CentralConfig, CentralFiles
from central.feed import BoxChanged, Feed, FeedEvent
from central.fleet.broker import CONTROL_RESPONSE, NOTICES, parse_cut_off
from central.fleet.revocation import RevocationList
from central.fleet.service import Fleet
from central.ingest.admission import Admission, report_response
from central.ingest.edges import Edge, Observe, ignore
from central.ingest.inbox import Opened, RowCrashError
from central.ingest.mqtt import Connection, Message, open_connection
from central.ingest.parts import Ingest
from central.ingest.refusals import CUT_OFF, Refusals
from central.ingest.turns import Turns
from central.keys.service import Keys
from central.lists.announcing import ListAnnouncing
from central.lists.service import Lists
from central.notices.posting import Posting
from central.notices.service import Notices
from central.presence.mailbox import Mailbox
from central.presence.service import Presence
from central.settings.announcing import Announcing
from central.settings.service import Settings
from central.storage.database import Database
from central.storage.writer import Writer
from shared.backoff import Backoff
from shared.clock import Clock, SystemClock
from shared.codec import receipts
from shared.desired import Reported
from shared.errors import Malformed, OneCodeError, Refused, Unavailable
from shared.ids import BoxId, parse_box_id
from shared.messages import Settled
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import (
    ANCHOR,
    ASK_LIST,
    ASK_NOTICED,
    RECEIPT,
    REPLY,
    REPORTED,
    STATUS,
    UP,
    build_topic,
    parse_topic,
)

_log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS = 0.5
_MOST_RETRY_SECONDS = 10.0
_ROWS_AT_ONCE = 8
"""Some two milliseconds of the writer's time: so long may a question wait behind a backlog."""


class IngestCentral(Protocol):
    """What the runner needs of central."""

    @property
    def config(self) -> CentralConfig: ...

    @property
    def files(self) -> CentralFiles: ...

    @property
    def database(self) -> Database: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def fleet(self) -> Fleet: ...

    @property
    def ingest(self) -> Ingest: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def lists(self) -> Lists: ...

    @property
    def presence(self) -> Presence: ...

    @property
    def notices(self) -> Notices: ...

    @property
    def feed(self) -> Feed: ...


async def run_ingest(  # noqa: PLR0913 - what is watched comes beside what is served
    central: IngestCentral,
    writer: Writer,
    *,
    ready: Callable[[], None] = lambda: None,
    lost: Callable[[], None] = lambda: None,
    observe: Observe = ignore,
    clock: Clock | None = None,
) -> None:
    """Serve until cancelled; ``ready`` is called each time the subscriptions stand, ``lost``
    each time they do no longer.

    Connects again for ever. Raises Damaged, and whatever is a bug.
    """
    desk = _Desk(central, writer, observe, clock or SystemClock())
    backoff = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS)
    failures = 0

    def subscribed() -> None:
        nonlocal failures
        failures = 0
        backoff.reset()
        ready()

    while True:
        try:
            async with open_connection(central.config.broker, central.files) as connection:
                subscribed()
                await desk.serve(connection)
        except* Unavailable as group:
            level = logging.DEBUG if failures else logging.WARNING
            _log.log(level, "ingest is interrupted: %s", group.exceptions[0])
            failures += 1
            # A group with an error of its own hides that we are to stop (python/cpython#116720).
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from group
        lost()
        await asyncio.sleep(backoff.next_seconds())


class _Desk:
    """Handles what arrives on one connection after another."""

    def __init__(
        self, central: IngestCentral, writer: Writer, observe: Observe, clock: Clock
    ) -> None:
        self._fleet = central.fleet
        self._database = central.database
        self._revocations = RevocationList(central.files, central.audit)
        self._asks = central.ingest.asks
        self._inbox = central.ingest.inbox
        self._anchors = central.ingest.anchors
        self._writer = writer
        self._observe = observe
        self._clock = clock
        self._feed = central.feed
        self._announcing = Announcing(
            central.database, central.settings, central.fleet, writer, clock
        )
        self._lists = ListAnnouncing(central.keys, central.lists, writer, clock)
        self._notices = central.notices
        self._posting = Posting(central.database, central.notices, writer)
        self._mailbox = Mailbox(central.presence, writer, central.feed, clock, self._note_report)
        self._dropped: Counter[Reason] = Counter()
        self._refusals = Refusals(central.audit, writer, clock)
        self._cut_off = Refusals(central.audit, writer, clock, told_to_all=True)

    async def serve(self, connection: Connection) -> None:
        """Until the connection is lost. Raises a group with Unavailable in it."""
        admission = Admission(
            self._database, self._fleet, self._revocations, self._writer, self._clock
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(admission.run(connection), name="admission")
            group.create_task(self._announcing.run(connection), name="announcing")
            group.create_task(self._posting.run(connection), name="notices")
            group.create_task(self._lists.run(connection), name="lists")
            group.create_task(self._mailbox.run(), name="presence")
            group.create_task(self._refusals.run(), name="refusals")
            group.create_task(self._cut_off.run(), name="cut-off")
            turns = Turns(group, partial(self._handle, connection), self._drop_beyond)
            async for message in connection.messages():
                if message.topic == CONTROL_RESPONSE:
                    report_response(message.payload)
                elif message.topic == NOTICES:
                    self._note_notice(message.payload)
                else:
                    await turns.put(message)

    async def _handle(self, connection: Connection, message: Message) -> None:
        try:
            box, kind = parse_topic(message.topic)
            if kind == UP:
                await self._take_batch(connection, box, message.payload)
            elif kind in {STATUS, REPORTED}:
                self._mailbox.put(box, kind, message.payload)
            elif kind == ASK_NOTICED:
                await self._take_noticed(box, message.payload)
            elif kind == ASK_LIST:
                await self._answer_list(connection, box, message.payload)
            else:
                await self._answer(connection, box, kind, message.payload)
        except (Refused, Unavailable) as error:
            # Whoever sent it has no answer and asks or sends again. Where the connection itself
            # is lost, reading from it ends too.
            self._drop(message.topic, error)

    async def _answer(self, connection: Connection, box: BoxId, kind: str, payload: bytes) -> None:
        answer = partial(self._answer_in_unit, box, kind, payload)
        reply, events = await self._writer.run(answer)
        self._feed.publish(*events)
        self._observe(Edge.ASK_AFTER_COMMIT)
        await connection.publish(build_topic(box, REPLY), reply, qos=0)
        self._observe(Edge.REPLY_SENT)

    async def _answer_list(self, connection: Connection, box: BoxId, payload: bytes) -> None:
        # Nobody stands at a counter behind a list: whoever does goes first.
        answer = partial(self._asks.answer, box, ASK_LIST, payload, self._clock.now())
        reply = await self._writer.run(answer, patient=True)
        await connection.publish(build_topic(box, REPLY), reply, qos=0)

    def _note_report(self, report: Reported) -> None:
        self._announcing.note_report(report)
        self._posting.note_heard(parse_box_id(report.box))

    async def _take_noticed(self, box: BoxId, payload: bytes) -> None:
        at = self._clock.now()
        take = partial(self._notices.take_acknowledgement, box, payload, at)
        more = await self._writer.run(take, patient=True)
        self._feed.publish(BoxChanged(box))
        if more:
            self._posting.note_heard(box)

    async def _take_batch(self, connection: Connection, box: BoxId, payload: bytes) -> None:
        """In parts, so that nobody at a counter waits for a whole batch; each is durable by
        itself, and the receipt names the rows of all."""
        opened = await self._writer.run(partial(self._inbox.open, box, payload), patient=True)
        taken: list[tuple[int, Settled]] = []
        try:
            for part in opened.split(_ROWS_AT_ONCE):
                take = partial(self._take_in_unit, box, part)
                some, events = await self._writer.run(take, patient=True)
                taken += some
                self._feed.publish(*events)
        except RowCrashError as crash:
            # Its unit is rolled back. Counted in one of its own, so that the third time it is
            # parked; then the process ends like by any bug.
            await self._writer.run(partial(self._inbox.count_crash, crash))
            raise
        self._observe(Edge.AFTER_COMMIT)
        seal = partial(self._seal_in_unit, box, opened.batch.head.epoch, taken)
        for kind, sealed in await self._writer.run(seal, patient=True):
            await connection.publish(build_topic(box, kind), sealed, qos=1)
            self._observe(Edge.RECEIPT_SENT)

    def _answer_in_unit(
        self, box: BoxId, kind: str, payload: bytes
    ) -> tuple[bytes, tuple[FeedEvent, ...]]:
        self._feed.take_staged()
        reply = self._asks.answer(box, kind, payload, self._clock.now())
        self._observe(Edge.ASK_BEFORE_COMMIT)
        return reply, self._feed.take_staged()

    def _take_in_unit(
        self, box: BoxId, part: Opened
    ) -> tuple[list[tuple[int, Settled]], tuple[FeedEvent, ...]]:
        self._feed.take_staged()
        self._fleet.pair_key(box)  # an unknown or retired box is not answered, and keeps its rows
        taken = self._inbox.take_part(box, part, self._clock.now())
        self._observe(Edge.BEFORE_COMMIT)
        return taken, self._feed.take_staged()

    def _seal_in_unit(
        self, box: BoxId, epoch: int, taken: list[tuple[int, Settled]]
    ) -> list[tuple[str, bytes]]:
        """What goes down for a batch: the receipt, and a countersigned head that got further."""
        pair_key = self._fleet.pair_key(box)
        receipt, anchor = self._inbox.receipt(box, taken), self._anchors.advance(box, epoch)
        down = [(RECEIPT, receipts.encode(receipt))] if receipt else []
        if anchor is not None:
            down.append((ANCHOR, anchor))
        return [(kind, pair_key.seal(Direction.DOWN, box, kind, text)) for kind, text in down]

    def _note_notice(self, notice: bytes) -> None:
        box = parse_cut_off(notice)
        if box is not None:
            _log.debug("%s: the broker cut a packet off", box)
            self._cut_off.note(box, CUT_OFF, Reason.BODY_TOO_LARGE)

    def _drop_beyond(self, message: Message) -> None:
        self._drop(message.topic, Refused(Reason.TOO_MANY_REQUESTS))

    def _drop(self, topic: str, error: OneCodeError) -> None:
        self._dropped[error.reason] += 1
        first = self._dropped[error.reason] == 1
        _log.log(logging.WARNING if first else logging.DEBUG, "%s dropped: %s", topic, error)
        if isinstance(error, Refused):
            with suppress(Malformed):
                box, kind = parse_topic(topic)
                self._refusals.note(box, kind, error.reason)
