"""What the console lists, each list in one statement over the tables of several features.

Read-only. Times are microseconds since 1970 UTC; ``site`` None means every site.
"""

from typing import NamedTuple

from central.fleet.model import BoxRow, Certificate, Site
from central.scans.model import ScanRow


class StoredBox(NamedTuple):
    """A box with where it stands, whether it is there, and what it last said (msgpack)."""

    id: str
    site: str
    site_name: str
    counter: str
    state: str
    online: bool | None
    since: int | None
    heard_at: int | None
    report: bytes | None
    certificate_until: int | None


class StoredScan(NamedTuple):
    """A scan with central's verdict and, once it was reported, the box's own."""

    id: bytes
    box: str
    counter: str
    verdict: str
    reason: str | None
    box_verdict: str | None
    code_class: str | None
    medical_step: str
    person: bytes | None
    drill: bool
    judged_at: int
    born_at: int | None


_BOXES = (
    "SELECT box.id, site.id, site.name, counter.name, box.state,"
    " live.online, live.since, live.heard_at, live.report,"
    " (SELECT max(not_after) FROM certificate WHERE box_id = box.id AND revoked_at IS NULL)"
    " FROM box JOIN counter ON counter.id = box.counter_id JOIN site ON site.id = counter.site_id"
    " LEFT JOIN box_live live ON live.box_id = box.id"
)
_SCANS = (
    "SELECT id, box, counter, verdict, reason, box_verdict, code_class, medical_step, person,"
    " drill, judged_at, born_at FROM scan"
)


def list_boxes(site: str | None) -> list[StoredBox]:
    """Every box, by its id."""
    if site is None:
        rows = BoxRow.execute(f"{_BOXES} ORDER BY box.id")
    else:
        rows = BoxRow.execute(f"{_BOXES} WHERE site.id = ? ORDER BY box.id", (site,))
    return [StoredBox(*row) for row in rows]


def find_box(id: str) -> StoredBox | None:
    """One box."""
    row = BoxRow.execute(f"{_BOXES} WHERE box.id = ?", (id,)).fetchone()
    return StoredBox(*row) if row else None


def list_sites(site: str | None) -> list[tuple[str, str]]:
    """Id and name of each site that has boxes, by its id."""
    return Site.execute(
        "SELECT DISTINCT site.id, site.name FROM site JOIN counter ON counter.site_id = site.id"
        " JOIN box ON box.counter_id = counter.id WHERE ?1 IS NULL OR site.id = ?1"
        " ORDER BY site.id",
        (site,),
    ).fetchall()


def list_scans(site: str | None, most: int) -> list[StoredScan]:
    """The newest scans by their birth, which their ids begin with."""
    if site is None:
        rows = ScanRow.execute(f"{_SCANS} ORDER BY id DESC LIMIT ?", (most,))
    else:
        rows = ScanRow.execute(
            f"{_SCANS} WHERE box >= ? AND box < ? ORDER BY id DESC LIMIT ?",
            (f"{site}/", f"{site}0", most),  # 0 comes after /
        )
    return [StoredScan(*row) for row in rows]


def list_certificates(box: str) -> list[tuple[str, int, bool]]:
    """Serial, end and whether it is revoked of a box's certificates, the newest first."""
    rows = Certificate.execute(
        "SELECT serial, not_after, revoked_at IS NOT NULL FROM certificate WHERE box_id = ?"
        " ORDER BY not_before DESC",
        (box,),
    )
    return [(serial, ends, bool(revoked)) for serial, ends, revoked in rows]
