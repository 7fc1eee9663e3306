"""A reader of resident identity cards with a SAM_V module on a serial port.

Asks for a card a few times a second. A module finds a card once and not again until it was lifted,
so a card that stays is told once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing

from agent.drivers.sam_v import (
    BAUD,
    FIND,
    READ,
    SELECT,
    Answer,
    AnswerFramer,
    Command,
    Status,
    build_command,
    parse_card,
)
from agent.drivers.serial_port import SerialPort
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    DocumentEvent,
    DocumentNotRead,
    DocumentRead,
)
from shared.backoff import Backoff
from shared.clock import Clock
from shared.devices import DeviceState
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason
from shared.residents import RESIDENT_ID

_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS = 0.1, 2.0
_LOOK_SECONDS = 0.3
"""Between looks for a card: nobody notices, and the module stays cool."""
ANSWER_SECONDS = 2.0
"""Reading a card with its picture takes about one."""


class SamDocumentReader:
    """Implements ``agent.ports.DocumentReader``."""

    def __init__(
        self, descriptor: DeviceDescriptor, clock: Clock, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._descriptor = descriptor
        self._clock = clock
        self._answer_seconds = answer_seconds

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._descriptor

    async def events(self) -> AsyncIterator[DocumentEvent]:
        backoff = Backoff(_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS)
        told: DeviceState | None = None
        yield DeviceChanged(self._descriptor, DeviceState.OPENING)
        while True:
            try:
                port = SerialPort(self._descriptor.location, BAUD)
                with closing(port), closing(_Module(port, self._answer_seconds)) as module:
                    while True:
                        card = await self._look(module)
                        if told is not DeviceState.READY:
                            told = DeviceState.READY
                            backoff.reset()
                            yield DeviceChanged(self._descriptor, told)
                        if card is not None:
                            yield card
                        await asyncio.sleep(_LOOK_SECONDS)
            except Unavailable as error:
                state = _STATES.get(error.reason, DeviceState.ABSENT)
                if told is not state:
                    told = state
                    yield DeviceChanged(self._descriptor, state, error.reason)
            await asyncio.sleep(backoff.next_seconds())

    async def _look(self, module: "_Module") -> DocumentRead | DocumentNotRead | None:
        """A card, why there was one that cannot be read, or None. Raises Unavailable."""
        try:
            if (await module.ask(FIND)).status != Status.FOUND:
                return None
            for command in (SELECT, READ):
                answer = await module.ask(command)
                if answer.status != Status.DONE:
                    raise Malformed(Reason.DOCUMENT_UNREADABLE, f"status {answer.status:02x}")
            card = parse_card(answer.data)
        except Malformed as error:
            return DocumentNotRead(error.reason, self._clock.now())
        return DocumentRead(RESIDENT_ID, card.number, card.name, card.sex, self._clock.now())


_STATES = {
    Reason.DEVICE_RULE_MISSING: DeviceState.DENIED,
    Reason.DEVICE_IN_USE: DeviceState.DENIED,
    Reason.DEVICE_SILENT: DeviceState.SILENT,
}


class _Module:
    """One question at a time over an open port."""

    def __init__(self, port: SerialPort, answer_seconds: float) -> None:
        self._port = port
        self._seconds = answer_seconds
        self._framer = AnswerFramer()
        self._answer: asyncio.Future[Answer] | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(port.fileno(), self._on_readable)

    def close(self) -> None:
        self._loop.remove_reader(self._port.fileno())

    async def ask(self, command: Command) -> Answer:
        """The module's answer. Raises Malformed (DOCUMENT_UNREADABLE) for a broken one, and
        Unavailable: DEVICE_SILENT without one in time, DEVICE_ABSENT when the port is gone."""
        self._framer.forget()
        self._answer = self._loop.create_future()
        self._port.write(build_command(command))
        try:
            async with asyncio.timeout(self._seconds):
                return await self._answer
        except TimeoutError as error:
            raise Unavailable(Reason.DEVICE_SILENT, "identity card reader") from error

    def _on_readable(self) -> None:
        """Read where the loop says that there is something: later there may be nothing."""
        try:
            for answer in self._framer.feed(self._port.read()):
                if isinstance(answer, Reason):
                    raise Malformed(answer, "check byte or length")
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(answer)
        except (Malformed, Unavailable) as error:
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)
            if isinstance(error, Unavailable):
                self.close()
