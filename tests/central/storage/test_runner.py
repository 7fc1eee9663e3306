"""Migrations: each once, all or nothing, never backwards, and the same schema as the models."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.app import MODELS
from central.storage.database import Database, open_database
from central.storage.runner import Migration, migrate, read_migrations
from shared.errors import Refused, Unavailable
from shared.reasons import Reason


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database("sqlite:///central.db", tmp_path)
    yield database
    database.close()


def version(database: Database) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def test_each_migration_runs_once(database: Database) -> None:
    """A second start finds nothing to do; a new migration runs alone."""
    first = Migration(1, ("CREATE TABLE one (id INTEGER)",))
    second = Migration(2, ("CREATE TABLE two (id INTEGER)",))
    assert migrate(database, (first,)) == 1
    assert migrate(database, (first, second)) == 1
    assert migrate(database, (first, second)) == 0
    assert version(database) == 2


def test_all_or_nothing(database: Database) -> None:
    """A migration that fails takes those before it back."""
    good = Migration(1, ("CREATE TABLE one (id INTEGER)",))
    bad = Migration(2, ("CREATE TABLE two (id INTEGER)", "CREATE TABLE one (id INTEGER)"))
    with pytest.raises(Unavailable):
        migrate(database, (good, bad))
    assert version(database) == 0
    assert database.execute("SELECT name FROM sqlite_schema").fetchall() == []


def test_a_newer_database_is_refused(database: Database) -> None:
    """A database that a later version wrote is not touched."""
    database.execute("PRAGMA user_version = 9999")
    with pytest.raises(Refused) as caught:
        migrate(database, read_migrations())
    assert caught.value.reason is Reason.STORE_NEWER
    assert version(database) == 9999


def test_numbers_are_unique() -> None:
    """The number is the schema's version: two files never share one."""
    numbers = [migration.number for migration in read_migrations()]
    assert numbers == sorted(set(numbers))


def test_triggers_are_one_statement(tmp_path: Path) -> None:
    """A statement ends where SQLite says, not at each semicolon; comments are harmless."""
    trigger = "CREATE TRIGGER t BEFORE DELETE ON a\nBEGIN SELECT 1; SELECT 2; END;"
    (tmp_path / "0001_x.sql").write_text(f"-- why\nCREATE TABLE a (id);\n{trigger}\n-- end\n")
    (tmp_path / "notes.txt").write_text("not a migration")
    (migration,) = read_migrations(tmp_path)
    assert migration.statements[:2] == ("-- why\nCREATE TABLE a (id);", trigger)


def test_models_and_migrations_give_the_same_schema(database: Database, tmp_path: Path) -> None:
    """peewee's models own the schema: the migrations end where the models are."""
    migrate(database, read_migrations())
    with sqlite3.connect(tmp_path / "central.db") as migrated:
        from_migrations = read_schema(migrated)
    models = open_database("sqlite:///models.db", tmp_path)
    models.bind(MODELS)
    models.peewee.create_tables(MODELS)
    models.close()
    with sqlite3.connect(tmp_path / "models.db") as created:
        from_models = read_schema(created)
    assert from_models.keys() == from_migrations.keys()
    for table, schema in from_models.items():
        assert schema == from_migrations[table], table


def read_schema(connection: sqlite3.Connection) -> dict[str, tuple[object, ...]]:
    """Columns, indexes and foreign keys of every table, without their names' accidents."""
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {
        table: (
            {(*row[1:4], row[5]) for row in pragma(connection, "table_info", table)},
            {
                (bool(row[2]), tuple(part[2] for part in pragma(connection, "index_info", row[1])))
                for row in pragma(connection, "index_list", table)
            },
            {tuple(row[2:5]) for row in pragma(connection, "foreign_key_list", table)},
        )
        for (table,) in tables
    }


def pragma(connection: sqlite3.Connection, name: str, about: object) -> list[tuple[object, ...]]:
    return connection.execute(f'PRAGMA {name}("{about}")').fetchall()
