"""The parts of a counter that settings reach while it works: new values, other devices.

Nothing stored is touched; a scan or a label that has begun ends as it began. Made by
``agent.app``.
"""

from pathlib import Path
from typing import get_args

from agent.config import BoxConfig, LabelName
from agent.counter.again import AgainWindow
from agent.counter.birth import Registrar
from agent.counter.issuing import Issuing
from agent.counter.judge import Judge
from agent.counter.service import Counter
from agent.drivers.catalog import open_printer, open_scanner
from agent.drivers.slots import PrinterSlot, ScannerSlot
from agent.settings.effective import Effective
from shared.clock import Clock
from shared.errors import Malformed
from shared.reasons import Reason


class Workplace:
    """Arranged anew with each change of settings."""

    def __init__(  # noqa: PLR0913 - the parts that settings reach
        self,
        *,
        arranged: Effective,
        directory: Path,
        font: str,
        clock: Clock,
        registrar: Registrar,
        judge: Judge,
        again: AgainWindow,
        counter: Counter,
        issuing: Issuing,
        scanner: ScannerSlot,
        printer: PrinterSlot,
    ) -> None:
        self._arranged = arranged
        self._directory = directory
        self._font = font
        self._clock = clock
        self._registrar = registrar
        self._judge = judge
        self._again = again
        self._counter = counter
        self._issuing = issuing
        self._scanner = scanner
        self._printer = printer

    def arrange(self, wanted: Effective) -> None:
        """Work by these values from now on; a device is opened again only where it changes."""
        before, self._arranged = self._arranged, wanted
        self._registrar.counter = wanted.counter
        self._judge.deadline = wanted.ask_deadline
        self._judge.medical_step = wanted.medical_step
        self._counter.medical_step = wanted.medical_step
        self._again.window = wanted.again
        self._issuing.deadline = wanted.register_deadline
        if wanted.scanner != before.scanner:
            scanner = open_scanner(wanted.scanner, self._directory, self._clock)
            self._scanner.exchange(scanner)
        if (wanted.printer, wanted.label) != (before.printer, before.label):
            printer = open_printer(wanted.printer, self._directory, self._font, wanted.label)
            self._printer.exchange(printer)


def check_workplace(config: BoxConfig, directory: Path, clock: Clock, wanted: Effective) -> None:
    """Whether this box can work by these values; loads a driver or a font that is new to it.

    Blocking. Raises Malformed naming the setting (SETTING_IMPOSSIBLE, GLYPH_MISSING), Unavailable
    (FONT_MISSING).
    """
    try:
        open_scanner(wanted.scanner, directory, clock)
    except Malformed as error:
        raise Malformed(Reason.SETTING_IMPOSSIBLE, "scanner") from error
    try:
        printer = open_printer(wanted.printer, directory, config.font)
    except Malformed as error:
        raise Malformed(Reason.SETTING_IMPOSSIBLE, "printer") from error
    if wanted.label not in get_args(LabelName):
        raise Malformed(Reason.SETTING_IMPOSSIBLE, "label")
    if printer is None or wanted.site_name == config.site_name:
        return
    from agent.drivers.encoder import LabelEncoder

    try:
        LabelEncoder(config.font).check_text(wanted.site_name)
    except Malformed as error:
        raise Malformed(error.reason, "site_name") from error
