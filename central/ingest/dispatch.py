"""Which feature answers which ask and takes which record: two tables by message type. Pure.

Handlers run in the writer's thread inside the unit of work and raise Refused to refuse.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.errors import Refused
from shared.ids import BoxId, RecordId, record_id
from shared.messages import Ask, Record, Reply
from shared.reasons import Reason

AskHandler = Callable[[BoxId, Any, datetime], Reply]
RecordHandler = Callable[[BoxId, RecordId, Any, datetime], None]


class Dispatcher:
    """Hands each message to its feature, after what holds for all of them was checked."""

    def __init__(
        self, asks: Mapping[type, AskHandler], records: Mapping[type, RecordHandler]
    ) -> None:
        self._asks = asks
        self._records = records

    def answer(self, box: BoxId, ask: Ask, at: datetime) -> Reply:
        """The feature's reply. Raises Refused."""
        handler = self._asks.get(type(ask))
        if handler is None:
            raise Refused(Reason.SCHEMA_UNKNOWN)
        return handler(box, ask, at)

    def record(self, box: BoxId, id: bytes, record: Record, at: datetime) -> None:
        """Give a record to its feature. Raises Refused."""
        if record.origin.box != str(box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        handler = self._records.get(type(record))
        if handler is None:
            raise Refused(Reason.SCHEMA_UNKNOWN)
        handler(box, record_id(UUID(bytes=id)), record, at)
