"""Central's database: a URL becomes a peewee database, and work becomes units that hold or vanish.

Knows no table. A unit of work is a transaction, or a savepoint inside one; each thread has a
connection of its own.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

import peewee

from central.storage.failures import mapped_exceptions
from central.storage.table import Table, Value, run_statement
from shared.errors import Refused, Unavailable
from shared.reasons import Reason

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 10_000,  # milliseconds; a command line waits for the server's commits
}


_TRANSACTION = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_SAVEPOINT = (
    "SAVEPOINT unit",
    "RELEASE SAVEPOINT unit",
    ("ROLLBACK TO SAVEPOINT unit", "RELEASE SAVEPOINT unit"),
)
"""How a unit begins, is kept, and is undone. Savepoints of one name nest, and a statement that is
always the same is prepared once."""


class Database:
    """An opened database; made by ``open_database``."""

    def __init__(self, peewee_database: peewee.SqliteDatabase) -> None:
        self.peewee = peewee_database

    def bind(self, models: Sequence[type[Table]]) -> None:
        """Make these models read and write here."""
        self.peewee.bind(models)

    @contextmanager
    def unit(self) -> Iterator[None]:
        """One unit of work: all of it is durable when the block ends, or none of it happened.

        A unit inside a unit is a savepoint. IMMEDIATE: a unit that reads first and writes later
        must not meet a stale snapshot. Raises Unavailable, Damaged.
        """
        connection = self.connection
        begin, keep, undo = _SAVEPOINT if connection.in_transaction else _TRANSACTION
        with mapped_exceptions():
            connection.execute(begin)
            try:
                yield
                connection.execute(keep)
            except BaseException:
                # SQLite has given up the whole transaction by itself when the disk fails.
                if connection.in_transaction:
                    for statement in undo:
                        connection.execute(statement)
                raise

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Reads that see the database as it stands at the first of them. Takes no write lock.

        Raises Unavailable, Damaged.
        """
        connection = self.connection
        with mapped_exceptions():
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    def make_read_only(self) -> None:
        """From now on the calling thread's connection refuses every write."""
        self.execute("PRAGMA query_only = 1")

    def execute(self, statement: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run plain SQL of the database's dialect. Raises Unavailable, Damaged."""
        return run_statement(self.peewee, statement, values)

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection, opened now if it has none."""
        return cast(sqlite3.Connection, self.peewee.connection())  # type: ignore[no-untyped-call]

    @property
    def in_unit(self) -> bool:
        """Whether this thread has a transaction open, as SQLite itself sees it."""
        return self.connection.in_transaction

    def close(self) -> None:
        """Close the calling thread's connection."""
        self.peewee.close()


def open_database(url: str, base: Path = Path()) -> Database:
    """Open, or create with mode 0600, the database at ``sqlite:///<path>``; run no migration.

    A relative path (three slashes) starts at ``base``. Raises Refused (CONFIG_MALFORMED) for a
    URL we cannot serve, Unavailable (STORE_UNAVAILABLE), Damaged (STORE_DAMAGED).
    """
    path = base / _parse_url(url)
    try:
        # SQLite gives the write-ahead log and its index the mode of the file itself.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(path)) from error
    database = peewee.SqliteDatabase(str(path), pragmas=_PRAGMAS)
    with mapped_exceptions():
        database.connect()
    return Database(database)


def _parse_url(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    if parts.scheme != "sqlite" or parts.netloc or not path:
        raise Refused(Reason.CONFIG_MALFORMED, "database is sqlite:///<path>")
    return Path(path)
