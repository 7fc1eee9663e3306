"""What an opening looks at before it believes a queue's file: little, for a million rows may wait.

The log's checksums, the schema, each epoch's notes and its last row. What lies deeper is found when
a row is read (``Journal.read_pending``). Everything that is not as it was written is Damaged.
"""

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from agent.offline_queue.database import unavailable
from agent.offline_queue.migration import Migration
from agent.offline_queue.pages import PAGE_BYTES, PageFile
from shared.crypto import Suite
from shared.errors import Damaged
from shared.ids import BoxId
from shared.ledger import FIRST_SEQ, HASH_BYTES, genesis_hash, row_hash
from shared.reasons import Reason

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\0"
_INT64 = 1 << 63
_EPOCHS = "SELECT number, box, suite, seq, hash, floor, settled, tombstoned, lost FROM epoch"
_NEXT_EPOCH = 'SELECT epoch FROM "row" WHERE epoch > ? ORDER BY epoch LIMIT 1'
_ROW = "SELECT seq, id, lane, born, prev, body_hash, hash"
_LAST = f'{_ROW} FROM "row" WHERE epoch = ? ORDER BY seq DESC LIMIT 1'
_AT = f'{_ROW} FROM "row" WHERE epoch = ? AND seq = ?'


def check_files(path: Path, begun: Sequence[int]) -> None:
    """Before SQLite opens them: it would begin an empty file anew, and read a log up to its first
    wrong checksum without a word. ``begun`` are the epochs that are known to have begun here.

    Raises Damaged, Unavailable.
    """
    try:
        missing = not path.exists() or path.stat().st_size == 0
        if missing and begun:
            raise Damaged(Reason.STORE_DAMAGED, "the file is gone or empty")
        if missing:
            return
        with path.open("rb") as file:
            if not _is_header(file.read(_HEADER_BYTES)):
                raise Damaged(Reason.STORE_DAMAGED, "not a database of ours")
        with PageFile(path) as pages:
            if pages.unread_commits > 1:
                raise Damaged(
                    Reason.STORE_DAMAGED,
                    f"{pages.unread_commits} commits of the log are unreadable",
                )
    except OSError as error:
        raise unavailable(error) from error


def noted_version(path: Path) -> int:
    """The schema's version as the file itself notes it, which a log may be ahead of; 0 for none.

    Raises Unavailable.
    """
    try:
        with path.open("rb") as file:
            return int.from_bytes(file.read(_HEADER_BYTES)[60:64], "big")
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise unavailable(error) from error


def _is_header(header: bytes) -> bool:
    """Whether a file begins as SQLite begins every queue (fileformat2, section 1.3)."""
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        return False
    page_bytes, write, read, *fractions = struct.unpack_from(">H6B", header, 16)
    schema_format, encoding = header[44:48], header[56:60]
    return (
        page_bytes == PAGE_BYTES
        and {write, read} <= {1, 2}
        and fractions == [0, 64, 32, 32]
        and int.from_bytes(schema_format, "big") <= 4
        and encoding in {bytes(4), b"\0\0\0\1"}
    )


def check_schema(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """That the file has the tables that its version has. Raises Damaged."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript("\n".join(each.sql for each in migrations if each.number <= version))
        wanted = _schema(model)
    if version <= migrations[-1].number and wanted != _schema(connection):
        raise Damaged(Reason.STORE_DAMAGED, f"not the tables of version {version}")


def _schema(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(str(name), " ".join(str(sql).split())) for name, sql in found}


def check_ledger(
    connection: sqlite3.Connection, box: BoxId, suite: Suite, begun: Sequence[int]
) -> None:
    """That what a new row is linked to, and what is counted from, is as it was written, and that
    every epoch is here that has ``begun``.

    Raises Damaged; another box's file is none, and passes.
    """
    known = {number for (number,) in connection.execute("SELECT number FROM epoch")}
    if gone := set(begun) - known:
        raise Damaged(Reason.STORE_DAMAGED, f"epoch {min(gone)} is gone")
    for finding in _find_wrong(connection, box, suite):
        raise Damaged(Reason.STORE_DAMAGED, finding)


def _find_wrong(connection: sqlite3.Connection, box: BoxId, suite: Suite) -> Iterator[str]:
    epochs = connection.execute(_EPOCHS).fetchall()
    known = set()
    for number, owner, of_suite, seq, hash, floor, *counts, lost in epochs:
        numbers = (number, of_suite, seq, floor, *counts, lost)
        if not all(isinstance(each, int) and 0 <= each < _INT64 for each in numbers):
            yield f"epoch {number}: numbers out of range"
        if not isinstance(hash, bytes) or len(hash) != HASH_BYTES or not isinstance(owner, str):
            yield f"epoch {number}: not a head"
        known.add(number)
        if owner != str(box):
            first = connection.execute(_AT, (number, FIRST_SEQ)).fetchone()
            if first is not None and first[4] == genesis_hash(suite, box, number):
                yield f"epoch {number}: another box's name over this box's rows"
            continue
        yield from _find_wrong_rows(connection, suite, (number, seq, hash, floor), lost)
    last = -1
    while found := connection.execute(_NEXT_EPOCH, (last,)).fetchone():
        (last,) = found
        if last not in known:
            yield f"rows of epoch {last}, which never began"
            return


def _find_wrong_rows(
    connection: sqlite3.Connection, suite: Suite, noted: tuple[int, int, bytes, int], lost: int
) -> Iterator[str]:
    """``lost`` rows of the epoch went with another file, or are not back from it yet."""
    epoch, seq, hash, floor = noted
    last = connection.execute(_LAST, (epoch,)).fetchone()
    if last is not None and not _is_whole(suite, last):
        yield f"epoch {epoch}: its last row is not what was written"
    if seq > floor and not lost and (last is None or last[0] < seq):
        yield f"epoch {epoch}: rows are missing at its end"
    at = connection.execute(_AT, (epoch, seq)).fetchone()
    if at is not None and at[-1] != hash:
        yield f"epoch {epoch}: its noted head is another row"
    if at is None and last is not None and seq > floor and not lost:
        yield f"epoch {epoch}: its noted head is missing"


def _is_whole(suite: Suite, row: tuple[object, ...]) -> bool:
    seq, id, lane, born, prev, body_hash, hash = row
    try:
        return row_hash(suite, prev, seq, id, lane, born, body_hash) == hash  # type: ignore[arg-type]
    except (TypeError, struct.error):  # a column of another kind
        return False
