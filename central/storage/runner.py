"""Runs the numbered migrations: all of them or none, each once, never on a newer database.

A migration is ``migrations/sqlite/NNNN_noun.sql``; the number of the last one that ran is
SQLite's ``user_version``, written in the same transaction.
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from central.storage.database import Database
from shared.errors import Refused
from shared.reasons import Reason

MIGRATIONS = Path(__file__).parent / "migrations" / "sqlite"
_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    statements: tuple[str, ...]


def read_migrations(directory: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """The migrations of a folder, in order of their numbers."""
    found = []
    for path in sorted(directory.iterdir()):
        if name := _NAME.fullmatch(path.name):
            text = path.read_text(encoding="utf-8")
            found.append(Migration(int(name[1]), tuple(_split(text))))
    return tuple(found)


def migrate(database: Database, migrations: tuple[Migration, ...]) -> int:
    """Bring the schema up to date; how many migrations ran.

    Raises Refused (STORE_NEWER) for a database that a later version has written.
    """
    newest = migrations[-1].number if migrations else 0
    with database.unit():
        current = int(database.execute("PRAGMA user_version").fetchone()[0])
        if current > newest:
            raise Refused(Reason.STORE_NEWER, f"schema {current}, known {newest}")
        due = [migration for migration in migrations if migration.number > current]
        for migration in due:
            for statement in migration.statements:
                database.execute(statement)
        if due:
            database.execute(f"PRAGMA user_version = {newest}")
    return len(due)


def _split(text: str) -> Iterator[str]:
    """Statements one by one: ``executescript`` would commit the transaction they must share."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if statement.strip():
        yield statement.strip()
