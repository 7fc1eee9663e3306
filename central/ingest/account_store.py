"""The statements that count the boxes' ledgers."""

from central.ingest.model import LedgerHead

_SUMS = "coalesce(sum(seq), 0), coalesce(sum(received), 0)"
_COUNTS = (
    "(SELECT count(*) FROM ledger_position p WHERE p.box_id {is_it} AND p.standing = 3),"
    " (SELECT count(*) FROM ledger_parked p WHERE p.box_id {is_it}),"
    " (SELECT count(*) FROM ledger_fork p WHERE p.box_id {is_it}),"
    " (SELECT coalesce(sum(max(0, min(p.last, e.seq) - p.first + 1) - (SELECT count(*)"
    " FROM ledger_position r WHERE r.box_id = p.box_id AND r.epoch = p.epoch"
    " AND r.seq BETWEEN p.first AND min(p.last, e.seq))), 0)"
    " FROM ledger_lost p JOIN ledger_head e USING (box_id, epoch) WHERE p.box_id {is_it})"
)
_OF_HEAD = _COUNTS.format(is_it="= h.box_id")
_OF_ONE = _COUNTS.format(is_it="= ?1")
_OF_SITE = _COUNTS.format(is_it=">= ?1 AND p.box_id < ?2")
_HEADS_OF_SITE = "box_id >= ?1 AND box_id < ?2"

Counts = tuple[int, int, int, int, int, int]
"""Created, received, tombstoned, parked, forks, lost."""


def count_box(box: str) -> Counts:
    """One box's."""
    row: Counts = LedgerHead.execute(
        f"SELECT {_SUMS}, {_OF_ONE} FROM ledger_head WHERE box_id = ?1",  # noqa: S608 - constants
        (box,),
    ).fetchone()
    return row


def count_all(site: str | None) -> Counts:
    """Those of a site, or of all, together."""
    row: Counts = LedgerHead.execute(
        f"SELECT {_SUMS}, {_OF_SITE} FROM ledger_head WHERE {_HEADS_OF_SITE}",  # noqa: S608
        _bounds(site),
    ).fetchone()
    return row


def list_counts(
    site: str | None, after: str, limit: int
) -> list[tuple[str, int, int, int, int, int, int]]:
    """Box and counts, by id."""
    return LedgerHead.execute(
        f"SELECT box_id, {_SUMS}, {_OF_HEAD} FROM ledger_head h"  # noqa: S608 - constants
        f" WHERE {_HEADS_OF_SITE} AND box_id > ?3 GROUP BY box_id ORDER BY box_id LIMIT ?4",
        (*_bounds(site), after, limit),
    ).fetchall()


def _bounds(site: str | None) -> tuple[str, str]:
    # 0 comes after /, and every id begins with a letter or a digit.
    return ("", "~") if site is None else (f"{site}/", f"{site}0")
