"""Whether a printer's odometer proves that a label came out. Pure (docs/adr/0012).

An odometer shows whole units, so two readings tell how far it moved only within one of them
either way. The label is proved when that range meets its length ± 20 % — if the units are fine
enough that standing still, or a label and a press on Feed together, could not show the same.
"""

from enum import Enum, auto

from agent.drivers.printer_facts import Odometer

TOLERANCE = 0.2
"""Of the label's length; the gap between two labels, 2 to 4 mm, lies within it."""
COARSEST = TOLERANCE * 2
"""Units larger than this part of a label's length show the same for one label and for two: the
largest reading of one is 1.2 lengths and a unit, the smallest of two is 2 lengths less a unit."""


class Proof(Enum):
    """What two readings say of one label."""

    OUT = auto()  # moved by this label
    NOT_YET = auto()  # moved by less, or not at all
    TOO_FAR = auto()  # moved by more: another label, or a press on Feed
    NONE = auto()  # the units are too coarse for this label


RESTS_AFTER = 1.5
"""Of the longest time between two readings of this label that differed."""


class LabelWatch:
    """One label's way as it is read. Paper that moves bit by bit is out when it rests: half a label
    reads like a whole one where the units are coarse. A printer that counts a whole label at once
    has counted it at its end."""

    def __init__(self, before: Odometer, length_mm: float) -> None:
        self._before = before
        self._length_mm = length_mm
        self._last = before
        self._changes = 0
        self._changed_at = 0.0
        self._longest = 0.0

    def take(self, after: Odometer, now: float) -> Proof:
        """One more reading, at ``now`` in seconds of a clock that never goes back."""
        if after.mm != self._last.mm:
            if self._changes:
                self._longest = max(self._longest, now - self._changed_at)
            self._last, self._changed_at = after, now
            self._changes += 1
        proof = judge(self._before, after, self._length_mm)
        moves = now - self._changed_at < RESTS_AFTER * self._longest
        return Proof.NOT_YET if proof is Proof.OUT and moves else proof


def judge(before: Odometer, after: Odometer, length_mm: float) -> Proof:
    """What came out between two readings, if a label of this length was sent after the first."""
    step = max(before.step, after.step)
    if step > COARSEST * length_mm:
        return Proof.NONE
    moved = after.mm - before.mm
    if moved + step <= (1 - TOLERANCE) * length_mm:
        return Proof.NOT_YET
    if moved - step >= (1 + TOLERANCE) * length_mm:
        return Proof.TOO_FAR
    return Proof.OUT
