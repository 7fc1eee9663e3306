"""A Zebra label printer as a machine of bytes: no USB, no threads. Whoever has the wire feeds it
what comes in and takes what it answers; time is a function it is given.

It does what the ZPL II programming guide says of ~HI, ~HS, ~HQES, ~HQOD, ~HQSN and ^HH, prints one
format after another at its own pace while nothing stops it, and keeps the rest in its buffer, as
a real one does. It shares no code with the drivers.
"""

import math
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

LABELS_A_SECOND = 3.0
DOTS_A_MILLIMETRE = 8
_STX, _ETX_CR_LF = b"\x02", b"\x03\r\n"
_QUESTIONS = re.compile(rb"~(HI|HS|HQES|HQOD|HQSN|JA)")
_LONGEST_QUESTION = 5
_LENGTH = re.compile(rb"\^LL(\d+)")
_REPRINT = re.compile(rb"\^JZ([YN])")
_UNITS = re.compile(rb"\^MA,,,,([CI])")
_MILLIMETRES = {"cm": 10.0, "in": 25.4}


class Language(StrEnum):
    """What it speaks."""

    ZPL = "zpl"
    EPL = "epl"


class Voice(StrEnum):
    """How it answers."""

    TRUE = "true"
    SILENT = "silent"
    GARBAGE = "garbage"
    HALF = "half"  # the first half of each answer


@dataclass
class Flags:
    """What is wrong with it; all may be set while it runs."""

    paper_out: bool = False
    paused: bool = False
    buffer_full: bool = False
    diagnostic: bool = False
    corrupt: bool = False
    cold: bool = False
    hot: bool = False
    head_open: bool = False
    ribbon_out: bool = False

    @property
    def stops(self) -> bool:
        """Whether nothing is printed now."""
        return any((self.paper_out, self.paused, self.hot, self.head_open, self.ribbon_out))


