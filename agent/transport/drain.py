"""Empties the queue towards central: one batch in flight, settled only by central's receipt.

A backlog leaves at a pace, from a moment of its own on, and what is fresh overtakes it.

Rows without a receipt go again after a wait that grows, behind those that have not been tried; a
lost line ends the wait. The broker's PUBACK means nothing here (docs/adr: receipt above PUBACK).
After a time with nothing to send, rows are let gather until a quiet spell: a row is durable
already, and a batch for each scan would cost central as much again as the scan's own question.
"""

import asyncio
import logging
import random
import time
from contextlib import suppress

from agent.ports import Custody, Pending
from agent.transport.batches import MAX_BATCH_ROWS, build_batch
from agent.transport.box_keys import BoxKeys
from agent.transport.downlink import Downlink, RowsSettled
from agent.transport.edges import Edge, Observe
from agent.transport.line import Line
from agent.transport.pace import Pace
from shared.backoff import Backoff
from shared.codec import batches, receipts
from shared.errors import Damaged, Refused, Unavailable
from shared.messages import Batch, Receipt
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import RECEIPT, UP

_log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS = 1.0
MOST_WAIT_SECONDS = 60.0
_LONGEST_GATHER = 8
"""How many quiet spells a gathering takes at the most: custody is not put off for long."""
_UNSENT_SECONDS = 0.05

_BEGINNING = (0, 0)
"""Before every row: epochs and sequences begin at one."""


class _LineLost:
    """In the inbox instead of a receipt."""


