"""The statements on notices. Times are microseconds since 1970 UTC."""

from collections.abc import Sequence

from central.notices.model import NoticeRow
from shared.ids import BoxId, parse_box_id
from shared.notices import Notice


def insert_notice(box: BoxId, notice: Notice) -> bool:
    """Keep what a box is to be told; False when it is kept already."""
    cursor = NoticeRow.execute(
        "INSERT INTO notice (id, box_id, kind, zh, en, reason, record, case_id, posted_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (
            *(notice.id, str(box), notice.kind, notice.zh, notice.en),
            *(notice.reason, notice.record, notice.case, notice.at),
        ),
    )
    return cursor.rowcount > 0


def list_waiting(box: BoxId, most: int) -> list[Notice]:
    """The oldest that a box has not acknowledged."""
    cursor = NoticeRow.execute(
        "SELECT id, posted_at, kind, zh, en, reason, record, case_id FROM notice"
        " WHERE box_id = ? AND acknowledged_at IS NULL ORDER BY id LIMIT ?",
        (str(box), most),
    )
    return [Notice(*row) for row in cursor]


def list_boxes_waiting() -> list[BoxId]:
    """The boxes that have not acknowledged everything."""
    cursor = NoticeRow.execute(
        "SELECT DISTINCT box_id FROM notice WHERE acknowledged_at IS NULL ORDER BY box_id"
    )
    return [parse_box_id(row[0]) for row in cursor]


def acknowledge(box: BoxId, ids: Sequence[bytes], at: int) -> int:
    """Note that a box has these; how many it had not acknowledged before."""
    return sum(
        NoticeRow.execute(
            "UPDATE notice SET acknowledged_at = ?"
            " WHERE id = ? AND box_id = ? AND acknowledged_at IS NULL",
            (at, id, str(box)),
        ).rowcount
        for id in ids
    )


def list_deliveries(case: bytes) -> list[tuple[str, int, int | None]]:
    """Which boxes were told of a case, when, and when each had it."""
    return NoticeRow.execute(
        "SELECT box_id, posted_at, acknowledged_at FROM notice WHERE case_id = ? ORDER BY id",
        (case,),
    ).fetchall()
