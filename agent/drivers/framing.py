"""Bytes of a scanner into frames, one frame a code. Pure: no I/O, no clock.

It knows terminators, silence and what is set up around a code, not what a code looks like.
Nothing is guessed: bytes that may not be one whole code are dropped with a reason, and the clerk
scans again. Used by every scanner's driver and by the simulator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from shared.reasons import Reason

TERMINATORS = b"\r\n\t"
"""CR, LF and Tab, alone or together, before a code or after it: scanners are set up in all these
ways (hardware.md). Empty frames between them are nothing."""

LIMIT_BYTES = 3 * 1024
"""A longer frame is no code. A QR symbol holds at most 2,953 bytes (ISO/IEC 18004, 40-L)."""

Piece = bytes | Reason
"""A complete frame without its terminator, or why bytes were dropped."""


@dataclass(frozen=True, slots=True)
class Affixes:
    """What this scanner is set up to send before and behind each code.

    A frame without them is not whole: keeping it as it is would be a guess.
    """

    prefix: bytes = b""
    suffix: bytes = b""

    def between(self, frame: bytes) -> bytes:
        """What stands between, by count: the affixes themselves may have been typed wrongly."""
        return frame[len(self.prefix) : len(frame) - len(self.suffix)]

    def take_off(self, frame: bytes) -> Piece:
        """The code alone; FRAME_CUT where an affix, or everything between them, is missing."""
        code = self.between(frame)
        return code if code and frame == self.prefix + code + self.suffix else Reason.FRAME_CUT


NO_AFFIXES = Affixes()


class _Habit(Enum):
    """How this scanner ends a code, as far as it has shown."""

    NOT_SHOWN = auto()
    TERMINATES = auto()
    LEADS = auto()  # a terminator comes first, so one within a burst proves nothing


class Framer:
    """One scanner's bytes, in whatever portions they come.

    Half a frame before a silence: a scanner that has shown that it terminates its codes was cut
    off, so the bytes are dropped (FRAME_CUT); one that has not shown it may send no terminator
    at all, so they are the frame, and the parser judges them. After a FRAME_CUT the scanner's
    habit counts as not shown: a wrong conclusion costs one scan, never the device.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self.ear: Callable[[bytes], None] | None = None
        """Hears every byte before it is framed, for a technician's test."""
        self._limit = limit_bytes
        self._buffer = bytearray()
        self._skipping = False  # the rest of a dropped frame, up to its end
        self._idle = True
        self._habit = _Habit.NOT_SHOWN

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return what they complete."""
        if data and self.ear is not None:
            self.ear(data)
        pieces: list[Piece] = []
        for byte in data:
            if byte in TERMINATORS:
                pieces += self._end()
            elif not self._skipping:
                self._buffer.append(byte)
                if len(self._buffer) > self._limit:
                    pieces.append(self.discard(Reason.CODE_TOO_LONG))
            self._idle = False
        return pieces

    def gap(self) -> list[Piece]:
        """Silence longer than the inter-key gap: whatever was coming has ended."""
        self._idle = True
        self._skipping = False
        if not self._buffer:
            return []
        if self._habit is _Habit.TERMINATES:
            self._habit = _Habit.NOT_SHOWN
            return self.cut()
        return [self._take()]

    def cut(self) -> list[Piece]:
        """The line broke: half a frame is dropped, whatever the scanner's habit."""
        if not self._buffer:
            return []
        self._buffer.clear()
        return [Reason.FRAME_CUT]

    def discard(self, reason: Reason) -> Reason:
        """Drop the frame that is coming, what is here and what follows up to its end."""
        self._buffer.clear()
        self._skipping = True
        return reason

    def _end(self) -> list[Piece]:
        if self._skipping:
            self._skipping = False
            return []
        if self._idle and self._habit is _Habit.NOT_SHOWN:
            self._habit = _Habit.LEADS
        if not self._buffer:
            return []
        if self._habit is _Habit.NOT_SHOWN:
            self._habit = _Habit.TERMINATES
        return [self._take()]

    def _take(self) -> bytes:
        frame = bytes(self._buffer)
        self._buffer.clear()
        return frame
