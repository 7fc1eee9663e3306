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
