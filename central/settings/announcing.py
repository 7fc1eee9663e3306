"""Sends each box what is wanted of it: retained, sealed for that box, when it has changed.

Everything is sent on each connection, for the broker may have forgotten, and a box that says it
has another state is sent its own again: what somebody else put in its place does not stay.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, Protocol

from central.fleet.service import Fleet
from central.settings.service import Settings
from central.storage.database import Database
from central.storage.writer import Writer
from shared.clock import Clock
from shared.desired import Reported, encode_desired
from shared.errors import Damaged, Refused, Unavailable
from shared.ids import BoxId, parse_box_id
from shared.pairing import Direction
from shared.topics import DESIRED, build_topic

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_LOOKS_BETWEEN_READS = 10
"""A change by this process that nobody noted, an operator's say, does not show in
``data_version``: so often we look anyway."""


class Connection(Protocol):
    """What goes to the broker."""

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Raises Unavailable."""
        ...


class _Letter(NamedTuple):
    box: BoxId
    revision: int
    payload: bytes


class Announcing:
    """Announces while one connection lasts."""

    def __init__(
        self, database: Database, settings: Settings, fleet: Fleet, writer: Writer, clock: Clock
    ) -> None:
        self._database = database
        self._settings = settings
        self._fleet = fleet
        self._writer = writer
        self._clock = clock
        self._sent: dict[BoxId, int] = {}
        self._lagging: set[BoxId] = set()
        self._seen = (-1, -1)
        self._looks = 0

    def note_report(self, report: Reported) -> None:
        """Send a box its settings again that says it has others.

        At once where it refused what was not sent: somebody put that in its place. Where it only
        lags, with its second report: the first may have crossed what was sent.
        """
        box = parse_box_id(report.box)
        sent = self._sent.get(box)
        came = report.refused.revision if report.refused else report.revision
        if sent is None or came == sent:
            self._lagging.discard(box)
        elif report.refused or box in self._lagging:
            self._lagging.discard(box)
            del self._sent[box]
            self._forget_look()
        else:
            self._lagging.add(box)

    async def run(self, connection: Connection) -> None:
        """Announce for ever; what could not be read or sent is tried again at the next look."""
        self._sent.clear()
        self._lagging.clear()
        self._forget_look()
        while True:
            try:
                await self._announce(connection)
            except Unavailable as error:
                _log.debug("settings wait: %s", error)
                self._forget_look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _announce(self, connection: Connection) -> None:
        boxes = await self._writer.run(self._read_boxes, patient=True)
        # A site at a time: no question waits behind the composing of a whole nation.
        for site, some in groupby(boxes, key=lambda box: box.site):
            write = partial(self._write_letters, site, tuple(some))
            letters = await self._writer.run(write, patient=True)
            for letter in letters:
                topic = build_topic(letter.box, DESIRED)
                await connection.publish(topic, letter.payload, qos=1, retain=True)
                self._sent[letter.box] = letter.revision

    def _read_boxes(self) -> Sequence[BoxId]:
        """Whom to look at; nobody when nothing was committed since the last look."""
        version = int(self._database.execute("PRAGMA data_version").fetchone()[0])
        seen = (version, self._settings.changes)
        self._looks += 1
        if seen == self._seen and self._looks % _LOOKS_BETWEEN_READS:
            return ()
        self._seen = seen
        return sorted(self._fleet.boxes())

    def _write_letters(self, site: str, boxes: Sequence[BoxId]) -> list[_Letter]:
        site_wide, at = self._settings.read_site_wide(site), self._clock.now()
        letters = []
        for box in boxes:
            try:
                desired = self._settings.draft(box, site_wide, at)
                if self._sent.get(box) == desired.revision:
                    continue
                pair_key = self._fleet.pair_key(box)
            except (Refused, Damaged) as error:
                _log.error("box %s cannot be told its settings: %s", box, error)
                continue
            plaintext = encode_desired(self._settings.sign(desired))
            payload = pair_key.seal(Direction.DOWN, box, DESIRED, plaintext)
            letters.append(_Letter(box, desired.revision, payload))
        return letters

    def _forget_look(self) -> None:
        self._seen = (-1, -1)
