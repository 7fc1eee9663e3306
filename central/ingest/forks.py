"""A ledger that contradicts itself becomes a case: one for each epoch of a box."""

from datetime import datetime

from central.cases.case import Evidence
from central.cases.kinds import CaseKind
from central.cases.service import Cases
from central.ingest.chain import Contradiction
from shared.ids import BoxId
from shared.reasons import Reason


class ForkCases:
    """Opens them, in the unit of work that finds the contradiction."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def open(self, box: BoxId, epoch: int, found: Contradiction, at: datetime) -> None:
        """Both sides of one contradiction are evidence: what is known, and what came now."""
        place = f"{epoch}:{found.seq}"
        two = found.reason is Reason.LEDGER_FORK
        known = Evidence(
            at,
            f"第 {place} 行，先收到的摘要 {_short(found.known)}",
            f"Row {place} as it was known: digest {_short(found.known)}",
            box=box,
        )
        came = Evidence(
            at,
            f"第 {place} 行，现在收到另一个摘要 {_short(found.hash)}"
            if two
            else f"第 {place} 行，现在收到的行接不上：{_short(found.hash)}",
            f"Row {place} came again with digest {_short(found.hash)}"
            if two
            else f"Row {place} came and does not follow: digest {_short(found.hash)}",
            box=box,
        )
        self._cases.open(CaseKind.LEDGER_FORK, f"{box} {epoch}", [known, came], at)


def _short(hash: bytes) -> str:
    return hash.hex()[:16]
