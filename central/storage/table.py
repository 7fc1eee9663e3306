"""The base of every peewee model at central, and plain SQL beside it for the hot statements."""

import sqlite3
from collections.abc import Sequence

import peewee

from central.storage.failures import mapped_exceptions
from shared.errors import Malformed
from shared.reasons import Reason

Value = str | int | float | bytes | None
"""What a statement may be given."""


def run_statement(
    database: peewee.Database, statement: str, values: Sequence[Value]
) -> sqlite3.Cursor:
    """Run plain SQL of the database's dialect.

    Raises Unavailable, Damaged, IntegrityError; Malformed (MESSAGE_MALFORMED) for a value that no
    column holds: whoever sent it is wrong, not the database. On the driver's own connection:
    peewee's way there costs as much as the statement (measured).
    """
    try:
        connection: sqlite3.Connection = database.connection()  # type: ignore[no-untyped-call]
        return connection.execute(statement, values)
    except (sqlite3.Error, peewee.PeeweeException):
        with mapped_exceptions():
            raise
    except (OverflowError, UnicodeEncodeError) as error:  # beyond 64 bits; half a character
        raise Malformed(Reason.MESSAGE_MALFORMED, "a value that no column holds") from error


class Table(peewee.Model):
    """A table. Bound to a database when central opens; its schema comes from the migrations.

    Columns are TEXT, BLOB and INTEGER; times are microseconds since 1970 UTC.
    """

    @classmethod
    def execute(cls, statement: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run plain SQL in the database this table is bound to, inside the caller's unit."""
        return run_statement(cls._meta.database, statement, values)

    class Meta:
        legacy_table_names = False
