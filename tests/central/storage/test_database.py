"""Units of work, connections and failures of central's database, on real files."""

import contextlib
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from central.storage.database import Database, open_database
from shared.errors import Damaged, Malformed, Refused, Unavailable
from shared.reasons import Reason


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database("sqlite:///central.db", tmp_path)
    database.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY)")
    yield database
    database.close()


def things(database: Database) -> list[int]:
    return [row[0] for row in database.execute("SELECT id FROM thing ORDER BY id")]


def insert(database: Database, id: int) -> None:
    database.execute("INSERT INTO thing (id) VALUES (?)", (id,))


def test_the_file_and_its_log_are_private(database: Database, tmp_path: Path) -> None:
    """Database, write-ahead log and its index have mode 0600, whatever the umask."""
    insert(database, 1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("central.db", "central.db-wal", "central.db-shm"), 0o600)


def test_what_is_promised_of_every_connection(database: Database) -> None:
    """WAL, FULL and foreign keys hold in each thread's own connection."""

    def pragmas() -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [database.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    seen: list[list[object]] = [pragmas()]

    def look() -> None:
        seen.append(pragmas())
        database.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [["wal", 2, 1]] * 2


def test_a_unit_holds_or_never_was(database: Database) -> None:
    """A unit that raises leaves nothing; one inside another is undone alone."""

    def fail(inner: int) -> None:
        with database.unit():
            insert(database, inner)
            raise Malformed(Reason.REQUEST_MALFORMED)

    with pytest.raises(Malformed):
        fail(1)
    with database.unit():
        insert(database, 2)
        with pytest.raises(Malformed):
            fail(3)
        insert(database, 4)
    assert things(database) == [2, 4]
    assert not database.in_unit


def test_integrity_is_the_stores_business(database: Database) -> None:
    """A broken constraint comes through as peewee's own, for a store to give it a reason."""
    insert(database, 1)
    with pytest.raises(peewee.IntegrityError):
        insert(database, 1)


def test_a_locked_database_is_unavailable(database: Database, tmp_path: Path) -> None:
    """Another process that holds the file makes it Unavailable, not broken."""
    database.execute("PRAGMA busy_timeout = 1")

    def write() -> None:
        with database.unit():
            insert(database, 1)

    with contextlib.closing(sqlite3.connect(tmp_path / "central.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            write()
        other.execute("ROLLBACK")
    write()
    assert things(database) == [1]


def test_a_damaged_file_is_damaged(tmp_path: Path) -> None:
    """Bytes that are no database are not overwritten: a person must look."""
    path = tmp_path / "central.db"
    path.write_bytes(b"not a database at all, whatever its name is" * 100)
    before = path.read_bytes()
    with pytest.raises(Damaged) as caught:
        open_database("sqlite:///central.db", tmp_path)
    assert caught.value.reason is Reason.STORE_DAMAGED
    assert path.read_bytes() == before


def test_a_missing_directory_is_unavailable(tmp_path: Path) -> None:
    """A place that is not there may come back (a mount): Unavailable."""
    with pytest.raises(Unavailable):
        open_database("sqlite:///gone/central.db", tmp_path)


@pytest.mark.parametrize(
    "url", ["central.db", "postgresql://host/db", "sqlite://host/x", "sqlite:///"]
)
def test_a_url_we_cannot_serve_is_refused(url: str, tmp_path: Path) -> None:
    """Only what this version can open is opened."""
    with pytest.raises(Refused):
        open_database(url, tmp_path)


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, "\ud800"])
def test_a_value_that_no_column_holds(database: Database, value: int | str) -> None:
    """Whoever sent it is refused; that is no bug, which would end central."""
    with pytest.raises(Malformed) as refused:
        database.execute("INSERT INTO thing (id) VALUES (?)", (value,))
    assert refused.value.reason is Reason.MESSAGE_MALFORMED
    assert things(database) == []
