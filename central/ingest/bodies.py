"""Opens record bodies: encapsulation, key, plaintext, record. Knows no position and no chain."""

from collections import OrderedDict

from central.ingest import store
from central.keys.service import Keys
from shared.codec import records
from shared.crypto import suite
from shared.errors import Refused
from shared.ids import BoxId
from shared.ledger import Row
from shared.messages import Batch, Record
from shared.reasons import Reason
from shared.sealing import encapsulation_id, open_body, parse_encapsulation_id

_MOST_KEYS = 4096
"""Body keys kept in memory: one a start of a box. An exchange a row would halve the speed."""


class Bodies:
    """Used inside the caller's unit of work, by one thread."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._opened: OrderedDict[tuple[BoxId, bytes], bytes] = OrderedDict()

    def keep(self, box: BoxId, batch: Batch) -> bool:
        """Keep a batch's encapsulations; one whose id is not its own digest is passed over.
        Whether any is new.

        Each time: that its key is in memory does not mean that the unit which kept it committed.
        """
        new = [
            store.insert_encapsulation(box, each.id, each.wrapped)
            for each in batch.encapsulations
            if encapsulation_id(suite(batch.suite), each.wrapped) == each.id
        ]
        return any(new)

    def open(self, box: BoxId, row: Row) -> Record:
        """The record in a row.

        Raises Refused with the reason why it cannot be read: ENCAPSULATION_MISSING,
        SEAL_BROKEN, SCHEMA_UNKNOWN, MESSAGE_MALFORMED, SUITE_UNKNOWN.
        """
        key = self._body_key(box, parse_encapsulation_id(row.body))
        record = records.decode(open_body(key, row.body, row.id, row.lane, row.born))
        if record.lane != row.lane:
            raise Refused(Reason.MESSAGE_MALFORMED, "lane of row and record differ")
        return record

    def _body_key(self, box: BoxId, id: bytes) -> bytes:
        key = self._opened.get((box, id))
        if key is None:
            wrapped = store.find_encapsulation(box, id)
            if wrapped is None:
                raise Refused(Reason.ENCAPSULATION_MISSING)
            key = self._opened[box, id] = self._keys.body_key(box, wrapped)
            if len(self._opened) > _MOST_KEYS:
                self._opened.popitem(last=False)
        return key
