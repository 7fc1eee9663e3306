"""Keeps the broker's admissions, and its list of revoked certificates, in step with the fleet.

A box that joined is let in within about a second; one that was shut out, or whose machine was
replaced, is cut. The list goes first: who is cut must not come back by a former certificate.
Everything is sent again on each connection: the broker may have forgotten.
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from functools import partial

from central.fleet.box import Standing
from central.fleet.broker import (
    CONTROL,
    Command,
    admit_commands,
    encode_commands,
    expel_commands,
    hear_commands,
)
from central.fleet.certificate_store import KeptList
from central.fleet.revocation import RevocationList
from central.fleet.service import Fleet
from central.ingest.mqtt import Connection
from central.storage.database import Database
from central.storage.writer import Writer
from shared.clock import Clock
from shared.errors import OneCodeError, Unavailable
from shared.ids import BoxId

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_LOOKS_BETWEEN_READS = 60
"""However little seems to change: so often we look anyway."""
_COMMANDS_A_MESSAGE = 200
_HARMLESS = ("already exists", "not found")


class Admission:
    """Pushes what changed to the broker, while one connection lasts."""

    def __init__(
        self,
        database: Database,
        fleet: Fleet,
        revocations: RevocationList,
        writer: Writer,
        clock: Clock,
    ) -> None:
        self._database = database
        self._fleet = fleet
        self._revocations = revocations
        self._writer = writer
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._looks = 0
        self._standings: list[Standing] = []
        self._admitted: dict[BoxId, int] | None = None
        self._list_trouble = False

    async def run(self, connection: Connection) -> None:
        """Look for ever; what could not be read or sent is tried again at the next look."""
        while True:
            await self._keep_list()
            try:
                await self._admit(connection)
            except Unavailable as error:
                _log.debug("admissions wait: %s", error)
                self._seen = None
            await asyncio.sleep(_LOOK_SECONDS)

    async def _keep_list(self) -> None:
        """Admissions go on without the list: a box that was shut out has no topic either."""
        look = partial(self._revocations.look, self._clock.now())
        try:
            kept = await self._writer.run(look, patient=True)
            if kept is not None:
                await self._publish(kept)
            self._list_trouble = False
        except OneCodeError as error:
            level = logging.DEBUG if self._list_trouble else logging.WARNING
            _log.log(level, "the list of revoked certificates is not kept: %s", error)
            self._list_trouble = True

    async def _publish(self, kept: KeptList) -> None:
        told = await asyncio.to_thread(self._revocations.publish, kept)
        await self._writer.run(partial(self._revocations.note_written, kept), patient=True)
        _log.info(
            "the broker's list of revoked certificates is number %d%s",
            kept.number,
            "" if told else "; the broker must be told by whoever may",
        )

    async def _admit(self, connection: Connection) -> None:
        standings = await self._writer.run(self._read_changed, patient=True)
        if standings is not None:
            self._standings = standings
        wanted = {each.id: each.epoch for each in self._standings if not each.is_shut_out}
        commands: list[Command] = []
        if self._admitted is None:
            commands += hear_commands()
            # What the broker may still let in from before, though it must not.
            self._admitted = {
                each.id: each.told_epoch
                for each in self._standings
                if each.is_shut_out or each.told_epoch not in {0, each.epoch}
            }
        admitted = self._admitted
        # A replaced machine is cut now. The box is let in at the next look, when the broker has
        # read the list that keeps the former machine out; its session from between is cut then.
        gone = sorted(id for id, epoch in admitted.items() if wanted.get(id) != epoch)
        new = sorted(id for id in wanted if id not in admitted)
        commands += [command for id in gone for command in expel_commands(id)]
        replaced = {each.id for each in self._standings if each.told_epoch not in {0, each.epoch}}
        for id in new:
            if id in replaced:
                commands += [*admit_commands(id), *expel_commands(id)]
            commands += admit_commands(id)
        if not commands:
            return
        for payload in _payloads(commands):
            await connection.publish(CONTROL, payload, qos=1)
        for id in gone:
            del admitted[id]
        admitted.update({id: wanted[id] for id in new})
        self._admitted = admitted
        told = [
            each for each in self._standings if each.id in new and each.told_epoch != each.epoch
        ]
        if told:
            await self._writer.run(partial(self._note_told, told), patient=True)

    def _note_told(self, told: Sequence[Standing]) -> None:
        for standing in told:
            self._fleet.note_told(standing)

    def _read_changed(self) -> list[Standing] | None:
        """How the boxes stand; None when nothing was committed since the last look.

        What others commit shows in ``data_version``, what this process does in ``changes``.
        """
        version = int(self._database.execute("PRAGMA data_version").fetchone()[0])
        seen = (version, self._fleet.changes)
        self._looks += 1
        if seen == self._seen and self._looks % _LOOKS_BETWEEN_READS:
            return None
        self._seen = seen
        return self._fleet.list_standings()


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


def _payloads(commands: Sequence[Command]) -> Iterator[bytes]:
    for first in range(0, len(commands), _COMMANDS_A_MESSAGE):
        yield encode_commands(commands[first : first + _COMMANDS_A_MESSAGE])
