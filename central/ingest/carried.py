"""Takes the queue file of a box that has no network: batch by batch as if each had come by line, so
what came both ways is held once; and gives the receipts as a file.

The file is proved whole before the first row of it is taken.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from central.audit.service import Audit
from central.fleet.service import Fleet
from central.ingest.account import Accounts
from central.ingest.inbox import Inbox, RowCrashError
from central.keys.service import Keys
from central.storage.database import Database
from shared.codec import receipts
from shared.config import replace_file
from shared.crypto import VerifyKey
from shared.errors import NotAuthentic, Unavailable
from shared.ids import BoxId
from shared.messages import Receipt
from shared.queue_file import QueueHeader, read_batches, read_queue_header, write_receipt_file
from shared.reasons import Reason

_ROWS_A_RECEIPT = 200
"""What a box's local API takes at once."""


class Taken(NamedTuple):
    """What came of a file: rows in it, of these new here, held already, and contradicting."""

    box: BoxId
    file: bytes
    rows: int
    new: int
    refused: int
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True)
class Carried:
    """Imports queue files; opens its own units of work."""

    database: Database
    keys: Keys
    fleet: Fleet
    inbox: Inbox
    audit: Audit

    def take(self, path: Path, at: datetime, actor: str, progress: Callable[[int], None]) -> Taken:
        """Take all rows of a file; ``progress`` is told how many at a time.

        Raises Malformed (QUEUE_FILE_FOREIGN, QUEUE_FILE_BROKEN), NotAuthentic, Refused
        (NOT_ADMITTED: a box that never was): then nothing was taken. Unavailable, RowCrashError:
        what was taken stays, and the same file again goes on.
        """
        try:
            box, header = self._prove(path)
            with self.database.unit():
                before = Accounts().read(box).acknowledged
            taken: list[Receipt] = []
            rows = 0
            for batch in self._batches(path):
                count, receipt = self._take_batch(box, batch, at)
                rows += count
                progress(count)
                if receipt is not None:
                    taken.append(receipt)
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error
        held = sum(len(receipt.rows) for receipt in taken)
        with self.database.unit():
            new = Accounts().read(box).acknowledged - before
            name = header.file.hex()
            self.audit.write("ledger.import", str(box), actor, at, file=name, rows=rows, new=new)
        return Taken(box, header.file, rows, new, rows - held, tuple(taken))

    def write_receipts(self, taken: Taken, path: Path) -> None:
        """The receipts as a file for the box. Raises Refused (NOT_ADMITTED) for one that is shut
        out, Unavailable (disk)."""
        with self.database.unit():
            pair_key = self.fleet.pair_key(taken.box)
        out = io.BytesIO()
        texts = (receipts.encode(each) for each in _regroup(taken.receipts))
        write_receipt_file(out, pair_key, taken.box, taken.file, texts)
        replace_file(path, out.getvalue())

    def _prove(self, path: Path) -> tuple[BoxId, QueueHeader]:
        with path.open("rb") as file:
            box, header = read_queue_header(file)
            for batch in read_batches(file, header, *self._open(box, header)):
                with self.database.unit():
                    self.inbox.open(box, batch)
        return box, header

    def _batches(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            box, header = read_queue_header(file)
            yield from read_batches(file, header, *self._open(box, header))

    def _open(self, box: BoxId, header: QueueHeader) -> tuple[bytes, VerifyKey]:
        try:
            key = self.keys.queue_file_key(box, header.wrapped)
        except NotAuthentic as error:
            raise NotAuthentic(Reason.QUEUE_FILE_FOREIGN, "sealed to another centre") from error
        with self.database.unit():
            self.fleet.box(box)
            return key, self.fleet.verify_key(box, header.key_id)

    def _take_batch(self, box: BoxId, batch: bytes, at: datetime) -> tuple[int, Receipt | None]:
        try:
            with self.database.unit():
                opened = self.inbox.open(box, batch)
                taken = self.inbox.take_part(box, opened, at)
                return len(opened.rows), self.inbox.receipt(box, taken)
        except RowCrashError as crash:
            with self.database.unit():
                self.inbox.count_crash(crash)
            raise


def _regroup(taken: Sequence[Receipt]) -> Iterator[Receipt]:
    """The same rows in receipts of a size that a box's local API takes."""
    for receipt in taken:
        for first in range(0, len(receipt.rows), _ROWS_A_RECEIPT):
            rows = receipt.rows[first : first + _ROWS_A_RECEIPT]
            yield Receipt(receipt.box, receipt.epoch, rows)
