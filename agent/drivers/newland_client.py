"""A typed client for a Newland scanner's set-up, over any wire that carries bytes.

It asks, waits with a deadline and asks again: a setting made twice is made once. A code scanned in
the meantime is kept for the caller. It knows no port; ``SerialWire`` is one.
"""

import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self, TypeVar

from agent.drivers.framing import Framer
from agent.drivers.newland import (
    ANSWER_PREFIX,
    CURRENT,
    LAYOUTS,
    VOLUMES,
    Answered,
    Entry,
    Interface,
    Status,
    Storage,
    Terminator,
    build_command,
    parse_answer,
)
from agent.drivers.serial_port import SerialPort
from shared.clock import Clock
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason

T = TypeVar("T")

ANSWER_SECONDS = 1.0
"""For one try; at 9,600 baud the longest answer here takes 30 ms."""

TRIES = 3

_STX, _ETX = ANSWER_PREFIX[:1], b"\x03"
_MOST_BYTES = 512
"""A longer answer is none: those asked for here have at most 30."""


Answer = tuple[Answered, ...]


class Wire(Protocol):
    """A line to one scanner."""

    def write(self, data: bytes) -> None:
        """Raises Unavailable when the device is gone."""
        ...

    def read(self, seconds: float) -> bytes:
        """What came within this time, as soon as anything did; empty if nothing. Raises
        Unavailable when the device is gone."""
        ...


