"""Talking EPL2 with a printer: the fallback, without an odometer. Blocking, over a wire."""

from dataclasses import dataclass

from agent.drivers.epl import ASK_ERRORS, ERRORS_END, parse_errors
from agent.drivers.printer_facts import Odometer
from agent.drivers.printer_language import PrinterLanguage
from agent.drivers.printer_wire import Wire
from agent.ports import PrinterStatus
from shared.devices import DeviceState, PrinterCondition
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class EplTalk:
    """One open printer that speaks EPL2; made by ``begin_epl``."""

    wire: Wire
    model: str
    serial: str = ""

    @property
    def language(self) -> PrinterLanguage:
        return PrinterLanguage.EPL2

    def ask_status(self) -> PrinterStatus:
        """What stands in a label's way. Raises Unavailable."""
        conditions = self._ask_errors()
        return PrinterStatus(DeviceState.FAULTY if conditions else DeviceState.READY, conditions)

    def ask_trouble(self) -> tuple[frozenset[PrinterCondition], bool]:
        """After a label: what stops it now; whether a format waits, EPL2 does not tell."""
        return self._ask_errors(), False

    def read_odometer(self) -> Odometer | None:
        """It has none that can be asked for beside a job."""
        return None

    def _ask_errors(self) -> frozenset[PrinterCondition]:
        try:
            return parse_errors(self.wire.ask(ASK_ERRORS, ERRORS_END))
        except Malformed as error:
            raise Unavailable(Reason.PRINTER_GARBLED, "error report") from error


def begin_epl(wire: Wire, model: str) -> EplTalk | None:
    """Ask ^ee; None where nothing answers. Raises Unavailable."""
    talk = EplTalk(wire, model)
    try:
        talk.ask_status()
    except Unavailable as error:
        if error.reason is Reason.DEVICE_SILENT:
            return None
        raise
    return talk
