"""The line to a Newland scanner: a wire for bytes, and what comes over it sorted into answers
and scans. It knows no setting.
"""

import select
from collections.abc import Callable
from typing import Protocol

from agent.drivers.framing import Framer
from agent.drivers.newland import ANSWER_PREFIX, SUFFIX, Answered, parse_answer
from agent.drivers.serial_port import SerialPort
from shared.errors import Malformed

_STX, _ETX = ANSWER_PREFIX[0], SUFFIX[-1]
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


class Inbox:
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
            if byte == _STX:
                answers += self._close()
                self._answer.append(byte)
            elif not self._answer:
                self._keep(bytes([byte]))
            else:
                self._answer.append(byte)
                if byte == _ETX or len(self._answer) > _MOST_BYTES:
                    answers += self._close()
        return answers

    def take_scans(self) -> list[bytes]:
        """What was scanned, as a ``Framer`` cuts it; each scan once."""
        self._close()
        self._scans += [piece for piece in self._framer.gap() if isinstance(piece, bytes)]
        taken, self._scans = self._scans, []
        return taken

    def _keep(self, data: bytes) -> None:
        """What is no answer is a scan."""
        pieces = self._framer.feed(data)
        self._scans += [piece for piece in pieces if isinstance(piece, bytes)]

    def _close(self) -> list[Answer | None]:
        """Nothing more of the present answer comes."""
        if not self._answer:
            return []
        read = self._read(bytes(self._answer))
        self._answer.clear()
        return [read] if read is None or self._belongs(read) else []

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
            for start in range(1, end)
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
