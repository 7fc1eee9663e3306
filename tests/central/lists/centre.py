"""A real centre's lists beside the persons they are of, and its answers without a broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from central.cards.card import Card
from central.keys.service import Keys
from central.keys.store import renew_code_key
from central.lists.answering import ListDesk
from central.lists.model import MODELS
from central.lists.service import Lists
from central.patients.person import Person, Registration
from shared.clock import ManualClock, to_microseconds
from shared.errors import Refused, Unavailable
from shared.ids import BoxId
from shared.lists import ListHead, sign_head
from shared.messages import Ask, ListAsk, ListName, RefusalReply, Reply
from shared.reasons import Reason
from tests.central.people import AT, BOX, CLERK, People, open_people

A_SECOND = timedelta(seconds=1)


@dataclass
class ListCentre:
    """What boxes are told, and by whom; ``ask`` is as a box's uplink has it."""

    people: People
    keys: Keys
    clock: ManualClock = field(default_factory=lambda: ManualClock(AT))
    box: BoxId = BOX
    up: bool = True
    asks: list[ListAsk] = field(default_factory=list)

    def __post_init__(self) -> None:
        people = self.people
        self.lists = Lists(self.keys, people.cards, people.patients, people.hospital)
        self.desk = ListDesk(self.keys, self.lists)

    def admit(self, registration: Registration, site: str = BOX.site) -> tuple[Person, Card]:
        """Register a person, and let a site have them as a patient."""
        person, card = self.people.enrol(registration)
        with self.people.database.unit():
            self.people.hospital.admit(person.id, site, self.clock.now())
        return person, card

    def suspend(self, card: Card) -> None:
        with self.people.database.unit():
            self.people.cards.suspend(card.id, self.clock.now(), CLERK)

    def cancel(self, card: Card) -> None:
        with self.people.database.unit():
            self.people.cards.cancel(card.id, self.clock.now(), CLERK)

    def resume(self, card: Card) -> None:
        with self.people.database.unit():
            self.people.cards.resume(card.id, self.clock.now(), CLERK)

    def compose(self) -> None:
        """Take up all that is due, a second later."""
        self.clock.advance(A_SECOND)
        more = True
        while more:
            with self.people.database.unit():
                more = self.lists.compose(self.clock.now())

    def head(self, what: ListName) -> ListHead:
        site = self.box.site if what is ListName.PERSONS else ""
        return self.lists.read_head(what, site)

    def signed(self, head: ListHead) -> bytes:
        """A head as it stands on its topic."""
        return sign_head(self.keys.sign_announcement, head)

    def heads(self) -> list[bytes]:
        """All heads a box of the site hears."""
        return [self.signed(self.head(what)) for what in ListName]

    async def wait_up(self) -> None:
        """The line is up."""

    async def ask(self, ask: Ask, deadline_seconds: float) -> Reply:
        assert deadline_seconds > 0
        assert isinstance(ask, ListAsk)
        if not self.up:
            raise Unavailable(Reason.LINK_DOWN)
        assert UUID(bytes=ask.id).version == 7
        self.asks.append(ask)
        try:
            with self.people.database.unit():
                return self.desk.answer(self.box, ask, self.clock.now())
        except Refused as refusal:
            at = to_microseconds(self.clock.now())
            return RefusalReply(id=ask.id, central_at=at, reason=refusal.reason)

    def rotate(self, ahead: timedelta) -> int:
        """A new code key that signs after ``ahead``: its number; the centre starts again."""
        at = to_microseconds(self.clock.now() + ahead)
        contents, kid = renew_code_key(self.keys._contents, at)
        self.keys = Keys(contents)
        self.__post_init__()
        return kid


@contextmanager
def open_list_centre(directory: Path) -> Iterator[ListCentre]:
    """A fresh centre with lists."""
    with open_people(directory) as people:
        people.database.bind(MODELS)
        yield ListCentre(people, people.keys)
