"""Every statement on what boxes asked and reported. Decides nothing.

Plain SQL because each ask and each row goes through it. Times are microseconds since 1970 UTC.
"""

from typing import NamedTuple

from central.scans.model import LabelStateRow, RegistrationRow, ScanRow, ScanSequelRow


class Judged(NamedTuple):
    """Central's verdict on a scan, as it stands in the table."""

    code_token: bytes
    verdict: str
    reason: str | None
    person: bytes | None
    consumed: bool
    judged_at: int


class Place(NamedTuple):
    """Which record, and where at the box it was born."""

    id: bytes
    box: str
    counter: str
    operator: str
    drill: bool


class Report(NamedTuple):
    """What the box's own record says of a scan, and whether central sees it differently."""

    reported_at: int
    born_at: int
    code_class: str
    verdict: str
    reason: str | None
    decided_by: str
    differs: bool


class Sequel(NamedTuple):
    """A row that names an earlier scan."""

    id: bytes
    box: str
    kind: str
    first: bytes
    verdict: str
    reason: str | None
    born_at: int
    reported_at: int


class Registered(NamedTuple):
    """What a registration was answered."""

    request_token: bytes
    person: bytes
    found: bool


class RegistrationReport(NamedTuple):
    """What the box's own record says came of a registration."""

    request_token: bytes
    reported_at: int
    born_at: int
    outcome: str
    reason: str | None


class LabelState(NamedTuple):
    """One state of one label."""

    id: bytes
    box: str
    label: bytes
    registration: bytes
    state: str
    reason: str | None
    conditions: str
    copy: int
    reprint_reason: str
    born_at: int
    reported_at: int


def find_judged(id: bytes, box: str) -> Judged | None:
    """The verdict that stands on a scan."""
    row = ScanRow.execute(
        "SELECT code_token, verdict, reason, person, consumed, judged_at FROM scan"
        " WHERE id = ? AND box = ?",
        (id, box),
    ).fetchone()
    return Judged(*row) if row else None


def find_place(id: bytes, box: str) -> tuple[Place, bool] | None:
    """Where a scan was made, and whether it was asked about."""
    row = ScanRow.execute(
        "SELECT id, box, counter, operator, drill, asked_at IS NOT NULL FROM scan"
        " WHERE id = ? AND box = ?",
        (id, box),
    ).fetchone()
    if row is None:
        return None
    id, box, counter, operator, drill, asked = row
    return Place(id, box, counter, operator, bool(drill)), bool(asked)


def insert_asked(place: Place, medical_step: str, judged: Judged) -> None:
    """A scan that was asked about, with central's verdict."""
    ScanRow.execute(
        "INSERT INTO scan (id, box, counter, operator, drill, medical_step,"
        " code_token, verdict, reason, person, consumed, judged_at, asked_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*place, medical_step, *judged, judged.judged_at),
    )


def save_reported(place: Place, medical_step: str, judged: Judged, report: Report) -> None:
    """A scan's record, with central's last word; completes the row of its ask, if there is one.

    The same record again changes nothing.
    """
    ScanRow.execute(
        "INSERT INTO scan (id, box, counter, operator, drill, medical_step,"
        " code_token, verdict, reason, person, consumed, judged_at,"
        " reported_at, born_at, code_class, box_verdict, box_reason, decided_by, differs)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id, box) DO UPDATE SET verdict = excluded.verdict,"
        " reason = excluded.reason, person = excluded.person, consumed = excluded.consumed,"
        " counter = excluded.counter, operator = excluded.operator, drill = excluded.drill,"
        " medical_step = excluded.medical_step, reported_at = excluded.reported_at,"
        " born_at = excluded.born_at, code_class = excluded.code_class,"
        " box_verdict = excluded.box_verdict, box_reason = excluded.box_reason,"
        " decided_by = excluded.decided_by, differs = excluded.differs"
        " WHERE scan.reported_at IS NULL",
        (*place, medical_step, *judged, *report),
    )


def insert_sequel(sequel: Sequel) -> None:
    """A row that names an earlier scan; the same row again changes nothing."""
    ScanSequelRow.execute(
        "INSERT INTO scan_sequel (id, box, kind, first, verdict, reason, born_at, reported_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, box) DO NOTHING",
        sequel,
    )


def find_registered(id: bytes, box: str) -> Registered | None:
    """What a registration was answered; None when it never was."""
    row = RegistrationRow.execute(
        "SELECT request_token, person, found FROM registration"
        " WHERE id = ? AND box = ? AND person IS NOT NULL",
        (id, box),
    ).fetchone()
    return Registered(row[0], row[1], bool(row[2])) if row else None


def save_registered(place: Place, registered: Registered, at: int) -> None:
    """What a registration is answered, also when its record came before."""
    RegistrationRow.execute(
        "INSERT INTO registration (id, box, counter, operator, drill,"
        " request_token, person, found, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id, box) DO UPDATE SET request_token = excluded.request_token,"
        " person = excluded.person, found = excluded.found, answered_at = excluded.answered_at",
        (*place, *registered, at),
    )


def save_registration_report(place: Place, report: RegistrationReport) -> None:
    """A registration's record; the same row again changes nothing."""
    RegistrationRow.execute(
        "INSERT INTO registration (id, box, counter, operator, drill,"
        " request_token, reported_at, born_at, outcome, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id, box) DO UPDATE SET reported_at = excluded.reported_at,"
        " born_at = excluded.born_at, outcome = excluded.outcome, reason = excluded.reason"
        " WHERE registration.reported_at IS NULL",
        (*place, *report),
    )


def resolve_scans(code_token: bytes, verdict: str, reason: str | None, person: bytes | None) -> int:
    """Give the scans of a temporary code, shown before its box had reported, the verdict they
    waited for; how many."""
    cursor = ScanRow.execute(
        "UPDATE scan SET verdict = ?, reason = ?, person = ?,"
        " differs = CASE WHEN reported_at IS NULL THEN NULL"
        " ELSE (box_verdict = 'refused') <> (? = 'refused') END"
        " WHERE code_token = ? AND reason = 'code-temporary-unknown'",
        (verdict, reason, person, verdict, code_token),
    )
    return int(cursor.rowcount)


def insert_label_state(state: LabelState) -> None:
    """One state of one label; the same row again changes nothing."""
    LabelStateRow.execute(
        "INSERT INTO label_state (id, box, label, registration, state, reason, conditions, copy,"
        " reprint_reason, born_at, reported_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id, box) DO NOTHING",
        state,
    )
