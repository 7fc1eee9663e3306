"""A batch given to the inbox as the runner gives it, and what must come of it."""

from shared.crypto import STD
from shared.ledger import Row, hash_of
from shared.messages import Receipt, Settled
from tests.central.ingest.boxes import BOX, PaperBox
from tests.central.ingest.centre import AT, Centre


def take(centre: Centre, payload: bytes, box: PaperBox | None = None) -> Receipt | None:
    """One unit of work, as the runner makes it."""
    with centre.database.unit():
        return centre.ingest.inbox.take(box.id if box else BOX, payload, AT)


def receipt_for(rows: list[Row]) -> Receipt:
    """The receipt of these rows, and no other."""
    return Receipt(str(BOX), 1, tuple(Settled(row.seq, hash_of(STD, row)) for row in rows))


def parked_reasons(centre: Centre) -> dict[int, str]:
    """Why each parked row is parked, by its sequence."""
    return {parked.row.seq: parked.reason for parked in centre.ingest.ledger.list_parked()}
