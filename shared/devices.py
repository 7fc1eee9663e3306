"""What a device can be, and what can become of a label: the states of the whole system.

Words only: how a state is detected is the drivers' business, what is done about it the
counter's. Both sides of the wire speak these, because print records carry them.
"""

from enum import StrEnum


class DeviceState(StrEnum):
    """Where a device stands. A device failing is data, never an exception."""

    ABSENT = "absent"  # not plugged in, or pulled
    DENIED = "denied"  # there, but this process may not open it (a udev rule is missing)
    OPENING = "opening"
    READY = "ready"
    SILENT = "silent"  # open, but it does not answer: a probable fault, never OK
    FAULTY = "faulty"  # it answers with a condition that stops work, or with garbage


class PrinterCondition(StrEnum):
    """What a printer says is wrong with it (ZPL II guide, ~HS and ~HQES)."""

    NO_PAPER = "no-paper"
    HEAD_OPEN = "head-open"
    NO_RIBBON = "no-ribbon"
    PAUSED = "paused"
    TOO_HOT = "too-hot"
    TOO_COLD = "too-cold"
    BUFFER_FULL = "buffer-full"
    CUTTER_FAULT = "cutter-fault"
    HEAD_FAULT = "head-fault"
    PARTIAL_FORMAT = "partial-format"
    HOLDS_LABEL = "holds-label"  # an earlier one that has not come out
    WRONG_MEDIA = "wrong-media"
    WRONG_RESOLUTION = "wrong-resolution"
    OTHER_FAULT = "other-fault"  # an unknown bit is a fault, never OK


class PrintState(StrEnum):
    """Where a label stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"  # every byte is with the printer
    CONFIRMED = "confirmed"  # its odometer moved by this label, or the label was scanned back
    UNKNOWN = "unknown"  # bytes have left and nothing proves the outcome: a person decides
    FAILED = "failed"  # no byte has left


PRINT_STEPS: dict[PrintState, frozenset[PrintState]] = {
    PrintState.QUEUED: frozenset({PrintState.SENDING, PrintState.FAILED}),
    PrintState.SENDING: frozenset({PrintState.SENT, PrintState.UNKNOWN, PrintState.FAILED}),
    PrintState.SENT: frozenset({PrintState.CONFIRMED, PrintState.UNKNOWN}),
    PrintState.UNKNOWN: frozenset({PrintState.CONFIRMED}),
    PrintState.CONFIRMED: frozenset(),
    PrintState.FAILED: frozenset(),
}
"""The one table of print states. No row leads back to SENDING: nothing is resent by itself."""


def step_print(state: PrintState, to: PrintState) -> PrintState:
    """The state after a step. One outside the table is a bug: KeyError ends the task tree."""
    if to not in PRINT_STEPS[state]:
        raise KeyError((state, to))
    return to
