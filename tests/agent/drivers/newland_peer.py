"""A Newland scanner as its serial line shows it, and wires of every quality between it and us."""

import re
from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta

from shared.clock import ManualClock

ACK, NAK, ENQ = b"\x06", b"\x15", b"\x05"
_COMMAND = re.compile(rb"~\x010000([@#])([^\x03]*);\x03")
_RANGES = {
    "INTERF": {"0", "1", "2", "3", "5", "6", "7", "8"},
    "TSUENA": {"0", "1"},
    "TSUSET": {"0D", "0A", "0D0A", "09"},
    "GRBENA": {"0", "1"},
    "GRBVLL": {str(volume) for volume in range(1, 21)},
    "KBWCTY": {str(layout) for layout in range(29)},
}


class NewlandPeer:
    """The scanner. What is written to it comes in, what it sends comes out."""

    def __init__(self) -> None:
        self.values = {
            "INTERF": "3",
            "TSUENA": "1",
            "TSUSET": "0D",
            "GRBENA": "1",
            "GRBVLL": "20",
            "KBWCTY": "0",
        }
        self.commands: list[bytes] = []
        self._heard = b""

    def hear(self, data: bytes) -> bytes:
        """Take bytes; the answers to the commands that are now whole."""
        self._heard += data
        answers = b""
        while match := _COMMAND.search(self._heard):
            self._heard = self._heard[match.end() :]
            self.commands.append(match[0])
            answers += b"\x02\x010000" + match[1] + self._obey(match[2]) + b"\x03"
        return answers

    def _obey(self, body: bytes) -> bytes:
        answer, tag = b"", ""
        for item, mark in re.findall(rb"([^,;]*)([,;]|$)", body + b";"):
            if not item:
                continue
            text = tag + item.decode("ascii", "replace")
            value, status = self._set(text[:6], text[6:])
            answer += (text[len(tag) : 6] + value).encode() + status + mark
            tag = text[:3] if mark == b"," else ""
        return answer

    def _set(self, name: str, data: str) -> tuple[str, bytes]:
        if name not in self.values:
            return data, ENQ
        if data == "*":
            return self.values[name], ACK
        if data not in _RANGES[name]:
            return data, NAK
        self.values[name] = data
        return data, ACK


class PeerWire:
    """Bytes to a peer and back, in portions, each taking ``seconds`` of a clock that moves only
    here; ``damage`` may change what passes, in either direction."""

    def __init__(
        self,
        peer: NewlandPeer,
        clock: ManualClock,
        *,
        portion: int = 4096,
        seconds: float = 0.0,
        damage: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._peer = peer
        self._clock = clock
        self._portion = portion
        self._seconds = seconds
        self._damage = damage
        self._coming: deque[bytes] = deque()

    def write(self, data: bytes) -> None:
        self.send(self._damage(self._peer.hear(self._damage(data))))

    def send(self, data: bytes) -> None:
        """What the scanner sends of itself."""
        for start in range(0, len(data), self._portion):
            self._coming.append(data[start : start + self._portion])

    def read(self, seconds: float) -> bytes:
        if not self._coming or self._seconds > seconds:
            self._clock.advance(timedelta(seconds=seconds, microseconds=1))
            return b""
        self._clock.advance(timedelta(seconds=self._seconds))
        return self._coming.popleft()


class ScriptedWire:
    """Answers each command with the next of these, whatever it was."""

    def __init__(self, clock: ManualClock, answers: Iterable[bytes]) -> None:
        self._clock = clock
        self._answers = deque(answers)
        self._coming = b""
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        self._coming += self._answers.popleft() if self._answers else b""

    def read(self, seconds: float) -> bytes:
        coming, self._coming = self._coming, b""
        if not coming:
            self._clock.advance(timedelta(seconds=seconds, microseconds=1))
        return coming
