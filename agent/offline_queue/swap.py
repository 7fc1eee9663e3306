"""Brings a queue with rows to this version's schema: on a copy, which is verified and then takes
the file's place by one rename. Whatever stops the process, the old file is in use until that
moment, and the next start begins again.

A disk too full for a copy leaves the file to ``migration.migrate``, in one transaction.
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from agent.offline_queue.database import mapped_exceptions
from agent.offline_queue.inspection import check_schema
from agent.offline_queue.migration import Migration, migrate, read_version
from agent.offline_queue.states import FileEdge
from shared.errors import Damaged, Unavailable
from shared.reasons import Reason

log = logging.getLogger(__name__)

_KEPT = {
    "row": "epoch, seq, id, lane, born, prev, body, body_hash, hash, state, tombstone",
    "epoch": "number, box, suite, begun, seq, hash, floor, settled, tombstoned",
    "encapsulation": "id, wrapped",
    "consumed_code": "token, id, born, verdict",
}
"""What no version may lose or change, by table: the columns that every version has."""


class WrongMigrationError(Exception):
    """A migration loses or changes what it must not: no damage, for the file is as it was."""


def swap(
    path: Path, migrations: tuple[Migration, ...], observe: Callable[[FileEdge], None]
) -> bool:
    """Migrate by a copy, if the file has rows of an older schema; whether it did.

    Its writer's lock is held. Raises Refused (STORE_NEWER), Damaged, Unavailable (disk, somebody
    reads), WrongMigrationError: a bug of ours; whichever it is, the file says what it said.
    """
    copy = path.with_name(path.name + ".next")
    try:
        _remove(copy)
        if not path.exists() or not path.stat().st_size:
            return False
        with mapped_exceptions(), closing(sqlite3.connect(path, isolation_level=None)) as old:
            version = read_version(old, migrations[-1].number)
            if version in {0, migrations[-1].number}:
                return False
            check_schema(old, migrations)
            # Out of the log and into the file, and nobody else has it open: a log that stayed
            # would be taken for the copy's.
            if old.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
                raise Unavailable(Reason.STORE_UNAVAILABLE, "the queue is being read")
            observe(FileEdge.OLD_AT_REST)
            os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            old.execute("VACUUM INTO ?", (str(copy),))
            observe(FileEdge.COPY_MADE)
        _migrate_copy(path, copy, migrations, observe)
        copy.replace(path)
        _sync(path.parent)
        observe(FileEdge.COPY_IN_PLACE)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error
    log.info("the queue's schema went from %d to %d", version, migrations[-1].number)
    return True


def _migrate_copy(
    path: Path,
    copy: Path,
    migrations: tuple[Migration, ...],
    observe: Callable[[FileEdge], None],
) -> None:
    with mapped_exceptions(), closing(sqlite3.connect(copy, isolation_level=None)) as new:
        try:
            migrate(new, migrations)
        except Damaged as error:
            raise WrongMigrationError(error.detail) from error
        observe(FileEdge.COPY_MIGRATED)
        (found,) = new.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise WrongMigrationError(found)
        new.execute("ATTACH ? AS old", (str(path),))
        for table, columns in _KEPT.items():
            _compare(new, table, columns)
        new.execute("DETACH old")
        observe(FileEdge.COPY_VERIFIED)
    descriptor = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    observe(FileEdge.COPY_DURABLE)


def _compare(new: sqlite3.Connection, table: str, columns: str) -> None:
    """That a table says what it said, neither less nor more."""
    for one, other in (("old", "main"), ("main", "old")):
        query = (
            f'SELECT {columns} FROM {one}."{table}" EXCEPT'  # noqa: S608 - constants
            f' SELECT {columns} FROM {other}."{table}" LIMIT 1'
        )
        if new.execute(query).fetchone() is not None:
            raise WrongMigrationError(f"it changes what {table} says")


def _remove(copy: Path) -> None:
    """What a start that was cut off has left."""
    for tail in ("", "-journal", "-wal", "-shm"):
        copy.with_name(copy.name + tail).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
