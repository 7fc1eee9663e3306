"""The statements of salvaging: a scratch file to put rows in order, and the queue they go back to.

What goes back is idempotent: a salvage that was cut off is begun again from the quarantined file.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from agent.offline_queue.journal import Journal
from agent.offline_queue.quarantine import Range
from agent.offline_queue.remains import LOST, SavedCode, SavedRow
from agent.offline_queue.standing import NO_ROWS, Standing
from agent.offline_queue.store import Kept
from shared.crypto import Suite
from shared.ids import BoxId
from shared.ledger import Head, Lane, Mark, RowState
from shared.sealing import Encapsulation

_SCRATCH = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE saved (
    epoch, seq, id, lane, born, prev, body_hash, hash, body, state, tombstone, rank,
    PRIMARY KEY (epoch, seq, hash)
) WITHOUT ROWID;
CREATE INDEX namer ON saved (id) WHERE lane = 0;
"""
_SAVE = "INSERT OR IGNORE INTO saved VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LIST = (
    "SELECT epoch, seq, id, lane, born, prev, body_hash, hash, body, state, tombstone FROM saved"
    " ORDER BY epoch, seq, rank"
)
_NAMER = "SELECT 1 FROM saved WHERE id = ? AND lane = 0"
_LINKED = "SELECT 1 FROM saved WHERE epoch = ? AND seq = ? AND prev = ?"
_PUT_BACK = (
    'INSERT OR IGNORE INTO "row" (epoch, seq, id, lane, born, prev, body_hash, hash, body, state,'
    " tombstone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_GAPS = """
SELECT before + 1, seq - 1 FROM (
    SELECT seq, lag(seq, 1, ?) OVER (ORDER BY seq) AS before FROM "row" WHERE epoch = ?
) WHERE seq > before + 1
"""


class Scratch:
    """Saved rows on their way: out of the pages in any order, back in the order of the ledger."""

    def __init__(self, path: Path) -> None:
        """A file of its own, begun anew: it holds nothing that is nowhere else."""
        path.unlink(missing_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.executescript(_SCRATCH)
        self._connection.execute("BEGIN")
        self._rank = 0

    def save(self, row: SavedRow) -> None:
        """Keep a row; of one that comes again the first is the newest, and stays."""
        self._rank += 1
        values = (*row.mark, row.body, row.state, row.tombstone, self._rank)
        self._connection.execute(_SAVE, values)

    def is_namer(self, id: bytes | None) -> bool:
        """Whether a row of the identity lane has this id."""
        return self._connection.execute(_NAMER, (id,)).fetchone() is not None

    def is_linked(self, start: Head) -> bool:
        """Whether the row behind ``start`` is here and names it."""
        values = (start.epoch, start.seq + 1, start.hash)
        return self._connection.execute(_LINKED, values).fetchone() is not None

    def rows(self) -> Iterator[SavedRow]:
        """By epoch and sequence; where two claim one sequence, the newer one first."""
        for *mark, body, state, tombstone in self._connection.execute(_LIST):
            yield SavedRow(Mark(*mark), body, state, tombstone)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def begin_former(  # noqa: PLR0913, PLR0917 - an epoch: whose, how far it got, where it begins
    journal: Journal, box: BoxId, suite: Suite, ended: Head, kept: Kept | None, at: int
) -> None:
    """An epoch that went with a damaged file: all of it counts as lost until it is back, but for
    what was pruned behind a countersigned head (``kept``)."""
    pruned, settled, tombstoned = (
        (kept.start.seq, kept.settled, kept.tombstoned) if kept else (0, 0, 0)
    )
    lost = ended.seq - pruned
    if journal.find_standing(ended.epoch) is None:
        journal.store.connection.execute(
            "INSERT INTO epoch (number, box, suite, begun, seq, hash, floor, settled, tombstoned,"
            " lost) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(ended.epoch, str(box), suite.id, at, ended.seq, ended.hash),
                *(pruned, settled, tombstoned, lost),
            ),
        )
        journal.adopt(Standing(ended, pruned, settled, tombstoned, NO_ROWS, lost), kept)


def put_back(journal: Journal, rows: Sequence[SavedRow]) -> int:
    """Rows of former epochs, each in the state it is judged to have; how many are new here."""
    new = 0
    for row in rows:
        standing = journal.find_standing(row.mark.epoch)
        if standing is None or row.state == LOST or row.mark.seq > standing.head.seq:
            continue
        body = row.body
        values = (*row.mark, body, row.state, row.tombstone)
        if journal.store.connection.execute(_PUT_BACK, values).rowcount:
            journal.adopt(_counted(standing, row))
            new += 1
    return new


def _counted(standing: Standing, row: SavedRow) -> Standing:
    pending = row.state == RowState.PENDING
    waiting = tuple(
        count + (pending and lane == row.mark.lane)
        for lane, count in zip(Lane, standing.waiting, strict=True)
    )
    return standing._replace(
        # Central's receipts may have raised the floor meanwhile over what comes back only now.
        floor=min(standing.floor, row.mark.seq - 1) if pending else standing.floor,
        settled=standing.settled + (row.state == RowState.SETTLED),
        tombstoned=standing.tombstoned + (row.state == RowState.TOMBSTONED),
        waiting=waiting,
        lost=standing.lost - 1,
    )


def put_back_keys(
    journal: Journal, keys: Iterable[Encapsulation], codes: Iterable[SavedCode], at: int
) -> None:
    """Body keys and used codes; what is here already stays."""
    connection = journal.store.connection
    connection.executemany(
        "INSERT OR IGNORE INTO encapsulation (id, wrapped, made) VALUES (?, ?, ?)",
        ((key.id, key.wrapped, at) for key in keys),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO consumed_code (token, id, born, verdict) VALUES (?, ?, ?, ?)", codes
    )


def find_lost(journal: Journal, starts: Mapping[int, int]) -> list[Range]:
    """The sequences of former epochs that are not here, in order; ``starts`` says up to where each
    epoch's rows were pruned."""
    lost = []
    for epoch, start in sorted(starts.items()):
        standing = journal.find_standing(epoch)
        if standing is None:
            continue
        connection = journal.store.connection
        gaps = connection.execute(_GAPS, (start, epoch)).fetchall()
        (last,) = connection.execute(
            'SELECT coalesce(max(seq), ?) FROM "row" WHERE epoch = ?', (start, epoch)
        ).fetchone()
        if last < standing.head.seq:
            gaps.append((last + 1, standing.head.seq))
        lost += [Range(epoch, first, final) for first, final in gaps]
    return lost


def name_lost(journal: Journal, lost: Iterable[Range], record: bytes) -> None:
    """Keep which sequences are lost, and the record that says so."""
    journal.store.connection.executemany(
        "INSERT OR IGNORE INTO lost_range (epoch, first, last, record) VALUES (?, ?, ?, ?)",
        ((each.epoch, each.first, each.last, record) for each in lost),
    )
