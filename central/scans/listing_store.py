"""The statements by which scans are looked at. Times are microseconds since 1970 UTC."""

from typing import NamedTuple

from central.scans.model import ScanRow
from central.storage.table import Value

_ID_BYTES = 16
_COLUMNS = (
    "id, box, person, verdict, reason, consumed, judged_at, asked_at, counter, operator,"
    " medical_step, drill, reported_at, born_at, code_class, box_verdict, box_reason, decided_by,"
    " differs"
)


class KeptScan(NamedTuple):
    """A scan's row but for its token."""

    id: bytes
    box: str
    person: bytes | None
    verdict: str
    reason: str | None
    consumed: int
    judged_at: int
    asked_at: int | None
    counter: str
    operator: str
    medical_step: str
    drill: int
    reported_at: int | None
    born_at: int | None
    code_class: str | None
    box_verdict: str | None
    box_reason: str | None
    decided_by: str | None
    differs: int | None

    @property
    def key(self) -> bytes:
        """Its place in a list."""
        return self.id + self.box.encode()


class Selection(NamedTuple):
    """Which scans; None: whichever."""

    site: str | None
    box: str | None
    verdict: str | None
    first: bytes | None  # the least id
    beyond: bytes | None  # the first id that is too late


def list_scans(selection: Selection, before: bytes | None, limit: int) -> list[KeptScan]:
    """Scans from the newest id to the oldest."""
    conditions, values = ["1"], list[Value]()

    def ask(condition: str, *given: Value) -> None:
        conditions.append(condition)
        values.extend(given)

    if selection.box is not None:
        ask("box = ?", selection.box)
    if selection.site is not None:
        ask("box >= ? AND box < ?", f"{selection.site}/", f"{selection.site}0")  # 0 comes after /
    if selection.verdict is not None:
        ask("verdict = ?", selection.verdict)
    if selection.first is not None:
        ask("id >= ?", selection.first)
    if selection.beyond is not None:
        ask("id < ?", selection.beyond)
    if before is not None:
        id, box = before[:_ID_BYTES], before[_ID_BYTES:].decode(errors="replace")
        ask("(id, box) < (?, ?)", id, box)
    cursor = ScanRow.execute(
        f"SELECT {_COLUMNS} FROM scan WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants
        " ORDER BY id DESC, box DESC LIMIT ?",
        (*values, limit),
    )
    return [KeptScan(*row) for row in cursor]


def find_scan(id: bytes, box: str) -> KeptScan | None:
    """One scan."""
    row = ScanRow.execute(
        f"SELECT {_COLUMNS} FROM scan WHERE id = ? AND box = ?",  # noqa: S608 - constants
        (id, box),
    ).fetchone()
    return KeptScan(*row) if row else None
