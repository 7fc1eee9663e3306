"""Keeps the broker's admissions in step with the fleet's table.

A box that another process added is let in within about a second; one that is no longer active is
cut. Everything is sent again on each connection: the broker may have forgotten.
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence

from central.fleet.broker import (
    CONTROL,
    Command,
    admit_commands,
    encode_commands,
    expel_commands,
)
from central.fleet.service import Fleet
from central.ingest.mqtt import Connection
from central.storage.database import Database
from central.storage.writer import Writer
from shared.errors import Unavailable
from shared.ids import BoxId

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_LOOKS_BETWEEN_READS = 30
"""A change by this process itself does not show in ``data_version``: so often we look anyway."""
_COMMANDS_A_MESSAGE = 200
_HARMLESS = ("already exists", "not found")


class Admission:
    """Pushes what changed to the broker, while one connection lasts."""

    def __init__(self, database: Database, fleet: Fleet, writer: Writer) -> None:
        self._database = database
        self._fleet = fleet
        self._writer = writer
        self._version = -1
        self._looks = 0

    async def run(self, connection: Connection) -> None:
        """Admit for ever; what could not be read or sent is tried again at the next look."""
        admitted: frozenset[BoxId] = frozenset()
        while True:
            try:
                admitted = await self._admit(connection, admitted)
            except Unavailable as error:
                _log.debug("admissions wait: %s", error)
                self._version = -1
            await asyncio.sleep(_LOOK_SECONDS)

    async def _admit(self, connection: Connection, admitted: frozenset[BoxId]) -> frozenset[BoxId]:
        active = await self._writer.run(self._read_active, patient=True)
        if active is None or active == admitted:
            return admitted
        for payload in _payloads(_commands(admitted, active)):
            await connection.publish(CONTROL, payload, qos=1)
        return active

    def _read_active(self) -> frozenset[BoxId] | None:
        """The active boxes; None when nobody else has committed since the last look."""
        version = int(self._database.execute("PRAGMA data_version").fetchone()[0])
        self._looks += 1
        if version == self._version and self._looks % _LOOKS_BETWEEN_READS:
            return None
        self._version = version
        return frozenset(self._fleet.boxes())


def report_response(payload: bytes) -> None:
    """Log what the plugin refused; that something is there or gone already is no refusal."""
    try:
        responses = json.loads(payload)["responses"]
        errors = [str(each["error"]) for each in responses if "error" in each]
    except (ValueError, KeyError, TypeError):
        _log.warning("the broker's plugin answers in a form we do not know")
        return
    for error in errors:
        if not any(words in error.lower() for words in _HARMLESS):
            _log.warning("the broker refuses an admission: %s", error)


def _commands(before: frozenset[BoxId], after: frozenset[BoxId]) -> list[Command]:
    admitted = [command for box in sorted(after - before) for command in admit_commands(box)]
    expelled = [command for box in sorted(before - after) for command in expel_commands(box)]
    return admitted + expelled


def _payloads(commands: Sequence[Command]) -> Iterator[bytes]:
    for first in range(0, len(commands), _COMMANDS_A_MESSAGE):
        yield encode_commands(commands[first : first + _COMMANDS_A_MESSAGE])
