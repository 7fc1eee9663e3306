"""What a proof of a ledger found wrong: the first of it by place, and how much there is. Pure."""

from collections.abc import Iterable, Sequence

from shared.ledger import Finding

MOST_KEPT = 100
MOST_SHOWN = 20


class Findings:
    """Keeps the first by place: where one row is lost, a million may be wrong."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """One more thing is wrong."""
        self.count += 1
        self._kept.append(finding)
        if len(self._kept) >= 2 * MOST_KEPT:
            self._kept = list(self.first())

    def add_all(self, findings: Iterable[Finding]) -> None:
        """All of these are."""
        for finding in findings:
            self.add(finding)

    def first(self) -> tuple[Finding, ...]:
        """The first hundred, by epoch and sequence."""
        return tuple(sorted(self._kept, key=lambda each: (each.epoch, each.first))[:MOST_KEPT])


def describe_findings(findings: Sequence[Finding], count: int) -> list[str]:
    """Lines for a person: the first row that is wrong, what is wrong with it and what to do; then
    some more, and how many there are."""
    if not findings:
        return []
    first = findings[0]
    words = first.reason.words
    lines = [
        _line(first),
        f"  {words.zh}；{words.next_zh}",
        f"  {words.en}; {words.next_en}",
        *map(_line, findings[1:MOST_SHOWN]),
    ]
    more = count - min(len(findings), MOST_SHOWN)
    return [*lines, f"✗ … {more} more"] if more > 0 else lines


def _line(finding: Finding) -> str:
    place = f"{finding.epoch}/{finding.first}"
    if finding.last != finding.first:
        place += f"–{finding.last}"
    return f"✗ {place} {finding.reason} {finding.detail}"
