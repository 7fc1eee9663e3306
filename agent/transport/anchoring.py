"""Takes the heads that central countersigned, for whoever prunes behind them and proves the rest.

The latest of each epoch is enough; what the disk does not let be kept now comes again with the
next batch.
"""

import asyncio
import logging

from agent.ports import Custody
from agent.transport.box_keys import BoxKeys
from shared.codec import anchors
from shared.crypto import suite
from shared.errors import Damaged, NotAuthentic, Refused, Unavailable
from shared.ledger import anchor_bytes
from shared.messages import Anchor
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import ANCHOR

_log = logging.getLogger(__name__)


class Anchoring:
    """Keeps what it accepted while ``run`` runs."""

    def __init__(self, keys: BoxKeys, custody: Custody) -> None:
        self._keys = keys
        self._custody = custody
        self._came: dict[int, Anchor] = {}
        self._more = asyncio.Event()

    def accept(self, payload: bytes) -> None:
        """Take an anchor. Raises NotAuthentic or Malformed for a forgery, Refused for another
        box's or where no key can tell."""
        keys = self._keys
        anchor = anchors.decode(keys.pair_key.open(Direction.DOWN, keys.box, ANCHOR, payload))
        if anchor.box != str(keys.box):
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        if keys.announcements is None:
            raise NotAuthentic(Reason.KEY_UNKNOWN, "announcements")
        signed = anchor_bytes(suite(anchor.suite), keys.box, anchor.head)
        keys.announcements.verify(anchor.signature, signed)
        self._came[anchor.head.epoch] = anchor
        self._more.set()

    async def run(self) -> None:
        """Keep what comes, for ever."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._came:
                _, anchor = self._came.popitem()
                try:
                    await self._custody.keep_anchor(anchor.head, anchor.signature)
                except (Unavailable, Damaged) as error:
                    _log.debug("a countersigned head is not kept: %s", error)
