"""Keeps the lease fresh and the time known: asks for a new lease when the line comes up and now and
then while it is; fetches signed time where a wrong clock or an old certificate keeps the line
down; writes what is consumed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from agent.lease.service import OfflineLease
from shared.backoff import Backoff
from shared.clock import Clock, ClockOffset, to_microseconds
from shared.errors import OneCodeError, Refused, Unavailable
from shared.ids import BoxId, new_record_id
from shared.lease import LeaseAsk, LeaseReply
from shared.messages import Ask, RefusalReply, Reply
from shared.reasons import Reason

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MOST_BETWEEN_SECONDS = 600.0
_ANSWER_SECONDS = 10.0
_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS = 2.0, 300.0
_OF_TIME = frozenset({Reason.CLOCK_WRONG, Reason.BROKER_NOT_TRUSTED, Reason.CERTIFICATE_EXPIRED})
"""Troubles of the line that may be a wrong clock's."""


class LeaseLine(Protocol):
    """The line to central, as far as leases go."""

    @property
    def link_since(self) -> datetime: ...

    @property
    def trouble(self) -> Reason | None: ...

    @property
    def is_up(self) -> bool: ...

    @property
    def measured_offset(self) -> ClockOffset | None:
        """What an answer on this line has told of central's clock."""
        ...

    async def ask(self, ask: Ask, deadline_seconds: float) -> Reply: ...


class LeaseKeeper:
    """Works while ``run`` runs; never raises for what central or a disk does."""

    def __init__(  # noqa: PLR0913 - of whom, by which clock and line, and who is told
        self,
        *,
        box: BoxId,
        counter: str,
        clock: Clock,
        lease: OfflineLease,
        line: LeaseLine,
        fetch_time: Callable[[], Awaitable[ClockOffset]],
        on_time: Callable[[], None] = lambda: None,
        on_change: Callable[[], None] = lambda: None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """``fetch_time`` asks central's listener for signed time; ``on_time`` is told when it has
        said so: certificates may be looked at anew. ``on_change``: another step or lease."""
        self._box = box
        self._counter = counter
        self._clock = clock
        self._lease = lease
        self._line = line
        self._fetch_time = fetch_time
        self._on_time = on_time
        self._on_change = on_change
        self._look_seconds = look_seconds
        self._asked_since: datetime | None = None
        self._ask_at = self._time_at = 0.0
        self._ask_again = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS)
        self._time_again = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS)
        self._told: Reason | None = None

    async def run(self) -> None:
        """Until cancelled; then gives back what was reserved."""
        shown = self._lease.view()
        try:
            while True:
                await self._look()
                view = self._lease.view()
                if (view.step, view.revision) != (shown.step, shown.revision):
                    self._on_change()
                shown = view
                await asyncio.sleep(self._look_seconds)
        finally:
            await self._lease.close()

    async def _look(self) -> None:
        if self._line.is_up:
            since = self._line.link_since
            if since != self._asked_since or self._now() >= self._ask_at:
                self._asked_since = since
                self._ask_at = self._now() + await self._ask()
        elif self._line.trouble in _OF_TIME and self._now() >= self._time_at:
            self._time_at = self._now() + await self._learn_signed_time()
        await self._lease.keep_up()

    async def _ask(self) -> float:
        """Ask for a new lease; seconds until the next try."""
        id = new_record_id(self._clock.now()).bytes
        try:
            reply = await self._line.ask(self._question(id), _ANSWER_SECONDS)
            if (offset := self._line.measured_offset) is not None:
                self._lease.learn(offset)
            if isinstance(reply, RefusalReply):
                raise Refused(reply.reason, "by central")
            if not isinstance(reply, LeaseReply):
                raise Refused(Reason.MESSAGE_MALFORMED, "no lease")
            await self._lease.take(reply.lease, id)
        except (Unavailable, Refused) as error:
            self._tell("no offline lease", error)
            return self._ask_again.next_seconds()
        self._told = None
        self._ask_again.reset()
        self._time_again.reset()
        return min(MOST_BETWEEN_SECONDS, self._lease.policy.verify_only.seconds / 10)

    async def _learn_signed_time(self) -> float:
        try:
            offset = await self._fetch_time()
        except OneCodeError as error:
            self._tell("central's time is not known", error)
        else:
            self._lease.learn(offset)
            self._on_time()
            self._on_change()
        return self._time_again.next_seconds()

    def _question(self, id: bytes) -> LeaseAsk:
        central = self._lease.best_now
        return LeaseAsk(
            id=id,
            box=str(self._box),
            born=to_microseconds(self._clock.now()),
            expires_at=to_microseconds(central + timedelta(seconds=_ANSWER_SECONDS)),
            counter=self._counter,
            revision=self._lease.revision,
        )

    def _now(self) -> float:
        return self._clock.monotonic_ns() / 1e9

    def _tell(self, what: str, error: OneCodeError) -> None:
        level = logging.DEBUG if error.reason is self._told else logging.WARNING
        self._told = error.reason
        log.log(level, "%s: %s", what, error)
