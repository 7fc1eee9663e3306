"""Questions that wait for an answer: sealed out, believed only when sealed back under their id.

Knows no socket. Learns central's clock from each answer in time (CONTRACTS §6).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from agent.transport.downlink import LateReply
from shared.clock import Clock, ClockOffset, from_microseconds, measure_offset
from shared.codec import asks, replies
from shared.errors import Refused, Unavailable
from shared.ids import BoxId, record_id
from shared.lease import LeaseAsk
from shared.messages import Ask, ListAsk, RegisterAsk, Reply, ScanAsk
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from shared.topics import ASK_LEASE, ASK_LIST, ASK_REGISTER, ASK_SCAN, REPLY

_MOST_REMEMBERED = 1_000
"""How many asks past their deadline are remembered, so that a late answer is known as one."""

_KINDS: dict[type[Ask], str] = {
    ScanAsk: ASK_SCAN,
    RegisterAsk: ASK_REGISTER,
    LeaseAsk: ASK_LEASE,
    ListAsk: ASK_LIST,
}


_DRIFT = 100e-6
"""How wrong a computer's quartz runs at most: about nine seconds a day."""


class SealedAsk(NamedTuple):
    """An ask ready to leave: the tail of its topic and its bytes."""

    kind: str
    payload: bytes


class _Waiting(NamedTuple):
    answer: asyncio.Future[Reply]
    asked_ns: int


class _Measured(NamedTuple):
    """Central's clock against ours, at a moment of both our clocks."""

    offset: ClockOffset
    at: datetime
    monotonic_ns: int


class Asks:
    """The box's open questions."""

    def __init__(self, box: BoxId, pair_key: PairKey, clock: Clock) -> None:
        self._box = box
        self._pair_key = pair_key
        self._clock = clock
        self._waiting: dict[bytes, _Waiting] = {}
        self._expired: OrderedDict[bytes, None] = OrderedDict()
        self._measured: _Measured | None = None

    @property
    def clock_offset(self) -> ClockOffset | None:
        """What the last answer in time told of central's clock, None before the first.

        Carried on by the monotonic clock: a wall clock that has jumped since is corrected for,
        and the doubt grows with age.
        """
        if self._measured is None:
            return None
        age_ms = (self._clock.monotonic_ns() - self._measured.monotonic_ns) / 1_000_000
        gone_ms = (self._clock.now() - self._measured.at) / timedelta(milliseconds=1)
        offset = self._measured.offset
        return ClockOffset(
            offset.milliseconds + round(age_ms - gone_ms),
            offset.confidence_ms + int(age_ms * _DRIFT),
        )

    def seal(self, ask: Ask) -> SealedAsk:
        """The ask as it leaves the box."""
        kind = _KINDS[type(ask)]
        plaintext = asks.encode(ask)
        return SealedAsk(kind, self._pair_key.seal(Direction.UP, self._box, kind, plaintext))

    @contextmanager
    def waiting(self, id: bytes) -> Iterator[asyncio.Future[Reply]]:
        """The answer to ask ``id``, while the block lasts; afterwards an answer is late."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[id] = _Waiting(future, self._clock.monotonic_ns())
        try:
            yield future
        finally:
            del self._waiting[id]
            if not future.done() or future.cancelled() or future.exception() is not None:
                self._expired[id] = None
                while len(self._expired) > _MOST_REMEMBERED:
                    self._expired.popitem(last=False)

    def accept(self, payload: bytes) -> LateReply | None:
        """Give an answer to whoever waits for it, or return it as late.

        Raises NotAuthentic or Malformed for a forgery, Refused (NOT_ASKED) for an answer that
        nobody here asked for or that came twice.
        """
        plaintext = self._pair_key.open(Direction.DOWN, self._box, REPLY, payload)
        reply = replies.decode(plaintext)
        now = self._clock.now()
        waiting = self._waiting.get(reply.id)
        if waiting is not None and not waiting.answer.done():
            self._learn_offset(waiting, now, reply)
            waiting.answer.set_result(reply)
            return None
        if reply.id not in self._expired:
            raise Refused(Reason.NOT_ASKED)
        del self._expired[reply.id]
        return LateReply(record_id(UUID(bytes=reply.id)), reply, now)

    def fail_all(self) -> None:
        """The line is lost: nobody need wait for the deadline."""
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(Unavailable(Reason.NO_ANSWER, "line lost"))

    def _learn_offset(self, waiting: _Waiting, now: datetime, reply: Reply) -> None:
        # The trip is measured on the monotonic clock: the wall clock may jump meanwhile.
        monotonic_ns = self._clock.monotonic_ns()
        trip = timedelta(microseconds=(monotonic_ns - waiting.asked_ns) / 1000)
        offset = measure_offset(now - trip, now, from_microseconds(reply.central_at))
        self._measured = _Measured(offset, now, monotonic_ns)
