"""A record's birth: its id and times, fixed when the scan is complete, and the origin it carries.

The same birth goes with the question, the record and any retry, so that central knows them as
one (CONTRACTS §1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.ports import Uplink
from shared.clock import Clock, to_microseconds
from shared.ids import BoxId, RecordId, new_record_id
from shared.messages import Origin


@dataclass(frozen=True, slots=True)
class Birth:
    """When a record was born, by this box's clocks, and who worked at the counter then."""

    id: RecordId
    at: datetime
    monotonic_ns: int
    operator: str = ""  # an id


def nobody() -> str:
    """The operator of a counter where nobody signs in."""
    return ""


class Registrar:
    """Mints births and origins for one counter of one box."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a record says of its birth
        self,
        box: BoxId,
        counter: str,
        boot_id: bytes,
        clock: Clock,
        uplink: Uplink,
        operator: Callable[[], str] = nobody,
    ) -> None:
        """``operator`` gives the id of whoever is signed in, or nothing."""
        self.box = box
        self.counter = counter
        self._boot_id = boot_id
        self._clock = clock
        self._uplink = uplink
        self._operator = operator
        self._started_ns = clock.monotonic_ns()

    def birth(self, at: datetime | None = None, operator: str | None = None) -> Birth:
        """A new birth, now or at the moment a frame's last byte came; ``operator`` is whose act
        it ends, if not of whoever is signed in now."""
        at = at or self._clock.now()
        operator = self._operator() if operator is None else operator
        return Birth(new_record_id(at), at, self._clock.monotonic_ns(), operator)

    @property
    def operator(self) -> str:
        """The id of whoever is signed in now, or nothing."""
        return self._operator()

    def origin(self, birth: Birth) -> Origin:
        """What a record says of its birth, with our best knowledge of central's clock."""
        offset = self._uplink.clock_offset
        return Origin(
            box=str(self.box),
            counter=self.counter,
            boot_id=self._boot_id,
            wall_at=to_microseconds(birth.at),
            monotonic_ns=birth.monotonic_ns,
            offset_ms=offset.milliseconds if offset else None,
            offset_confidence_ms=offset.confidence_ms if offset else None,
            operator=birth.operator,
        )

    def age(self, birth: Birth) -> timedelta:
        """How long ago a birth was, whatever the wall clock has done since."""
        return timedelta(microseconds=(self._clock.monotonic_ns() - birth.monotonic_ns) // 1000)

    def uptime(self) -> timedelta:
        """How long this process has been at work, whatever the wall clock has done since."""
        return timedelta(microseconds=(self._clock.monotonic_ns() - self._started_ns) // 1000)

    def now(self) -> datetime:
        """This box's own wall clock, as births have it."""
        return self._clock.now()

    def central_now(self) -> datetime:
        """Now, corrected to central's clock as far as we know it."""
        offset = self._uplink.clock_offset
        return self._clock.now() + timedelta(milliseconds=offset.milliseconds if offset else 0)

    def doubt(self) -> timedelta:
        """How wrong ``central_now`` may be; without any measurement, two minutes."""
        offset = self._uplink.clock_offset
        return timedelta(milliseconds=offset.confidence_ms) if offset else timedelta(minutes=2)
