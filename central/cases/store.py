"""The statements on cases. Decides nothing. Times are microseconds since 1970 UTC."""

from typing import NamedTuple

from central.cases.model import CaseBoxRow, CaseRow, EvidenceRow


class StoredCase(NamedTuple):
    """A case's row, its boxes joined by spaces."""

    id: bytes
    number: int
    kind: str
    state: str
    opened_at: int
    due_at: int
    owner: str
    evidence: int
    outcome: str | None
    decided_at: int | None
    decided_by: str
    note: bytes | None
    boxes: str


class StoredEvidence(NamedTuple):
    """A row of evidence but for its case and place."""

    at: int
    zh: str
    en: str
    box: str | None
    record: bytes | None
    person: bytes | None
    counter: str
    operator: str
    private: bytes | None


_CASE = (
    "SELECT c.id, c.number, c.kind, c.state, c.opened_at, c.due_at, c.owner, c.evidence,"
    " c.outcome, c.decided_at, c.decided_by, c.note, COALESCE((SELECT group_concat(b.box_id, ' ')"
    " FROM case_box b WHERE b.case_id = c.id), '') FROM conflict_case c"
)
_OF_SITE = (
    " AND (?1 IS NULL OR EXISTS (SELECT 1 FROM case_box b"
    " WHERE b.case_id = c.id AND b.box_id >= ?1 || '/' AND b.box_id < ?1 || '0'))"
)
"""'0' follows '/': the boxes whose ids begin with the site's own."""


def find_undecided(kind: str, subject: str) -> bytes | None:
    """The case that is not decided yet."""
    row = CaseRow.execute(
        "SELECT id FROM conflict_case WHERE kind = ? AND subject = ? AND state <> 'decided'",
        (kind, subject),
    ).fetchone()
    return row[0] if row else None


def find_decided_with(kind: str, subject: str, box: str | None, record: bytes) -> bytes | None:
    """The decided case that has this record for evidence."""
    row = CaseRow.execute(
        "SELECT c.id FROM conflict_case c JOIN case_evidence e ON e.case_id = c.id"
        " WHERE c.kind = ? AND c.subject = ? AND c.state = 'decided'"
        " AND e.box_id IS ? AND e.record = ?",
        (kind, subject, box, record),
    ).fetchone()
    return row[0] if row else None


def insert_case(id: bytes, kind: str, subject: str, opened_at: int, due_at: int) -> int:
    """A new case; its number."""
    row = CaseRow.execute(
        "INSERT INTO conflict_case (id, number, kind, subject, state, opened_at, due_at)"
        " SELECT ?, COALESCE(MAX(number), 0) + 1, ?, ?, 'open', ?, ? FROM conflict_case"
        " RETURNING number",
        (id, kind, subject, opened_at, due_at),
    ).fetchone()
    return int(row[0])


def has_evidence(case: bytes, evidence: StoredEvidence) -> bool:
    """Whether a case has this already: the same record, or where there is none the same words."""
    row = EvidenceRow.execute(
        "SELECT 1 FROM case_evidence WHERE case_id = ? AND box_id IS ? AND record IS ?"
        " AND (record IS NOT NULL OR (at = ? AND en = ?))",
        (case, evidence.box, evidence.record, evidence.at, evidence.en),
    ).fetchone()
    return row is not None


def add_evidence(case: bytes, evidence: StoredEvidence, most: int) -> None:
    """Count evidence, and keep it while there is room."""
    (count,) = CaseRow.execute(
        "UPDATE conflict_case SET evidence = evidence + 1 WHERE id = ? RETURNING evidence", (case,)
    ).fetchone()
    if count <= most:
        EvidenceRow.execute(
            "INSERT INTO case_evidence (case_id, number, at, zh, en, box_id, record, person,"
            " counter, operator, private) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (case, count, *evidence),
        )


def add_box(case: bytes, box: str) -> bool:
    """A case concerns a box; whether that is new."""
    cursor = CaseBoxRow.execute(
        "INSERT INTO case_box (case_id, box_id) VALUES (?, ?) ON CONFLICT DO NOTHING", (case, box)
    )
    return cursor.rowcount > 0


def find_case(number: int) -> StoredCase | None:
    """A case by its number."""
    row = CaseRow.execute(f"{_CASE} WHERE c.number = ?", (number,)).fetchone()
    return StoredCase(*row) if row else None


def find_by_id(id: bytes) -> StoredCase | None:
    """A case by its id."""
    row = CaseRow.execute(f"{_CASE} WHERE c.id = ?", (id,)).fetchone()
    return StoredCase(*row) if row else None


def list_undecided(site: str | None, most: int) -> list[StoredCase]:
    """What is to be decided, what is due first before all."""
    statement = f"{_CASE} WHERE c.state <> 'decided'{_OF_SITE} ORDER BY c.due_at, c.number LIMIT ?2"
    return [StoredCase(*row) for row in CaseRow.execute(statement, (site, most))]


def list_cases(site: str | None, before: int | None, limit: int) -> list[StoredCase]:
    """Every case, the newest first; ``before`` is the last number of the page before."""
    cursor = CaseRow.execute(
        f"{_CASE} WHERE (?2 IS NULL OR c.number < ?2){_OF_SITE} ORDER BY c.number DESC LIMIT ?3",
        (site, before, limit),
    )
    return [StoredCase(*row) for row in cursor]


def list_evidence(case: bytes) -> list[StoredEvidence]:
    """What is kept of both sides, as it came."""
    cursor = EvidenceRow.execute(
        "SELECT at, zh, en, box_id, record, person, counter, operator, private"
        " FROM case_evidence WHERE case_id = ? ORDER BY number",
        (case,),
    )
    return [StoredEvidence(*row) for row in cursor]


def save_owner(id: bytes, owner: str) -> None:
    """Whose case it is."""
    CaseRow.execute(
        "UPDATE conflict_case SET state = 'assigned', owner = ? WHERE id = ?", (owner, id)
    )


def save_decision(id: bytes, outcome: str, by: str, note: bytes, at: int) -> None:
    """What was decided, by whom, and why."""
    CaseRow.execute(
        "UPDATE conflict_case SET state = 'decided', outcome = ?, decided_by = ?, note = ?,"
        " decided_at = ? WHERE id = ?",
        (outcome, by, note, at, id),
    )
