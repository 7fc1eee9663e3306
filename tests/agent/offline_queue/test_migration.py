"""Migrations: models and SQL agree; all or nothing; no row is ever the price of a schema."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import peewee
import pytest

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.migration import Migration, migrate, read_migrations
from agent.offline_queue.models import MODELS
from shared.errors import Damaged, Unavailable
from shared.ledger import Account
from shared.reasons import Reason
from tests.agent.offline_queue.box import opened, scan_draft, tampering

SHIPPED = read_migrations()
NEXT = SHIPPED[-1].number + 1


def _schema(connection: sqlite3.Connection) -> set[str]:
    """Every table and index as SQL, spacing and comments apart."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        re.sub(r"\s+(?=[,)])", "", " ".join(sql.split())).replace("( ", "(")
        for (sql,) in found.fetchall()
    }


def test_models_and_migrations_give_the_same_schema() -> None:
    """The models own the schema; a migration that strays from them is caught here."""
    database = peewee.SqliteDatabase(":memory:")
    with database.bind_ctx(MODELS), closing(sqlite3.connect(":memory:")) as migrated:
        database.create_tables(MODELS)
        migrate(migrated, SHIPPED)
        connection = database.connection()  # type: ignore[no-untyped-call]
        assert _schema(connection) == _schema(migrated)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A queue of the present version with a backlog of three."""
    async with opened(tmp_path / "queue.db") as outbox:
        for _ in range(3):
            await outbox.commit(scan_draft())
    return tmp_path / "queue.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, as a migration is given it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_a_migration_runs_once(connection: sqlite3.Connection) -> None:
    """What has run is in ``user_version``, which commits with it."""
    migrations = (*SHIPPED, Migration(NEXT, 'CREATE TABLE "new" ("a" INTEGER);'))
    assert migrate(connection, migrations) == 1
    assert migrate(connection, migrations) == 0


@pytest.mark.parametrize(
    "second",
    ["NONSENSE;", 'CREATE TABLE "row" ("a" INTEGER);', 'DELETE FROM "row" WHERE seq = 2;'],
    ids=["syntax", "conflict", "loses-a-row"],
)
def test_a_failed_migration_leaves_the_old_file_in_use(
    path: Path, connection: sqlite3.Connection, second: str
) -> None:
    """Of two due migrations the first is undone with the second; schema and rows are as before."""
    before = _schema(connection)
    migrations = (
        *SHIPPED,
        Migration(NEXT, 'ALTER TABLE "row" ADD COLUMN "new" TEXT;'),
        Migration(NEXT + 1, second),
    )
    with pytest.raises((sqlite3.OperationalError, Damaged)):
        migrate(connection, migrations)
    assert _schema(connection) == before
    assert migrate(connection, SHIPPED) == 0
    report = verify_queue(path)
    assert report.holds
    assert report.account == Account(3, 0, 3, 0)


def test_a_file_that_was_never_begun_has_no_account(tmp_path: Path) -> None:
    """A process that ended before its first commit has promised nothing."""
    (tmp_path / "queue.db").touch()
    with pytest.raises(Unavailable, match=Reason.STORE_UNAVAILABLE):
        verify_queue(tmp_path / "queue.db")


def test_the_version_is_the_last_migrations(path: Path) -> None:
    """A reader can tell which schema it meets."""
    with tampering(path) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert version == SHIPPED[-1].number
