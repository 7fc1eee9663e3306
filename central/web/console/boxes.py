"""Boxes as a person who looks after them sees them: what is wrong, and who comes first. Pure.

A box says of itself what ``shared.desired.Reported`` holds; before it has spoken, and for what an
older one cannot say, the fields are None. Ages are seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from central.fleet.states import SHUT_OUT, BoxState
from central.presence.live import SILENT_AFTER
from shared.devices import DeviceState
from shared.reasons import Reason

CERTIFICATE_NOTICE = timedelta(days=14)
"""Renewal begins long before: what is left at this point did not renew by itself."""
BACKLOG_NOTICE = timedelta(minutes=10)
"""An online box sends within seconds: records this old do not move."""

_WORKING = frozenset({DeviceState.OPENING, DeviceState.READY})


class Trouble(IntEnum):
    """What needs a person, the worst first."""

    QUARANTINED = 1  # its ledger contradicts itself
    OFFLINE_UNSENT = 2
    CERTIFICATE_ENDED = 3
    CONFIGURATION_REFUSED = 4
    SCANNER = 5
    PRINTER = 6
    OFFLINE = 7
    SILENT = 8  # said to be online, and not heard for long
    BACKLOG = 9  # online, and its records do not move
    CERTIFICATE_ENDING = 10
    NEVER_SEEN = 11


@dataclass(frozen=True, slots=True)
class Device:
    """A device by name and state, as the box last said."""

    name: str
    state: DeviceState
    conditions: tuple[str, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether a person must see to it."""
        return self.state not in _WORKING


@dataclass(frozen=True, slots=True)
class BoxLine:
    """One box in one row."""

    id: str
    site: str
    site_name: str
    counter: str
    state: BoxState
    online: bool | None  # None: it has never been heard of
    since: datetime | None
    unsent: int
    oldest_unsent_at: datetime | None
    scanner: Device | None
    printer: Device | None
    software: str
    certificate_until: datetime | None
    refused: Reason | None  # why it did not take a configuration
    heard_at: datetime | None = None  # when its last report came, by central's clock

    def troubles(self, at: datetime) -> tuple[Trouble, ...]:
        """What needs a person, the worst first; a box that was shut out needs nobody."""
        if self.state in SHUT_OUT:
            return ()
        return tuple(sorted(self._find_troubles(at)))

    def unsent_age(self, at: datetime) -> timedelta | None:
        """How long the oldest record waits; None where none does."""
        return max(at - self.oldest_unsent_at, timedelta()) if self.oldest_unsent_at else None

    def _find_troubles(self, at: datetime) -> Iterator[Trouble]:
        if self.state is BoxState.QUARANTINED:
            yield Trouble.QUARANTINED
        if self.online is None:
            yield Trouble.NEVER_SEEN
        elif not self.online:
            yield Trouble.OFFLINE_UNSENT if self.unsent else Trouble.OFFLINE
        elif self.heard_at is None or at - self.heard_at > SILENT_AFTER:
            yield Trouble.SILENT
        elif (age := self.unsent_age(at)) and age >= BACKLOG_NOTICE:
            yield Trouble.BACKLOG
        if self.refused:
            yield Trouble.CONFIGURATION_REFUSED
        # What an offline box last said of its devices is no reason to go there.
        if self.online:
            if self.scanner and self.scanner.broken:
                yield Trouble.SCANNER
            if self.printer and self.printer.broken:
                yield Trouble.PRINTER
        if self.certificate_until:
            if self.certificate_until <= at:
                yield Trouble.CERTIFICATE_ENDED
            elif self.certificate_until - at <= CERTIFICATE_NOTICE:
                yield Trouble.CERTIFICATE_ENDING


@dataclass(frozen=True, slots=True)
class BoxRank:
    """A box with its place in the list."""

    line: BoxLine
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The fleet in four numbers."""

    boxes: int
    online: int
    need: int
    unsent: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; empty fields narrow nothing."""

    site: str = ""
    state: str = ""  # need, online, offline, or a BoxState
    text: str = ""

    def lets(self, rank: BoxRank) -> bool:
        """Whether a box is shown."""
        line = rank.line
        text = self.text.casefold()
        return (
            (not self.site or line.site == self.site)
            and (not text or text in f"{line.id} {line.site_name} {line.counter}".casefold())
            and self._lets_state(rank)
        )

    def _lets_state(self, rank: BoxRank) -> bool:
        match self.state:
            case "":
                return True
            case "need":
                return bool(rank.troubles)
            case "online":
                return rank.line.online is True
            case "offline":
                return not rank.line.online
        return rank.line.state == self.state


def rank_boxes(lines: Iterable[BoxLine], at: datetime) -> list[BoxRank]:
    """What needs a person most comes first: worst trouble, then the longest wait, then the id."""
    ranks = [BoxRank(line, line.troubles(at)) for line in lines]
    return sorted(ranks, key=lambda rank: _place(rank, at))


def count_boxes(ranks: Iterable[BoxRank]) -> Tally:
    """The numbers above the list; boxes that were shut out are not counted."""
    live = [rank for rank in ranks if rank.line.state not in SHUT_OUT]
    return Tally(
        boxes=len(live),
        online=sum(rank.line.online is True for rank in live),
        need=sum(bool(rank.troubles) for rank in live),
        unsent=sum(rank.line.unsent for rank in live),
    )


def _place(rank: BoxRank, at: datetime) -> tuple[int, float, str]:
    line = rank.line
    shut_out = line.state in SHUT_OUT
    worst = rank.troubles[0] if rank.troubles else len(Trouble) + 1 + shut_out
    waited = line.unsent_age(at) or (at - line.since if line.since else timedelta())
    return worst, -waited.total_seconds() if rank.troubles else 0.0, line.id
