"""From what was read to what templates write: words in one language, times, moods. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from central.fleet.states import SHUT_OUT
from central.web.console.boxes import BoxLine, BoxRank, Device, Trouble
from central.web.console.reading import ScanLine
from central.web.console.words import (
    CONDITIONS,
    DEVICE_STATES,
    LEASE_STEPS,
    TROUBLES,
    VERDICTS,
    Advice,
    Mood,
    Word,
    tell_span,
    tell_time,
)
from central.web.language import Language
from shared.desired import LeaseReport
from shared.lease import MOST_SECONDS
from shared.reasons import Words

_ONLINE = Word("good", "在线", "Online")
_OFFLINE = Word("bad", "离线", "Offline")
_SILENT = Word("maybe", "没有回音", "Silent")
_UNKNOWN = Word("soft", "从未上线", "Never online")


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """A device in words."""

    kind: str
    mood: Mood
    word: str
    name: str


@dataclass(frozen=True, slots=True)
class ShownBox:
    """A row of the list."""

    id: str
    anchor: str
    counter: str
    site_name: str
    need: Advice | None
    more: int
    link: Word
    since: str
    unsent: int
    age: str
    devices: tuple[ShownDevice, ...]
    software: str


@dataclass(frozen=True, slots=True)
class ShownScan:
    """A row of the stream."""

    id: str
    at: datetime
    told: str
    word: Word
    name: str
    reason: Words | None
    other: Word | None
    counter: str
    box: str
    drill: bool


def show_box(rank: BoxRank, at: datetime, language: Language) -> ShownBox:
    """One box."""
    line, troubles = rank.line, rank.troubles
    return ShownBox(
        id=line.id,
        anchor="b-" + line.id.replace("/", "--"),
        counter=line.counter,
        site_name=line.site_name,
        need=TROUBLES[troubles[0]] if troubles else None,
        more=max(0, len(troubles) - 1),
        link=show_link(rank),
        since=tell_time(line.since, at) if line.since else "",
        unsent=line.unsent,
        age=show_age(line.unsent_age(at), language),
        devices=tuple(show_devices(line, language)),
        software=line.software,
    )


def show_link(rank: BoxRank) -> Word:
    """Whether a box is there, in a word."""
    line = rank.line
    if line.online is None or line.state in SHUT_OUT:
        return _UNKNOWN if line.online is None else _OFFLINE
    if not line.online:
        return _OFFLINE
    return _SILENT if Trouble.SILENT in rank.troubles else _ONLINE


def show_age(age: timedelta | None, language: Language) -> str:
    """How long the oldest unsent record waits; empty where none does."""
    return "" if age is None else tell_span(age, language)


@dataclass(frozen=True, slots=True)
class ShownLease:
    """How far a box may go alone, by its last word; ``until`` is when the next step begins, at the
    latest, if nobody hears of it; ``why`` less than everything is allowed."""

    step: Word
    until: str
    why: Words | None


def show_lease(
    lease: LeaseReport | None, heard_at: datetime | None, now: datetime
) -> ShownLease | None:
    """None for a box that has not said."""
    if lease is None or heard_at is None:
        return None
    ends = None if lease.seconds_left is None else heard_at + _span(lease.seconds_left)
    why = lease.reason.words if lease.reason else None
    return ShownLease(LEASE_STEPS[lease.step], tell_time(ends, now) if ends else "", why)


def _span(seconds: int) -> timedelta:
    return timedelta(seconds=min(seconds, MOST_SECONDS))


def show_devices(line: BoxLine, language: Language) -> Iterator[ShownDevice]:
    """Scanner and printer as the box last said."""
    for zh, en, device in (
        ("扫码器", "Scanner", line.scanner),
        ("打印机", "Printer", line.printer),
    ):
        if device is not None:
            shown = _show_device(language.choose(zh, en), device, language)
            # What a box that is away last said is no more than that.
            yield shown if line.online else replace(shown, mood="soft")


def show_scan(line: ScanLine, at: datetime) -> ShownScan:
    """One scan."""
    return ShownScan(
        id=line.id,
        at=line.at,
        told=tell_time(line.at, at),
        word=VERDICTS[line.verdict],
        name=line.name,
        reason=line.reason.words if line.reason else None,
        other=VERDICTS[line.box_verdict] if line.box_verdict else None,
        counter=line.counter,
        box=line.box,
        drill=line.drill,
    )


def _show_device(kind: str, device: Device, language: Language) -> ShownDevice:
    word = DEVICE_STATES[device.state]
    said = [language.choose(*CONDITIONS[each]) for each in device.conditions if each in CONDITIONS]
    told = language.choose("、", ", ").join(said) or language.choose(word.zh, word.en)
    return ShownDevice(kind, word.mood, f"{kind}{language.choose('', ': ')}{told}", device.name)
