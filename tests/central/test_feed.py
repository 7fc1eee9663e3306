"""What is told to whoever watches central: of each scan once, and only of what is durable."""

from pathlib import Path

import pytest

from central.feed import BoxChanged, Feed, FeedEvent, ScanJudged
from central.scans.service import Scans
from shared.errors import Refused
from shared.ids import RecordId, new_record_id
from shared.messages import Verdict
from shared.reasons import Reason
from tests.central.people import AT, BOX, People, open_people
from tests.central.scans.asking import make_ask, make_record
from tests.factories import STATIC_TEXT

STRANGER = ScanJudged(BOX, Verdict.REFUSED, Reason.CODE_UNKNOWN, AT)


class Watched:
    """Scans at central, and a listener."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.feed = Feed()
        self.told: list[FeedEvent] = []
        self.leave = self.feed.subscribe(self.told.append)
        self.scans = Scans(people.patients, people.cards, people.hospital, self.feed.stage)

    def ask(self, code: str, id: RecordId) -> None:
        """One unit of work, and what was staged in it told behind it."""
        self.feed.take_staged()
        with self.people.database.unit():
            self.scans.answer(BOX, make_ask(code, id=id), AT)
        self.feed.publish(*self.feed.take_staged())

    def give_up(self, code: str) -> None:
        """A unit of work that does not hold."""
        with self.people.database.unit():
            self.scans.answer(BOX, make_ask(code), AT)
            raise Refused(Reason.STATE_STEP)

    def record(self, code: str, id: RecordId) -> None:
        """A record that comes, in a unit of its own."""
        self.feed.take_staged()
        with self.people.database.unit():
            self.scans.record_scan(BOX, id, make_record(code), AT)
        self.feed.publish(*self.feed.take_staged())


def test_a_scan_is_told_once_with_its_masked_name(tmp_path: Path) -> None:
    """Asked, asked again, reported: one scan. Reported only: told without a name."""
    with open_people(tmp_path) as people:
        _, card = people.enrol()
        watched = Watched(people)
        code, id = people.cards.static_code(card), new_record_id(AT)
        watched.ask(code, id)
        watched.ask(code, id)
        watched.record(code, id)
        watched.record(code, new_record_id(AT))
        named, unnamed = watched.told
        assert named == ScanJudged(BOX, Verdict.ACCEPTED, None, AT, "电***卡")
        assert unnamed == ScanJudged(BOX, Verdict.ACCEPTED, None, AT)


def test_a_refusal_is_told_with_its_reason(tmp_path: Path) -> None:
    """A code that central does not know."""
    with open_people(tmp_path) as people:
        watched = Watched(people)
        watched.ask(STATIC_TEXT, new_record_id(AT))
        assert watched.told == [STRANGER]


def test_what_was_undone_is_not_told(tmp_path: Path) -> None:
    """What a unit staged that did not hold is thrown away by the next."""
    with open_people(tmp_path) as people:
        watched = Watched(people)
        with pytest.raises(Refused):
            watched.give_up(STATIC_TEXT)
        watched.ask(STATIC_TEXT, new_record_id(AT))
        assert watched.told == [STRANGER]


def test_who_has_left_hears_nothing() -> None:
    """And where nobody listens, nothing is staged."""
    feed, told = Feed(), list[FeedEvent]()
    leave = feed.subscribe(told.append)
    feed.publish(BoxChanged(BOX))
    leave()
    leave()
    feed.publish(BoxChanged(BOX))
    feed.stage(BoxChanged(BOX))
    assert told == [BoxChanged(BOX)]
    assert feed.take_staged() == ()
