"""The statements of presence."""

from datetime import datetime

from central.presence.live import Live
from central.presence.model import BoxLive
from shared.clock import from_microseconds, to_microseconds
from shared.desired import Reported, reports
from shared.ids import BoxId, parse_box_id

_LIVE = """
    SELECT box.id, live.online, live.since, live.heard_at, live.report
    FROM box LEFT JOIN box_live AS live ON live.box_id = box.id
"""


def find_live(box: BoxId) -> Live | None:
    """A box as it last was; None for one that there is not."""
    row = BoxLive.execute(f"{_LIVE} WHERE box.id = ?", (str(box),)).fetchone()
    return _live(row) if row else None


def list_live(site: str | None) -> list[Live]:
    """Every box, or those of a site, by id; also those that never said anything."""
    if site is None:
        rows = BoxLive.execute(f"{_LIVE} ORDER BY box.id")
    else:
        # '0' follows '/': the ids that begin with the site's own, by the primary key's index.
        bounds = (f"{site}/", f"{site}0")
        rows = BoxLive.execute(f"{_LIVE} WHERE box.id > ? AND box.id < ? ORDER BY box.id", bounds)
    return [_live(row) for row in rows]


def find_revision(box: BoxId) -> int:
    """The revision of the configuration that a box says is at work; 0 where nothing is known."""
    row = BoxLive.execute("SELECT revision FROM box_live WHERE box_id = ?", (str(box),)).fetchone()
    return int(row[0]) if row else 0


def save_status(box: BoxId, *, online: bool, at: datetime) -> bool:
    """Keep whether a box is there; whether that changed."""
    cursor = BoxLive.execute(
        "INSERT INTO box_live (box_id, online, since) VALUES (?, ?, ?)"
        " ON CONFLICT (box_id) DO UPDATE SET online = excluded.online, since = excluded.since"
        " WHERE online <> excluded.online",
        (str(box), online, to_microseconds(at)),
    )
    return cursor.rowcount > 0


def save_report(box: BoxId, report: Reported, at: datetime) -> bool:
    """Keep a box's report unless a later one is there; whether it was kept."""
    arrived = to_microseconds(at)
    cursor = BoxLive.execute(
        "INSERT INTO box_live"
        " (box_id, online, since, heard_at, epoch, created, said_at, revision, report)"
        " VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (box_id) DO UPDATE SET heard_at = excluded.heard_at,"
        " epoch = excluded.epoch, created = excluded.created, said_at = excluded.said_at,"
        " revision = excluded.revision, report = excluded.report"
        " WHERE (excluded.epoch, excluded.created, excluded.said_at) > (epoch, created, said_at)",
        (
            str(box),
            arrived,
            arrived,
            report.epoch,
            report.created,
            report.at,
            report.revision,
            reports.encode(report),
        ),
    )
    return cursor.rowcount > 0


def _live(row: tuple[str, int | None, int | None, int | None, bytes | None]) -> Live:
    box, online, since, heard_at, report = row
    return Live(
        box=parse_box_id(box),
        online=bool(online),
        since=None if since is None else from_microseconds(since),
        heard_at=None if heard_at is None else from_microseconds(heard_at),
        reported=None if report is None else reports.decode(report),
    )
