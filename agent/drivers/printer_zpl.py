"""Talking ZPL with a printer: who it is, how it is, how far it has moved. Blocking, over a wire.

What answers mean is ``host_status``'s and ``printer_facts``' business; what to do about it the
driver's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from agent.drivers.host_status import (
    ASK_ERRORS,
    ASK_HOST_STATUS,
    HOST_STATUS_END,
    HostStatus,
    parse_errors,
    parse_host_status,
)
from agent.drivers.printer_facts import (
    ANSWER_END,
    ASK_CONFIGURATION,
    ASK_IDENTIFICATION,
    ASK_ODOMETER,
    ASK_SERIAL,
    Odometer,
    parse_identification,
    parse_odometer,
    parse_reprints,
    parse_serial,
)
from agent.drivers.printer_language import PrinterLanguage
from agent.drivers.printer_wire import Wire
from agent.ports import PrinterStatus
from shared.devices import DeviceState, PrinterCondition
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason

DOTS_PER_MM = 8
MEDIA_TOLERANCE = 0.2
_IN_PASSING = frozenset({PrinterCondition.PARTIAL_FORMAT, PrinterCondition.BUFFER_FULL})
"""What a printer shows while it takes a label."""

_T = TypeVar("_T")
_CANCEL_ALL = b"~JA"

# "^JZN": it prints nothing again by itself. "^MA,,,,C": the odometer in centimetres, not inches.
# "^LL": the length of labels, where the printer does not sense it.
_SET_UP = "^XA^JZN^MA,,,,C^LL{feed_dots}^XZ"


@dataclass(frozen=True, slots=True)
class ZplTalk:
    """One open printer that speaks ZPL; made by ``begin_zpl``."""

    wire: Wire
    model: str
    serial: str
    feed_dots: int  # the labels it should have
    right_resolution: bool
    reports_errors: bool  # ~HQES, which old firmware lacks
    counts: bool  # ~HQOD
    reprints: bool  # by itself, and will not stop

    @property
    def language(self) -> PrinterLanguage:
        return PrinterLanguage.ZPL

    def ask_status(self) -> PrinterStatus:
        """What stands in a label's way. Raises Unavailable."""
        try:
            conditions = self._ask_conditions()
        except Unavailable as error:
            if error.reason is not Reason.DEVICE_SILENT or not self.reports_errors:
                raise
            # Zebra's present guide: ~HS may stay away when something is wrong.
            conditions = self._ask_errors()
            if not conditions:
                raise
        if self.reprints:
            return PrinterStatus(DeviceState.FAULTY, conditions, Reason.PRINTER_REPRINTS)
        return PrinterStatus(DeviceState.FAULTY if conditions else DeviceState.READY, conditions)

    def ask_trouble(self) -> tuple[frozenset[PrinterCondition], bool]:
        """After a label: what stops it now, and whether it still holds one. Raises Unavailable."""
        try:
            status = self._ask_host_status()
        except Unavailable as error:
            if error.reason is Reason.DEVICE_SILENT and self.reports_errors:
                return self._ask_errors(), True
            raise
        return status.conditions - _IN_PASSING, status.holds_labels

    def read_odometer(self) -> Odometer | None:
        """How far it has moved; None where it does not count. Raises Unavailable."""
        return _read(self.wire, ASK_ODOMETER, parse_odometer) if self.counts else None

    def _ask_conditions(self) -> frozenset[PrinterCondition]:
        status = self._ask_host_status()
        conditions = status.conditions
        if status.holds_labels:  # nobody here is printing now: it is an earlier one, or another's
            conditions |= {PrinterCondition.HOLDS_LABEL}
        if self.reports_errors:
            conditions |= self._ask_errors()
        if not self.right_resolution:
            conditions |= {PrinterCondition.WRONG_RESOLUTION}
        off = abs(status.label_length_dots - self.feed_dots)
        if not status.continuous and off > MEDIA_TOLERANCE * self.feed_dots:
            conditions |= {PrinterCondition.WRONG_MEDIA}
        return conditions

    def _ask_host_status(self) -> HostStatus:
        return _read(self.wire, ASK_HOST_STATUS, parse_host_status, HOST_STATUS_END)

    def _ask_errors(self) -> frozenset[PrinterCondition]:
        return _read(self.wire, ASK_ERRORS, parse_errors).conditions


def begin_zpl(wire: Wire, feed_dots: int) -> ZplTalk | None:
    """Ask who is there and set it up; None where nothing answers ~HI.

    Raises Unavailable, PRINTER_GARBLED for answers that are not what was asked for.
    """
    identification = _read_if_known(wire, ASK_IDENTIFICATION, parse_identification)
    if identification is None:
        return None
    if _takes_formats(wire):
        for _ in wire.write(_SET_UP.format(feed_dots=feed_dots).encode("ascii")):
            pass
    errors = _read_if_known(wire, ASK_ERRORS, parse_errors)
    odometer = _read_if_known(wire, ASK_ODOMETER, parse_odometer)
    return ZplTalk(
        wire=wire,
        model=identification.model,
        serial=_read_if_known(wire, ASK_SERIAL, parse_serial) or "",
        feed_dots=feed_dots,
        right_resolution=identification.dots_per_mm == DOTS_PER_MM,
        reports_errors=errors is not None,
        counts=odometer is not None,
        reprints=bool(_read_if_known(wire, ASK_CONFIGURATION, parse_reprints)),
    )


def _takes_formats(wire: Wire) -> bool:
    """Whether a format may be sent: not into half a label that was cut off before, which it would
    end and so print. "~JA: cancels all format commands in the buffer." Raises Unavailable."""
    for _ in range(2):
        status = _read_if_known(wire, ASK_HOST_STATUS, parse_host_status, HOST_STATUS_END)
        if status is None:
            return False
        if PrinterCondition.PARTIAL_FORMAT not in status.conditions:
            return True
        for _ in wire.write(_CANCEL_ALL):
            pass
    return False


def _read(
    wire: Wire,
    question: bytes,
    parse: Callable[[bytes], _T],
    end: re.Pattern[bytes] = ANSWER_END,
) -> _T:
    """Raises Unavailable: an answer that cannot be read may be another printer's, or half of one,
    so the wire is not trusted further."""
    try:
        return parse(wire.ask(question, end))
    except Malformed as error:
        raise Unavailable(Reason.PRINTER_GARBLED, error.detail) from error


def _read_if_known(
    wire: Wire,
    question: bytes,
    parse: Callable[[bytes], _T],
    end: re.Pattern[bytes] = ANSWER_END,
) -> _T | None:
    """None where this firmware does not answer. Asked twice, for a printer that has just woken is
    slow; silence costs its time-outs once a connection."""
    for _ in range(2):
        try:
            return _read(wire, question, parse, end)
        except Unavailable as error:
            if error.reason is not Reason.DEVICE_SILENT:
                raise
    return None
