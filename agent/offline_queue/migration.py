"""Brings a queue's schema up to date: all due migrations or none, and never at a row's cost.

All in one transaction: SQLite's DDL and ``user_version`` are transactional (lang_transaction,
pragma user_version). A file with rows is migrated as a copy first (``swap.py``); here the ledger
is compared once more with what it was, and a migration that lost a row is rolled back (a peer's
failed migration dropped its tables).
"""

import re
import sqlite3
from importlib.resources import files
from typing import NamedTuple

from agent.offline_queue.database import mapped_exceptions
from shared.errors import Damaged, Refused, Unavailable
from shared.reasons import Reason

_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql")


class Migration(NamedTuple):
    """One step of the schema; ``number`` becomes the file's ``user_version``."""

    number: int
    sql: str


def read_migrations() -> tuple[Migration, ...]:
    """The migrations shipped with this version, in order of their numbers."""
    found = [
        Migration(int(name[1]), file.read_text(encoding="utf-8"))
        for file in files("agent.offline_queue.migrations").iterdir()
        if (name := _NAME.fullmatch(file.name))
    ]
    return tuple(sorted(found))


def migrate(connection: sqlite3.Connection, migrations: tuple[Migration, ...]) -> int:
    """Run what is due; how many ran.

    Raises Refused (STORE_NEWER) for a file that a later version has written, Damaged when a
    migration changed the ledger, Unavailable (disk); the file is then as it was.
    """
    with mapped_exceptions():
        newest = migrations[-1].number
        current = read_version(connection, newest)
        due = [migration for migration in migrations if migration.number > current]
        if not due:
            return 0
        before = _ledger(connection) if current else None
        script = "\n".join(migration.sql for migration in due)
        try:
            # executescript() commits what is open before it begins, so the script itself begins.
            connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {newest};")
            if before is not None and _ledger(connection) != before:
                raise Damaged(Reason.STORE_DAMAGED, f"migration to {newest} changes the ledger")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    return len(due)


def check_migrated(connection: sqlite3.Connection, migrations: tuple[Migration, ...]) -> None:
    """For a reader, who runs nothing: that the file has this version's schema.

    Raises Unavailable (STORE_UNAVAILABLE) for a file not begun or not yet brought up to date,
    Refused (STORE_NEWER), Damaged (not a database).
    """
    with mapped_exceptions():
        newest = migrations[-1].number
        current = read_version(connection, newest)
    if current < newest:
        raise Unavailable(Reason.STORE_UNAVAILABLE, f"schema {current}, needed {newest}")


def read_version(connection: sqlite3.Connection, newest: int) -> int:
    """The file's schema. Raises Refused (STORE_NEWER)."""
    current = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if current > newest:
        raise Refused(Reason.STORE_NEWER, f"schema {current}, known {newest}")
    return current


def _ledger(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """What no migration may change: how many rows, which sequences, how much content."""
    query = 'SELECT epoch, count(*), sum(seq), state, total(length(body)) FROM "row"'
    return connection.execute(query + " GROUP BY epoch, state ORDER BY epoch, state").fetchall()
