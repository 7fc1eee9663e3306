"""The one place where peewee's and SQLite's own exceptions become ours.

A broken constraint is ``peewee.IntegrityError`` whichever of the two found it: a store turns it
into a reason of its own.
"""

import sqlite3

import peewee

from shared.errors import Damaged, Unavailable
from shared.reasons import Reason

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class mapped_exceptions:  # noqa: N801 - read as ``with mapped_exceptions():``
    """Turn a database's failures into Unavailable (locked, full, gone) and Damaged."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _at: object
    ) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            raise peewee.IntegrityError(str(error)) from error
        if not isinstance(error, sqlite3.DatabaseError | peewee.DatabaseError):
            return
        if _code(error) in _DAMAGE:
            raise Damaged(Reason.STORE_DAMAGED, str(error)) from error
        if isinstance(error, sqlite3.OperationalError | peewee.OperationalError):
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error


def _code(error: BaseException) -> int:
    """SQLite's primary result code; peewee keeps the driver's exception as cause or context."""
    for driver in (error, error.__cause__, error.__context__):
        code = getattr(driver, "sqlite_errorcode", None)
        if code is not None:
            return int(code) & 0xFF
    return sqlite3.SQLITE_ERROR
