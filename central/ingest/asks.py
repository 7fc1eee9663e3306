"""One ask: opened, checked, answered by its feature, the reply sealed. One unit of work.

Only the asking box can read the reply. An ask that does not open with the box's pair key is not
answered at all: whoever sent it is not the box.
"""

import logging
from datetime import datetime
from uuid import UUID

from central.fleet.service import Fleet
from central.ingest.dispatch import Dispatcher
from central.storage.database import Database
from shared.clock import to_microseconds
from shared.codec import asks, replies
from shared.errors import Damaged, Refused
from shared.ids import BoxId, record_id
from shared.messages import Ask, RefusalReply, Reply
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import REPLY

_log = logging.getLogger(__name__)


class AskDesk:
    """Answers asks inside the caller's unit of work."""

    def __init__(self, database: Database, fleet: Fleet, dispatcher: Dispatcher) -> None:
        self._database = database
        self._fleet = fleet
        self._dispatcher = dispatcher

    def answer(self, box: BoxId, kind: str, payload: bytes, at: datetime) -> bytes:
        """The sealed reply, to be sent once the unit is durable.

        Raises Refused (NotAuthentic, Malformed …) for what is not to be answered.
        """
        pair_key = self._fleet.pair_key(box)
        ask = asks.decode(pair_key.open(Direction.UP, box, kind, payload))
        if ask.box != str(box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        _ = record_id(UUID(bytes=ask.id))
        reply = self._decide(box, ask, at)
        return pair_key.seal(Direction.DOWN, box, REPLY, replies.encode(reply))

    def _decide(self, box: BoxId, ask: Ask, at: datetime) -> Reply:
        try:
            # An expired ask is answered, not dropped: the answer tells the box its clock's offset.
            if ask.expires_at <= to_microseconds(at):
                raise Refused(Reason.ASK_EXPIRED)
            self._fleet.check_active(box)
            with self._database.unit():
                return self._dispatcher.answer(box, ask, at)
        except (Refused, Damaged) as refusal:
            if isinstance(refusal, Damaged):
                _log.error("an ask meets damaged data: %s", refusal)
            return RefusalReply(id=ask.id, central_at=to_microseconds(at), reason=refusal.reason)
