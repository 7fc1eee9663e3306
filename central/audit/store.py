"""The audit's statements."""

from collections.abc import Iterator
from typing import NamedTuple

from central.audit.chain import GENESIS, Act
from central.audit.model import AuditHead, AuditRow, AuditSeal, AuditWaiting
from central.storage.table import Value

_ACT = "seq, at, act, subject, actor, facts"
# SQLite has one writer at a time: rows are committed in the order of their sequence.
_UNSEALED = "seq > (SELECT coalesce(max(row_id), 0) FROM audit_seal)"

_CONDITIONS = ("act GLOB ?", "subject = ?", "actor = ?", "at >= ?", "at < ?")


class SealedAct(NamedTuple):
    """A seal and its row; ``act`` is None when somebody took the row away."""

    position: int
    mac: bytes
    act: Act | None


class Selection(NamedTuple):
    """Which rows to list; None: whichever."""

    act: str | None
    subject: str | None
    actor: str | None
    since: int | None
    until: int | None


class Head(NamedTuple):
    """The stored end of the chain."""

    position: int
    mac: bytes


def insert_act(at: int, act: str, subject: str, actor: str, facts: str) -> None:
    """Append a row."""
    AuditRow.execute(
        "INSERT INTO audit_row (at, act, subject, actor, facts) VALUES (?, ?, ?, ?, ?)",
        (at, act, subject, actor, facts),
    )


def insert_waiting(at: int, act: str, subject: str, actor: str, facts: str) -> None:
    """Keep a row aside."""
    AuditWaiting.execute(
        "INSERT INTO audit_waiting (at, act, subject, actor, facts) VALUES (?, ?, ?, ?, ?)",
        (at, act, subject, actor, facts),
    )


def list_waiting(limit: int) -> list[Act]:
    """The oldest rows kept aside; ``seq`` is their own number there."""
    cursor = AuditWaiting.execute(
        "SELECT id, at, act, subject, actor, facts FROM audit_waiting ORDER BY id LIMIT ?",
        (limit,),
    )
    return [Act(*row) for row in cursor]


def delete_waiting(id: int) -> None:
    """A row kept aside was taken in."""
    AuditWaiting.execute("DELETE FROM audit_waiting WHERE id = ?", (id,))


def count_waiting() -> int:
    """How many rows are kept aside."""
    return int(AuditWaiting.execute("SELECT count(*) FROM audit_waiting").fetchone()[0])


def list_unsealed(limit: int) -> list[Act]:
    """The oldest rows that have no seal."""
    cursor = AuditRow.execute(
        f"SELECT {_ACT} FROM audit_row WHERE {_UNSEALED} ORDER BY seq LIMIT ?",  # noqa: S608 - constants
        (limit,),
    )
    return [Act(*row) for row in cursor]


def list_acts(selection: Selection, before: int | None, limit: int) -> list[Act]:
    """Rows from the newest to the oldest, those before ``before`` alone."""
    conditions, values = ["seq < coalesce(?, seq + 1)"], list[Value]([before])
    for condition, value in zip(_CONDITIONS, selection, strict=True):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    cursor = AuditRow.execute(
        f"SELECT {_ACT} FROM audit_row WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants
        " ORDER BY seq DESC LIMIT ?",
        (*values, limit),
    )
    return [Act(*row) for row in cursor]


def last_sealed_row() -> int:
    """The sequence of the newest sealed row; 0 before the first."""
    return int(AuditSeal.execute("SELECT coalesce(max(row_id), 0) FROM audit_seal").fetchone()[0])


def last_seal() -> tuple[int, bytes]:
    """Position and seal of the chain's end; 0 and GENESIS before the first."""
    row = AuditSeal.execute(
        "SELECT position, mac FROM audit_seal ORDER BY position DESC LIMIT 1"
    ).fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def insert_seal(position: int, seq: int, mac: bytes) -> None:
    """Put a row into the chain."""
    AuditSeal.execute(
        "INSERT INTO audit_seal (position, row_id, mac) VALUES (?, ?, ?)", (position, seq, mac)
    )


def save_head(head: Head) -> None:
    """Move the stored end of the chain."""
    AuditHead.execute(
        "INSERT INTO audit_head (id, position, mac) VALUES (1, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET position = excluded.position, mac = excluded.mac",
        head,
    )


def read_head() -> Head | None:
    """The stored end of the chain; None before the first seal."""
    row = AuditHead.execute("SELECT position, mac FROM audit_head WHERE id = 1").fetchone()
    return Head(*row) if row else None


def iterate_sealed(last: int) -> Iterator[SealedAct]:
    """The chain in order of its positions, up to ``last``."""
    cursor = AuditSeal.execute(
        f"SELECT position, mac, {_ACT} FROM audit_seal"  # noqa: S608 - constants
        " LEFT JOIN audit_row ON row_id = seq WHERE position <= ? ORDER BY position",
        (last,),
    )
    for position, mac, *act in cursor:
        yield SealedAct(position, mac, Act(*act) if act[0] is not None else None)


def count_sealed() -> int:
    """The chain's length."""
    return int(AuditSeal.execute("SELECT count(*) FROM audit_seal").fetchone()[0])


def count_unsealed() -> int:
    """Rows that wait for their seal."""
    cursor = AuditRow.execute(f"SELECT count(*) FROM audit_row WHERE {_UNSEALED}")  # noqa: S608 - constants
    return int(cursor.fetchone()[0])
