"""A typed client for a Newland scanner's set-up, over any wire that carries bytes.

It asks, waits with a deadline and asks again: a setting made twice is made once. A code scanned in
the meantime is kept for the caller. It knows no port.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

from agent.drivers.newland import (
    CURRENT,
    LAYOUTS,
    VOLUMES,
    Entry,
    Interface,
    Status,
    Storage,
    Terminator,
    build_command,
)
from agent.drivers.newland_wire import Answer, Inbox, SerialWire, Wire
from agent.drivers.serial_port import SerialPort
from shared.clock import Clock
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason

T = TypeVar("T")

ANSWER_SECONDS = 1.0
"""For one try; at 9,600 baud the longest answer here takes 30 ms."""

TRIES = 3


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
        self._inbox = Inbox()

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
