"""A batch from pending rows: what fits into one message, under the box's signature. Pure."""

from agent.ports import Pending
from agent.transport.box_keys import BoxKeys
from shared.crypto import STD
from shared.ledger import Row, sign_batch
from shared.messages import Batch
from shared.sealing import parse_encapsulation_id

MAX_BATCH_ROWS = 40
"""About 10 ms of central's one writer: so long may a patient's scan wait behind a backlog."""
MAX_BATCH_BYTES = 1024 * 1024
_ROW_OVERHEAD_BYTES = 128
"""More than everything of an encoded row besides its body."""


def build_batch(keys: BoxKeys, pending: Pending) -> Batch:
    """The oldest rows of ``pending`` that fit, with the encapsulations that open them."""
    rows = _fitting(pending.rows)
    needed = {parse_encapsulation_id(row.body) for row in rows}
    encapsulations = tuple(e for e in pending.encapsulations if e.id in needed)
    signature = sign_batch(STD, keys.signing_key, keys.box, keys.signing_key_id, pending.head, rows)
    return Batch(
        suite=STD.id,
        box=str(keys.box),
        key_id=keys.signing_key_id,
        head=pending.head,
        encapsulations=encapsulations,
        rows=rows,
        signature=signature,
    )


def _fitting(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    total = 0
    for count, row in enumerate(rows):
        total += len(row.body) + _ROW_OVERHEAD_BYTES
        if total > MAX_BATCH_BYTES and count:
            return rows[:count]
    return rows
