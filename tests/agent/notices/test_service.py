"""Notices at the box: on the disk before central hears so, shown once, gone when they were seen."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from agent.cache.notices import SealedNotices
from agent.notices.service import MOST_UNSEEN, Notices
from shared.clock import ManualClock
from shared.errors import Malformed, Unavailable
from shared.ids import BoxId
from shared.notices import (
    Command,
    Notice,
    NoticeKind,
    acknowledgements,
    commands,
    new_notice,
)
from shared.reasons import Reason
from tests.fakes import NOON

BOX = BoxId("site1", "box1")


@dataclass
class Line:
    """Writes down what was acknowledged; ``up`` is False while there is none."""

    up: bool = True
    acknowledged: list[bytes] = field(default_factory=list)

    async def acknowledge(self, plaintext: bytes) -> None:
        if not self.up:
            raise Unavailable(Reason.LINK_DOWN)
        self.acknowledged += acknowledgements.decode(plaintext).ids


class Counter:
    """A box's notices over the files of one directory; a new one is a restart."""

    def __init__(self, directory: Path, clock: ManualClock) -> None:
        self.path = directory / "notices.db"
        self.shelf = SealedNotices(self.path, directory / "cache.key")
        self.line = Line()
        self.notices = Notices(BOX, clock, self.shelf, self.line)

    def texts(self) -> list[str]:
        away = self.notices.view()
        return [notice.en for notice in away.notices] if away else []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def notice(text: str) -> Notice:
    return new_notice(NoticeKind.CASE_DECIDED, NOON, zh="结案", en=text)


def command(*notices: Notice, box: BoxId = BOX) -> bytes:
    return commands.encode(Command(str(box), notices))


async def test_what_is_acknowledged_survives_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    """Kept, acknowledged, and shown after a restart; its words do not lie open in the file."""
    before, told = Counter(tmp_path, clock), notice("both visits stand")
    assert await before.notices.take(command(told))
    assert before.line.acknowledged == [told.id]
    after = Counter(tmp_path, clock)
    await after.notices.load()
    assert after.texts() == ["both visits stand"]
    assert b"visits" not in after.path.read_bytes()


async def test_one_notice_is_shown_once(tmp_path: Path, clock: ManualClock) -> None:
    """Repeated, it is acknowledged again and not shown again, also when it was seen long before."""
    counter, told = Counter(tmp_path, clock), notice("once")
    await counter.notices.take(command(told))
    assert not await counter.notices.take(command(told))
    assert counter.texts() == ["once"]
    await counter.notices.see([told.id.hex()])
    assert not await counter.notices.take(command(told))
    assert counter.texts() == []
    assert counter.line.acknowledged == [told.id] * 3
    after = Counter(tmp_path, clock)
    await after.notices.load()
    assert after.texts() == []


async def test_what_is_not_kept_is_not_acknowledged(tmp_path: Path, clock: ManualClock) -> None:
    """No disk, another box's, rubbish: central hears nothing and repeats."""
    counter = Counter(tmp_path / "missing", clock)
    assert not await counter.notices.take(command(notice("no disk")))
    there = Counter(tmp_path, clock)
    assert not await there.notices.take(command(notice("x"), box=BoxId("site1", "box2")))
    assert not await there.notices.take(b"rubbish")
    assert counter.line.acknowledged == there.line.acknowledged == []


async def test_a_lost_acknowledgement_is_given_again(tmp_path: Path, clock: ManualClock) -> None:
    """The line broke between disk and acknowledgement: the repeat is acknowledged, shown once."""
    counter, told = Counter(tmp_path, clock), notice("once")
    counter.line.up = False
    await counter.notices.take(command(told))
    counter.line.up = True
    await counter.notices.take(command(told))
    assert counter.line.acknowledged == [told.id]
    assert counter.texts() == ["once"]


async def test_unseen_notices_are_bounded(tmp_path: Path, clock: ManualClock) -> None:
    """A box whose page nobody reads takes no more, and loses none: they wait at central."""
    counter = Counter(tmp_path, clock)
    while len(counter.line.acknowledged) < MOST_UNSEEN:
        await counter.notices.take(command(*(notice(str(n)) for n in range(20))))
    assert not await counter.notices.take(command(notice("one too many")))
    assert len(counter.line.acknowledged) == MOST_UNSEEN
    away = counter.notices.view()
    assert away is not None
    await counter.notices.see([each.id for each in away.notices])
    assert await counter.notices.take(command(notice("room again")))


async def test_a_damaged_file_is_begun_anew(tmp_path: Path, clock: ManualClock) -> None:
    """It costs what was unseen, and stands in nobody's way."""
    (tmp_path / "notices.db").write_bytes(b"noise" * 1000)
    counter = Counter(tmp_path, clock)
    await counter.notices.load()
    assert await counter.notices.take(command(notice("after")))
    assert counter.texts() == ["after"]


async def test_an_absence_is_told_when_it_is_over(tmp_path: Path, clock: ManualClock) -> None:
    """Since when, until when, how many records went out since; until a clerk has seen it."""
    notices = Counter(tmp_path, clock).notices
    notices.absence.note_link(up=False)
    clock.advance(timedelta(hours=3))
    assert notices.view() is None
    notices.absence.note_link(up=True)
    notices.absence.note_delivered(100)
    notices.absence.note_delivered(27)
    away = notices.view()
    assert away is not None
    assert (away.since, away.until, away.delivered) == (NOON, clock.now(), 127)
    await notices.see([])
    assert notices.view() is None


async def test_a_line_that_flaps_is_one_absence(tmp_path: Path, clock: ManualClock) -> None:
    """One that goes again before anybody looked makes it longer; seconds are none."""
    absence = Counter(tmp_path, clock).notices.absence
    absence.note_link(up=False)
    clock.advance(timedelta(seconds=5))
    absence.note_link(up=True)
    assert not absence.is_told
    absence.note_link(up=False)
    clock.advance(timedelta(minutes=2))
    absence.note_link(up=True)
    absence.note_delivered(1)
    absence.note_link(up=False)
    absence.note_link(up=False)
    clock.advance(timedelta(minutes=2))
    absence.note_link(up=True)
    absence.note_delivered(1)
    assert absence.since == NOON + timedelta(seconds=5)
    assert absence.until == clock.now()
    assert absence.delivered == 2


async def test_ids_that_are_none_are_refused(tmp_path: Path, clock: ManualClock) -> None:
    """A page says which notices it has shown, in its own form."""
    with pytest.raises(Malformed):
        await Counter(tmp_path, clock).notices.see(["zz"])
