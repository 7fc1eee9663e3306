"""A centre of users: real keys, database and audit, a clock that is moved, a desk at a writer."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.audit.model import MODELS as AUDIT
from central.audit.service import Audit
from central.config import UsersConfig
from central.keys.service import Keys
from central.keys.store import new_contents
from central.storage.database import Database, open_database
from central.storage.runner import migrate, read_migrations
from central.storage.writer import Writer
from central.users.desk import Desk
from central.users.model import MODELS as USERS
from central.users.principal import SignedIn
from central.users.roles import SITE_ROLES, Role
from central.users.service import Users
from central.users.user import NewUser, User
from shared.clock import ManualClock
from shared.passwords import hash_password

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ACTOR = "command:test"
PASSWORD = "梅花香自苦寒来 and then some"
PHC = hash_password(PASSWORD)


@dataclass
class Place:
    """What the users' tests work on."""

    database: Database
    keys: Keys
    audit: Audit
    users: Users
    clock: ManualClock

    def add(self, login: str, role: Role = Role.OPERATIONS) -> User:
        """A user with PASSWORD, which is their own already."""
        site = "site1" if role in SITE_ROLES else None
        new = NewUser(login, f"用户{login}", role, site)
        with self.database.unit():
            user = self.users.add(new, PHC, self.clock.now(), ACTOR)
            self.users.store_password(user.id, PHC, once=False)
        return self.users.read(user.id)

    def acts(self, act: str) -> list[tuple[str, str, str]]:
        """Subject, actor and facts of each row of one act."""
        statement = "SELECT subject, actor, facts FROM audit_row WHERE act = ? ORDER BY seq"
        return [(row[0], row[1], row[2]) for row in self.database.execute(statement, (act,))]

    def open(self, user: User) -> SignedIn:
        """A session, without the desk."""
        with self.database.unit():
            return self.users.sessions.open(user, self.clock.now())

    def pass_time(self, **step: float) -> None:
        self.clock.advance(timedelta(**step))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    database = open_database("sqlite:///central.db", tmp_path)
    migrate(database, read_migrations())
    database.bind((*AUDIT, *USERS))
    keys = Keys(new_contents(1))
    audit = Audit(database, keys.audit_mac)
    users = Users(keys, audit, UsersConfig(), at_server=True)
    yield Place(database, keys, audit, users, ManualClock(AT))
    database.close()


@pytest.fixture
async def desk(place: Place) -> AsyncIterator[Desk]:
    async with Writer(place.database) as writer:
        yield Desk(place.users, place.keys, place.audit, writer, place.clock)