class Drain:
    """The one drainer of a box's queue."""

    def __init__(  # noqa: PLR0913 - as whom, what, whereto, and who watches
        self,
        *,
        keys: BoxKeys,
        custody: Custody,
        line: Line,
        downlink: Downlink,
        observe: Observe,
        receipt_seconds: float,
        gather_seconds: float,
        spread_seconds: float,
    ) -> None:
        """``receipt_seconds`` is the first wait for a receipt; later ones double.
        ``gather_seconds`` without a new row are a quiet spell. A backlog begins within
        ``spread_seconds``.
        """
        self._keys = keys
        self._custody = custody
        self._line = line
        self._downlink = downlink
        self._observe = observe
        self._silences = Backoff(receipt_seconds, MOST_WAIT_SECONDS)
        self._troubles = Backoff(_FIRST_RETRY_SECONDS, MOST_WAIT_SECONDS)
        self._gather_seconds = gather_seconds
        self._spread_seconds = spread_seconds
        self._pace = Pace(time.monotonic)
        self._fresh_behind: tuple[int, int] | None = None
        """Rows behind it are fresh; None while there is no backlog."""
        self._backlog_from = 0.0
        self._hurry = asyncio.Event()
        self._inbox: asyncio.Queue[Receipt | _LineLost] = asyncio.Queue()
        self._drained = asyncio.Event()

    async def run(self) -> None:
        """Drain for ever; a queue that cannot be read or written now is tried again."""
        while True:
            try:
                await self._drain()
            except (Unavailable, Damaged) as error:
                # Seconds apart at least: each is worth its line in the log.
                _log.warning("the queue cannot be drained now: %s", error)
                await asyncio.sleep(self._troubles.next_seconds())

    async def wait_drained(self) -> None:
        """Send without gathering until nothing is pending. Raises Unavailable, Damaged."""
        self._hurry.set()
        try:
            self._drained.clear()
            while await self._custody.read_pending(1) is not None:
                await self._drained.wait()
                self._drained.clear()
        finally:
            self._hurry.clear()

    async def _drain(self) -> None:
        after = _BEGINNING
        while True:
            pending = await self._read_fresh()
            backlog = pending is None
            if pending is None:
                pending = await self._custody.read_pending(MAX_BATCH_ROWS, after)
            self._troubles.reset()
            if pending is None:
                self._fresh_behind = None
                if after == _BEGINNING:
                    await self._rest()
                after = _BEGINNING
            elif backlog and await self._must_wait(pending):
                continue
            else:
                batch = build_batch(self._keys, pending)
                self._observe(Edge.BATCH_BUILT)
                taken = await self._deliver(batch)
                last = (batch.head.epoch, batch.rows[-1].seq)
                if not backlog:
                    self._fresh_behind = last
                elif not taken:
                    # What central does not take, a fork say, must not block what comes after it.
                    after = last

    async def _read_fresh(self) -> Pending | None:
        """Rows born since the backlog was met: they overtake it."""
        if self._fresh_behind is None:
            return None
        return await self._custody.read_pending(MAX_BATCH_ROWS, self._fresh_behind)

    async def _must_wait(self, pending: Pending) -> bool:
        """Whether a backlog has to wait, and fresh rows are looked for first.

        More than one batch is a backlog. It begins at a moment of its own, so that boxes that
        lost one broker together do not bring theirs together, and leaves at a pace.
        """
        now = asyncio.get_running_loop().time
        if self._fresh_behind is None:
            if len(pending.rows) < MAX_BATCH_ROWS:
                return False
            self._fresh_behind = (pending.head.epoch, pending.head.seq)
            spread = self._spread_seconds * random.random()  # noqa: S311 - no secret
            self._backlog_from = now() + spread
        if now() < self._backlog_from and not self._hurry.is_set():
            await self._comes_another()
            return True
        await asyncio.sleep(self._pace.take(len(pending.rows)))
        return False

    async def _rest(self) -> None:
        """Nothing is pending: wait until something is, and for its company."""
        self._drained.set()
        await self._custody.wait_for_pending()
        self._drained.clear()
        await self._gather()

    async def _gather(self) -> None:
        """Let rows come until none has for a moment, but not for long, and not in a hurry."""
        with suppress(TimeoutError):
            # Boxes that began together must not all send together, hour after hour.
            longest = random.uniform(_LONGEST_GATHER / 2, _LONGEST_GATHER)  # noqa: S311 - no secret
            async with asyncio.timeout(longest * self._gather_seconds):
                while not self._hurry.is_set() and await self._comes_another():
                    pass

    async def _comes_another(self) -> bool:
        """Whether a row is created within the moment that makes a quiet spell."""
        before = (await self._custody.read_account()).created
        with suppress(TimeoutError):
            async with asyncio.timeout(self._gather_seconds):
                await self._hurry.wait()
        return (await self._custody.read_account()).created != before

    def accept(self, payload: bytes) -> None:
        """Take a receipt. Raises NotAuthentic or Malformed for a forgery."""
        plaintext = self._keys.pair_key.open(Direction.DOWN, self._keys.box, RECEIPT, payload)
        receipt = receipts.decode(plaintext)
        if receipt.box != str(self._keys.box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        self._observe(Edge.RECEIPT_RECEIVED)
        self._inbox.put_nowait(receipt)

    def line_lost(self) -> None:
        """No receipt will come on this connection."""
        self._inbox.put_nowait(_LineLost())

    async def _deliver(self, batch: Batch) -> bool:
        """Send one batch, again after a lost line; whether central took all of it in time."""
        payload = batches.encode(batch)
        while True:
            await self._line.wait_up()
            self._forget_losses()
            try:
                await self._line.publish(UP, payload, qos=1)
            except Unavailable as error:
                # Who sends meets a loss before who reads: until then the line seems to be up.
                _log.debug("batch not sent: %s", error)
                await asyncio.sleep(_UNSENT_SECONDS)
                continue
            self._observe(Edge.BATCH_SENT)
            settled = await self._await_receipt(batch)
            if settled is not None:
                return settled == len(batch.rows)

    async def _await_receipt(self, batch: Batch) -> int | None:
        """How many rows the receipt for this batch settled; None when the line was lost."""
        carried = {row.seq for row in batch.rows}
        deadline = asyncio.get_running_loop().time() + self._silences.next_seconds()
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    receipt = await self._inbox.get()
            except TimeoutError:
                _log.debug("no receipt in time")
                return 0
            if isinstance(receipt, _LineLost):
                self._silences.reset()
                return None
            count = await self._custody.settle(receipt.epoch, receipt.rows)
            self._observe(Edge.SETTLED)
            if count:
                self._silences.reset()
                self._downlink.post(RowsSettled(count))
            if receipt.epoch == batch.head.epoch and count:
                return len(carried.intersection(row.seq for row in receipt.rows))

    def _forget_losses(self) -> None:
        """A loss before this sending says nothing about it; receipts keep."""
        kept = []
        while not self._inbox.empty():
            item = self._inbox.get_nowait()
            if isinstance(item, Receipt):
                kept.append(item)
        for item in kept:
            self._inbox.put_nowait(item)
