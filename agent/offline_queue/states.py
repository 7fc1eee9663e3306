"""The states of a row in the queue as one table, and the edges of its life that tests stop at.

No I/O. "Sent" is kept in memory by whoever sends: writing it costs an fsync and proves nothing
(CONTRACTS §2). Settled and tombstoned are final: a later truth is a later record.
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import Refused
from shared.ledger import Lane, RowState
from shared.reasons import Reason

STEPS: Mapping[RowState, frozenset[RowState]] = {
    RowState.PENDING: frozenset({RowState.SETTLED, RowState.TOMBSTONED}),
    RowState.SETTLED: frozenset(),
    RowState.TOMBSTONED: frozenset(),
}
"""From each state, where a row may go: SETTLED by central's receipt, TOMBSTONED by giving up."""

KEPT_LANES = frozenset({Lane.IDENTITY, Lane.PRINT})
"""Never given up to make room (SYSTEM, lanes by value)."""


def check_step(state: RowState, to: RowState) -> None:
    """Raises Refused (STATE_STEP) for a step that is not in the table."""
    if to not in STEPS[state]:
        raise Refused(Reason.STATE_STEP, f"{state.name} to {to.name}")


class FileEdge(StrEnum):
    """Moments in which the queue's file itself changes: its schema, and after damage."""

    OLD_AT_REST = "old-at-rest"  # nothing of it is in a log, and nobody else has it open
    COPY_MADE = "copy-made"
    COPY_MIGRATED = "copy-migrated"
    COPY_VERIFIED = "copy-verified"
    COPY_DURABLE = "copy-durable"  # up to here the old file is in use, then the new one
    COPY_IN_PLACE = "copy-in-place"
    SET_ASIDE = "set-aside"  # the damaged file; there is none in its place yet
    FORMER_BEGUN = "former-begun"  # its epochs are in the fresh file, and count as lost
    ROWS_BACK = "rows-back"  # some of its rows
    LOSS_NAMED = "loss-named"  # to the file and to central; the quarantine has not noted it


SWAP_EDGES = (
    FileEdge.OLD_AT_REST,
    FileEdge.COPY_MADE,
    FileEdge.COPY_MIGRATED,
    FileEdge.COPY_VERIFIED,
    FileEdge.COPY_DURABLE,
    FileEdge.COPY_IN_PLACE,
)
SALVAGE_EDGES = tuple(edge for edge in FileEdge if edge not in SWAP_EDGES)


class Edge(StrEnum):
    """Moments in the writer's work, told to the observer in the writer's thread.

    All but COMMITTED lie before the commit: a process that ends there has promised nothing.
    """

    OPENED = "opened"  # schema, epoch and encapsulation are durable
    GROUP_BEGUN = "group-begun"
    ROW_INSERTED = "row-inserted"
    CODE_CONSUMED = "code-consumed"
    ROWS_SETTLED = "rows-settled"
    ROWS_TOMBSTONED = "rows-tombstoned"
    ROWS_PRUNED = "rows-pruned"
    COMMITTED = "committed"  # durable, but nobody has heard yet
