"""Reads by key in the loop's own thread: those of one turn of the loop share one read transaction.

Beginning and ending a read costs more than the read (locks on the write-ahead log's index), and a
turn is far too short for anything to grow old. Writes nothing.
"""

import asyncio

from central.storage.database import Database


class Glances:
    """Made where the loop runs; from then on this thread's connection refuses every write."""

    def __init__(self, database: Database) -> None:
        database.make_read_only()
        self._execute = database.connection.execute
        self._soon = asyncio.get_running_loop().call_soon
        self._open = False

    def glance(self) -> None:
        """What is read now, until this turn ends, is of one moment."""
        if not self._open:
            self._execute("BEGIN")
            self._open = True
            self._soon(self._close)

    def _close(self) -> None:
        self._open = False
        self._execute("ROLLBACK")