@dataclass
class Zebra:
    """One printer, switched on. Lengths are millimetres, times seconds of ``now``."""

    now: Callable[[], float] = time.monotonic
    language: Language = Language.ZPL
    model: str = "GK888t"
    serial: str = "28J101400001"
    dots: int = DOTS_A_MILLIMETRE  # a millimetre
    labels_a_second: float = LABELS_A_SECOND
    gap: float = 3.0  # between two labels on the roll
    unit: str = "cm"  # of the odometer: cm or in
    decimals: int = 0  # of the odometer
    obeys_units: bool = True  # ^MA changes the odometer's unit
    old_firmware: bool = False  # no ~HQ
    obeys_reprint: bool = True  # ^JZN turns reprinting off
    thermal_transfer: bool = False
    continuous: bool = False  # media without gaps
    media_dots: int | None = None  # the labels it has sensed; None: what ^LL says
    voice: Voice = Voice.TRUE
    silent_to: frozenset[str] = frozenset()  # questions it does not answer
    flags: Flags = field(default_factory=Flags)
    received: bytes = b""  # what is no question, as it came
    printed: list[bytes] = field(default_factory=list)  # formats that have come out, each whole
    moved: float = 217_443.0  # the odometer, millimetres
    reprints: bool = True  # ^JZ as it stands
    gradual: bool = False  # the odometer counts while a label comes out, not at its end
    _counted: float = 0.0  # of the label that is coming out
    _length_dots: int = 1245  # ^LL, as it comes from the factory
    _tail: bytes = b""
    _format: bytes = b""
    _waiting: deque[bytes] = field(default_factory=deque)
    _began_at: float | None = None  # the label that is coming out
    _answers: bytearray = field(default_factory=bytearray)

    # --- the wire ---

    def feed(self, data: bytes) -> None:
        """Bytes from the host."""
        self.advance()
        data = self._tail + data
        at = 0
        for question in _QUESTIONS.finditer(data):
            self._take(data[at : question.start()])
            self._ask(question[1].decode())
            at = question.end()
        rest = data[at:]
        cut = rest.rfind(b"~", -_LONGEST_QUESTION) if b"~" in rest[-_LONGEST_QUESTION:] else -1
        if cut >= 0:
            self._take(rest[:cut])
            self._tail = rest[cut:]
            self._end_of_tail()
        else:
            self._take(rest)
            self._tail = b""

    def take_answers(self, limit: int = 1 << 20) -> bytes:
        """What it has to say, at most ``limit`` bytes; taken once."""
        answer = bytes(self._answers[:limit])
        del self._answers[:limit]
        return answer

    # --- the machine ---

    def advance(self) -> None:
        """Let out what has come out by now."""
        if self.flags.stops:
            self._began_at = None  # a label that is interrupted begins anew
            return
        period = 1 / self.labels_a_second
        while self._waiting:
            if self._began_at is None:
                self._began_at = self.now()
            done = (self.now() - self._began_at) / period
            if self.gradual:
                self._count(min(1.0, done) * self._way(self._waiting[0]))
            if done < 1:
                return
            self._began_at += period
            self._let_out(self._waiting.popleft())
        self._began_at = None

    def press_feed(self, length: float = 30.0) -> None:
        """A person presses Feed: a blank label comes out."""
        self.advance()
        if not self.flags.stops:
            self.moved += length + self.gap

    @property
    def waiting(self) -> int:
        """Whole formats in its buffer."""
        self.advance()
        return len(self._waiting)

    def switch_off(self) -> None:
        """The buffer is lost; the odometer stays."""
        self._waiting.clear()
        self._format = self._tail = b""
        self._answers.clear()
        self._began_at = None

    # --- inside ---

    def _end_of_tail(self) -> None:
        """A tilde that cannot be the beginning of a question is data."""
        beginnings = (b"~", b"~H", b"~HQ", b"~HQE", b"~HQO", b"~HQS", b"~J")
        if self._tail not in beginnings:
            self._take(self._tail)
            self._tail = b""

    def _take(self, data: bytes) -> None:
        if not data:
            return
        self.received += data
        if self.language is Language.EPL:
            self._take_epl(data)
            return
        self._format += data
        while (end := self._format.find(b"^XZ")) >= 0:
            whole, self._format = self._format[: end + 3], self._format[end + 3 :]
            self._obey(whole.lstrip())
        if b"^XA" not in self._format:
            self._format = self._format[-2:]

    def _obey(self, whole: bytes) -> None:
        if match := _REPRINT.search(whole):
            self.reprints = match[1] == b"Y" or not self.obeys_reprint
        if match := _LENGTH.search(whole):
            self._length_dots = int(match[1])
        if (match := _UNITS.search(whole)) and self.obeys_units:
            self.unit = "cm" if match[1] == b"C" else "in"
        if b"^HH" in whole:
            self._say(self._configuration())
        elif b"^FO" in whole:
            if not self._waiting:
                self._began_at = None
            self._waiting.append(whole)
            self.advance()

    def _let_out(self, whole: bytes) -> None:
        self.printed.append(whole)
        self._count(self._way(whole))
        self._counted = 0.0

    def _count(self, way: float) -> None:
        self.moved += way - self._counted
        self._counted = way

    def _way(self, whole: bytes) -> float:
        match = _LENGTH.search(whole)
        return int(match[1] if match else 240) / self.dots + self.gap

    def _take_epl(self, data: bytes) -> None:
        """EPL2 programming manual: ``N`` clears, ``GW`` is binary, ``P1`` prints; ``^ee`` and
        ``UQ`` ask."""
        self._format += data
        if b"^ee\r\n" in self._format:
            self._format = self._format.replace(b"\r\n^ee\r\n", b"")
            self._say(b"07\r\n" if self.flags.paper_out else b"00\r\n")
        while (end := self._format.find(b"\nP1\n")) >= 0:
            self._waiting.append(self._format[: end + 4])
            self._format = self._format[end + 4 :]
            self.advance()

    def _ask(self, question: str) -> None:
        if self.language is Language.EPL:
            return
        if question == "JA":
            self._waiting.clear()
            self._format = b""
            return
        if question in self.silent_to or (self.old_firmware and question.startswith("HQ")):
            return
        answers = {
            "HI": self._identification,
            "HS": self._host_status,
            "HQES": self._errors,
            "HQOD": self._odometer,
            "HQSN": self._serial_number,
        }
        self._say(answers[question]())

    def _say(self, answer: bytes) -> None:
        match self.voice:
            case Voice.TRUE:
                self._answers += answer
            case Voice.GARBAGE:
                self._answers += bytes(byte ^ 0x55 for byte in answer)
            case Voice.HALF:
                self._answers += answer[: len(answer) // 2]
            case Voice.SILENT:
                pass

    def _identification(self) -> bytes:
        return _STX + f"{self.model},V61.17.17Z,{self.dots},8192KB".encode() + _ETX_CR_LF

    def _host_status(self) -> bytes:
        flags = self.flags
        formats = len(self._waiting)
        partial = b"^XA" in self._format
        length = f"{self.media_dots or self._length_dots:04d}"
        first = (
            "030", flags.paper_out, flags.paused, length, f"{formats:03d}", flags.buffer_full,
            flags.diagnostic, partial, "000", flags.corrupt, flags.cold, flags.hot,
        )  # fmt: skip
        second = (
            f"{0x80 * self.continuous:03d}", False, flags.head_open, flags.ribbon_out,
            self.thermal_transfer, "2", "4", False, f"{formats:08d}", "1", "000",
        )  # fmt: skip
        return b"".join(map(_string, (first, second, ("1234", "0"))))

    def _errors(self) -> bytes:
        flags = self.flags
        bits = (
            (flags.paper_out, 0x1),
            (flags.ribbon_out, 0x2),
            (flags.head_open, 0x4),
            (flags.hot, 0x10),
        )
        errors = sum(bit for stands, bit in bits if stands)
        lines = (
            "  PRINTER STATUS",
            f"   ERRORS:         {int(bool(errors))} 00000000 {errors:08X}",
            "   WARNINGS:       0 00000000 00000000",
        )
        return _page(lines)

    def _odometer(self) -> bytes:
        scale = 10**self.decimals
        shown = math.floor(self.moved / _MILLIMETRES[self.unit] * scale) / scale
        total = f"{shown:.{self.decimals}f}"
        mark = "cm" if self.unit == "cm" else '"'
        names = ("TOTAL NONRESETTABLE", "USER RESETTABLE CNTR1", "USER RESETTABLE CNTR2")
        return _page(("  PRINT METERS", *(f"   {name}:  {total:>14} {mark}" for name in names)))

    def _serial_number(self) -> bytes:
        return _page(("  SERIAL NUMBER", f"   {self.serial}"))

    def _configuration(self) -> bytes:
        lines = (
            "  +10.0               DARKNESS",
            "  TEAR OFF            PRINT MODE",
            "  GAP/NOTCH           MEDIA TYPE",
            f"  {'ENABLED' if self.reprints else 'DISABLED':<20}REPRINT MODE",
            "  CUSTOMIZED          CONFIGURATION",
        )
        return _STX + "\r\n".join(lines).encode() + _ETX_CR_LF


def _page(lines: tuple[str, ...]) -> bytes:
    """~HQ: "the printer responds with data similar to this", between STX and ETX."""
    return _STX + b"\r\n\r\n" + "\r\n".join(lines).encode() + b"\r\n" + _ETX_CR_LF


def _string(fields: tuple[str | bool, ...]) -> bytes:
    """One string of ~HS; a flag is 0 or 1."""
    words = (field if isinstance(field, str) else str(int(field)) for field in fields)
    return _STX + ",".join(words).encode() + _ETX_CR_LF
