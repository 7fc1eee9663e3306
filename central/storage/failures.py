"""The one place where peewee's and SQLite's own exceptions become ours.

``peewee.IntegrityError`` passes untouched: a store turns it into a reason of its own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import peewee

from shared.errors import Damaged, Unavailable
from shared.reasons import Reason

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@contextmanager
def mapped_exceptions() -> Iterator[None]:
    """Turn a database's failures into Unavailable (locked, full, gone) and Damaged."""
    try:
        yield
    except peewee.DatabaseError as error:
        if _code(error) in _DAMAGE:
            raise Damaged(Reason.STORE_DAMAGED, str(error)) from error
        if isinstance(error, peewee.OperationalError):
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error
        raise


def _code(error: BaseException) -> int:
    """SQLite's primary result code; peewee keeps the driver's exception as cause or context."""
    driver = error.__cause__ or error.__context__
    return int(getattr(driver, "sqlite_errorcode", 0)) & 0xFF
