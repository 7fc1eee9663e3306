"""A scanner's frames into events, and what they show about the scanner itself. Pure.

Every piece that a framer gives passes here once: prefix and suffix come off, a frame that cannot
be as it was on the paper is dropped with its reason, and what is wrong with the scanner stays on
the page until a code of ours comes whole.
"""

from collections import deque
from datetime import datetime, timedelta

from agent.drivers.evidence import find_fault, read_code
from agent.drivers.framing import NO_AFFIXES, Affixes, Piece
from agent.ports import DeviceChanged, DeviceDescriptor, FrameDropped, FrameScanned, ScannerEvent
from shared.devices import DeviceState
from shared.reasons import Reason

MANY_LOSSES = 3
LOSSES_WITHIN = timedelta(minutes=1)
"""One loss is a busy moment of the box; three in a minute are a scanner that types too fast."""


class ScannerHealth:
    """One open scanner; ``typed`` as in ``find_fault``."""

    def __init__(
        self, device: DeviceDescriptor, *, typed: bool, affixes: Affixes = NO_AFFIXES
    ) -> None:
        self._device = device
        self._typed = typed
        self._affixes = affixes
        self._ailment: Reason | None = None
        self._losses: deque[datetime] = deque(maxlen=MANY_LOSSES)

    def judge(self, piece: Piece, at: datetime) -> list[ScannerEvent]:
        """The piece as an event; behind it READY, if what the page says of the scanner changes."""
        if isinstance(piece, bytes):
            piece = self._examine(piece)
        if isinstance(piece, bytes):
            good = self._ailment and read_code(piece.decode("ascii", "replace"))
            cured = good and not self._loses_often(at)
            return [FrameScanned(piece, at), *(self._tell(None) if cured else [])]
        dropped = FrameDropped(piece, at)
        match piece:
            case (
                Reason.SCANNER_CAPS_LOCK
                | Reason.SCANNER_SHIFT_LOST
                | Reason.SCANNER_LAYOUT
                | Reason.SCANNER_LOWER_CASE
            ):
                return [dropped, *self._tell(piece)]
            case Reason.FRAME_LOST:
                self._losses.append(at)
                if self._loses_often(at):
                    return [dropped, *self._tell(Reason.SCANNER_TOO_FAST)]
        return [dropped]

    def _examine(self, frame: bytes) -> Piece:
        # A scanner that types wrongly types its prefix wrongly too, one key a character: what
        # stands between is looked at first.
        inside = self._affixes.between(frame)
        return find_fault(inside, typed=self._typed) or self._affixes.take_off(frame)

    def _loses_often(self, at: datetime) -> bool:
        return len(self._losses) == MANY_LOSSES and at - self._losses[0] <= LOSSES_WITHIN

    def _tell(self, ailment: Reason | None) -> list[ScannerEvent]:
        if ailment is self._ailment:
            return []
        self._ailment = ailment
        return [DeviceChanged(self._device, DeviceState.READY, ailment)]