class SerialWire:
    """A serial port as a wire."""

    def __init__(self, port: SerialPort) -> None:
        self._port = port

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self, seconds: float) -> bytes:
        readable, _, _ = select.select([self._port], [], [], max(seconds, 0.0))
        return self._port.read() if readable else b""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a technician wants to know of a scanner. None: this scanner does not know the setting,
    or it has a value that its manual must explain."""

    interface: Interface | None
    terminator: Terminator | None
    beep: bool | None
    volume: int | None
    layout: int | None  # 0: US


class NewlandClient:
    """One scanner's set-up. Its calls wait: not for an event loop.

    All raise Unavailable (DEVICE_SILENT, DEVICE_FAULTY for an answer that cannot be read,
    DEVICE_ABSENT) after three tries, and Refused (SCANNER_SET_UP_REFUSED) with the setting's name
    when the scanner does not know it or does not take the value. Reading raises Malformed
    (DEVICE_FAULTY) for a value that is not in ``newland``.
    """

    def __init__(self, wire: Wire, clock: Clock, storage: Storage = Storage.KEPT) -> None:
        self._wire = wire
        self._clock = clock
        self._storage = storage
        self._inbox = _Inbox()

    @classmethod
    def on_port(cls, port: SerialPort, clock: Clock, storage: Storage = Storage.KEPT) -> Self:
        """A client for an open port."""
        return cls(SerialWire(port), clock, storage)

    def take_scans(self) -> list[bytes]:
        """The codes that were scanned since the last call, as ``Framer`` cuts them."""
        return self._inbox.take_scans()

    def read_interface(self) -> Interface:
        return self._read_value("INT", "ERF", lambda text: Interface(int(text)))

    def set_interface(self, interface: int) -> None:
        """The scanner answers first, then leaves and comes back as another device."""
        self._set(Entry("INT", "ERF", str(int(interface))))

    def read_terminator(self) -> Terminator:
        enabled, value = self._ask("TSU", "ENA", "SET")
        if enabled == "0":
            return Terminator.NONE
        return _parse_value("TSUSET", value, Terminator)

    def set_terminator(self, terminator: Terminator) -> None:
        if terminator is Terminator.NONE:
            self._set(Entry("TSU", "ENA", "0"))
        else:
            self._set(Entry("TSU", "ENA", "1"), Entry("TSU", "SET", terminator.value))

    def read_beep(self) -> bool:
        """Whether a good read beeps."""
        return self._read_value("GRB", "ENA", ["0", "1"].index) == 1

    def set_beep(self, on: bool) -> None:
        self._set(Entry("GRB", "ENA", str(int(on))))

    def read_volume(self) -> int:
        return self._read_value("GRB", "VLL", _number_in(VOLUMES))

    def set_volume(self, volume: int) -> None:
        self._set(Entry("GRB", "VLL", str(volume)))

    def read_layout(self) -> int:
        return self._read_value("KBW", "CTY", _number_in(LAYOUTS))

    def set_layout(self, layout: int) -> None:
        self._set(Entry("KBW", "CTY", str(layout)))

    def read_set_up(self) -> SetUp:
        """All of it. Raises Unavailable."""
        return SetUp(
            _known(self.read_interface),
            _known(self.read_terminator),
            _known(self.read_beep),
            _known(self.read_volume),
            _known(self.read_layout),
        )

    def _read_value(self, tag: str, sub_tag: str, parse: Callable[[str], T]) -> T:
        (value,) = self._ask(tag, sub_tag)
        return _parse_value(tag + sub_tag, value, parse)

    def _ask(self, tag: str, *sub_tags: str) -> list[str]:
        """The values as two answers in a row have them: an answer carries no check sum."""
        entries = [Entry(tag, sub_tag, CURRENT) for sub_tag in sub_tags]
        values: list[str] = []
        for _ in range(1 + TRIES):
            before, values = values, [each.entry.data for each in self._talk(entries)]
            if values == before:
                return values
        raise Unavailable(Reason.DEVICE_FAULTY, f"{entries[0].name} changes")

    def _set(self, *entries: Entry) -> None:
        self._talk(entries)

    def _talk(self, entries: Sequence[Entry]) -> Answer:
        command = build_command(entries, self._storage)
        for tries_left in reversed(range(TRIES)):
            try:
                answered = self._try(command, entries)
            except Unavailable:
                if not tries_left:
                    raise
            else:
                break
        for each in answered:
            if each.status is not Status.DONE:
                raise Refused(Reason.SCANNER_SET_UP_REFUSED, each.entry.name)
        return answered

    def _try(self, command: bytes, entries: Sequence[Entry]) -> Answer:
        self._wire.write(command)
        deadline = self._clock.monotonic_ns() + int(ANSWER_SECONDS * 1e9)
        inbox = self._inbox
        inbox.expect(partial(_belongs, entries))
        garbled = False
        while (left := deadline - self._clock.monotonic_ns()) > 0:
            for answer in inbox.feed(self._wire.read(left / 1e9)):
                if answer is not None:
                    return answer
                garbled = True
        raise Unavailable(Reason.DEVICE_FAULTY if garbled else Reason.DEVICE_SILENT, "scanner")


class _Inbox:
    """What comes from the scanner, sorted: answers here, scans there."""

    def __init__(self) -> None:
        self._belongs: Callable[[Answer], bool] = bool
        self._answer = bytearray()  # from its STX on
        self._framer = Framer()
        self._scans: list[bytes] = []

    def expect(self, belongs: Callable[[Answer], bool]) -> None:
        """Which answers are wanted from now on; late ones to something else are let go."""
        self._belongs = belongs

    def feed(self, data: bytes) -> list[Answer | None]:
        """The wanted answers that this completes; None for one that cannot be read."""
        answers: list[Answer | None] = []
        for byte in data:
            if byte == _STX[0]:
                if self._answer:
                    answers.append(None)
                self._answer = bytearray(_STX)
            elif not self._answer:
                self._keep(bytes([byte]))
            else:
                self._answer.append(byte)
                if byte == _ETX[0] or len(self._answer) > _MOST_BYTES:
                    answer = self._read(bytes(self._answer))
                    self._answer.clear()
                    if answer is None or self._belongs(answer):
                        answers.append(answer)
        return answers

    def take_scans(self) -> list[bytes]:
        self._scans += [piece for piece in self._framer.gap() if isinstance(piece, bytes)]
        taken, self._scans = self._scans, []
        return taken

    def _keep(self, data: bytes) -> None:
        """What is no answer is a scan. A damaged answer's control characters are none."""
        pieces = self._framer.feed(data)
        self._scans += [piece for piece in pieces if isinstance(piece, bytes)]

    def _read(self, answer: bytes) -> Answer | None:
        """An answer, with a scan that came into the middle of it taken out.

        Where a scan ends is known by its terminator, which no answer holds; where it began only if
        the rest makes a wanted answer in exactly one way. Else nothing is guessed: the command is
        sent again and the bytes are kept.
        """
        whole = _parse(answer)
        if whole is not None:
            return whole
        end = max(answer.rfind(terminator) for terminator in b"\r\n\t") + 1
        if end == 0:
            return None
        ways = [
            (parsed, answer[start:end])
            for start in range(len(_STX), end)
            if (parsed := _parse(answer[:start] + answer[end:])) and self._belongs(parsed)
        ]
        if len(ways) != 1:
            self._keep(answer)
            return None
        ((parsed, scan),) = ways
        self._keep(scan)
        return parsed


def _parse(answer: bytes) -> Answer | None:
    try:
        return parse_answer(answer)
    except Malformed:
        return None


def _belongs(entries: Sequence[Entry], answer: Answer) -> bool:
    """Not the late answer to something else: it names what was asked and echoes what was set."""
    return len(answer) == len(entries) and all(
        got.entry.name == sent.name and sent.data in {CURRENT, got.entry.data}
        for got, sent in zip(answer, entries, strict=True)
    )


def _parse_value(name: str, value: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(value)
    except ValueError as error:
        raise Malformed(Reason.DEVICE_FAULTY, name) from error


def _number_in(values: range) -> Callable[[str], int]:
    def parse(text: str) -> int:
        return values[values.index(int(text))]

    return parse


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Refused:
        return None
