"""A label printer on a wire: one writer, kept open, each label in a closed loop (docs/adr/0012).

It knows states, outcomes and the order of acts; how bytes travel is the wire's business, what a
printer says the languages'.
"""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from agent.drivers.encoder import LabelEncoder
from agent.drivers.print_proof import LabelWatch, Proof
from agent.drivers.printer_epl import EplTalk, begin_epl
from agent.drivers.printer_facts import Odometer
from agent.drivers.printer_language import PrinterLanguage
from agent.drivers.printer_wire import OpenWire, Wire
from agent.drivers.printer_zpl import ZplTalk, begin_zpl
from agent.ports import Calibration, DeviceDescriptor, Label, PrinterStatus, PrintOutcome, Slip
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.errors import Unavailable
from shared.ids import RecordId
from shared.reasons import Reason

if TYPE_CHECKING:
    from agent.drivers.raster import Drawing

POLL_SECONDS = 0.002
TROUBLE_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 4.0
EMPTY_SECONDS = 1.0
SLOWEST_MM_PER_SECOND = 25.0
"""An inch a second is the slowest speed of desktop label printers; with PATIENCE_SECONDS for the
printer to begin, a label that is not out by then is a person's to look for."""

_STATES = {
    Reason.DEVICE_ABSENT: DeviceState.ABSENT,
    Reason.DEVICE_RULE_MISSING: DeviceState.DENIED,
    Reason.DEVICE_IN_USE: DeviceState.DENIED,
    Reason.DEVICE_SILENT: DeviceState.SILENT,
}
_SPEAKS_ZPL = re.compile(r"ZPL|ZEBRA", re.IGNORECASE)
_SPEAKS_EPL = re.compile(r"(?:CMD|COMMAND SET):[^;]*EPL|\(EPL\)", re.IGNORECASE)
_HOLDS = frozenset({PrinterCondition.HOLDS_LABEL})
_T = TypeVar("_T")

MOST_AHEAD = 128
"""Labels drawn ahead of their turn, some 10 KiB each."""

Talk = ZplTalk | EplTalk
_Encoded = tuple["Drawing", bytes, PrinterLanguage]


@dataclass(frozen=True, slots=True)
class PrinterIdentity:
    """What a printer said of itself when it was opened."""

    model: str
    serial: str
    language: PrinterLanguage


class WiredPrinter:
    """Implements ``agent.ports.LabelPrinter``.

    A label is sent only to a printer that has just answered that nothing stops it: one that is
    silent or out of paper would keep the bytes and print them whenever it likes.
    """

    def __init__(
        self,
        descriptor: DeviceDescriptor,
        open_wire: OpenWire,
        encoder: LabelEncoder,
        template: str,
    ) -> None:
        """``template``: which labels are in it, one of ``templates.TEMPLATES``."""
        self._descriptor = descriptor
        self._open_wire = open_wire
        self._encoder = encoder
        self._template = template
        self._talk: Talk | None = None
        self._ahead: dict[RecordId, _Encoded] = {}
        self._language = PrinterLanguage.ZPL  # of the printer that was last there
        # One thread is the one writer: a job whose caller went away still ends before the next.
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="printer")

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._descriptor

    async def read_status(self) -> PrinterStatus:
        return await self._run(self._ask)

    async def read_identity(self) -> PrinterIdentity:
        """Who is there. Raises Unavailable."""
        return await self._run(self._identify)

    async def read_odometer(self) -> Odometer | None:
        """How far it has moved; None where it does not count. Raises Unavailable."""
        return await self._run(lambda: self._connect().read_odometer())

    async def prepare(self, label: Label) -> None:
        self._ahead[label.id] = await asyncio.to_thread(self._encode, label)
        while len(self._ahead) > MOST_AHEAD:
            del self._ahead[next(iter(self._ahead))]

    async def print(self, label: Label, sent: Callable[[], None] = lambda: None) -> PrintOutcome:
        return await self._print(label, sent)

    async def print_slip(self, slip: Slip | Calibration) -> PrintOutcome:
        return await self._print(slip, lambda: None)

    async def aclose(self) -> None:
        """Let go of the printer, after the job that is at work."""
        await self._run(self._disconnect)

    async def _print(
        self, label: Label | Slip | Calibration, sent: Callable[[], None]
    ) -> PrintOutcome:
        encoded = self._ahead.pop(label.id, None)
        if encoded is None:
            encoded = await asyncio.to_thread(self._encode, label)
        drawing, data, language = encoded
        loop = asyncio.get_running_loop()

        def tell() -> None:
            loop.call_soon_threadsafe(sent)

        return await self._run(lambda: self._send(drawing, data, language, tell))

    def _encode(self, label: Label | Slip | Calibration) -> "_Encoded":
        """In whatever language the printer spoke last."""
        drawing, language = self._encoder.draw(label), self._language
        return drawing, self._encoder.build(drawing, language), language

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, job)

    # --- in the writer's thread ---

    def _ask(self) -> PrinterStatus:
        try:
            return self._connect().ask_status()
        except Unavailable as error:
            self._disconnect()
            return PrinterStatus(_STATES.get(error.reason, DeviceState.FAULTY), reason=error.reason)

    def _identify(self) -> PrinterIdentity:
        talk = self._connect()
        return PrinterIdentity(talk.model, talk.serial, talk.language)

    def _send(
        self, drawing: "Drawing", data: bytes, language: PrinterLanguage, sent: Callable[[], None]
    ) -> PrintOutcome:
        left = 0
        try:
            talk = self._connect()
            status = self._wait_empty(talk)
            if status.state is not DeviceState.READY:
                reason = status.reason or Reason.PRINT_CONDITION
                return PrintOutcome(PrintState.FAILED, reason, status.conditions)
            if talk.language is not language:
                data = self._encoder.build(drawing, talk.language)
            before = talk.read_odometer()
            for left in talk.wire.write(data):  # noqa: B007 - how much had left when it broke
                pass
        except Unavailable as error:
            self._disconnect()
            if left == 0:
                return PrintOutcome(PrintState.FAILED, error.reason)
            return PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
        sent()
        try:
            return self._follow(talk, before, drawing.length_mm)
        except Unavailable:
            self._disconnect()
            return PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_CONFIRMED)

    def _wait_empty(self, talk: Talk) -> PrinterStatus:
        """How it is, once an earlier label is out or shows that it is not coming. Behind one that
        is stuck no label is sent: its movement would be taken for this one's. Raises
        Unavailable."""
        until = time.monotonic() + EMPTY_SECONDS
        while (status := talk.ask_status()).conditions == _HOLDS and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return status

    def _follow(self, talk: Talk, before: Odometer | None, length_mm: float) -> PrintOutcome:
        """Every byte has left: watch the label come out. Raises Unavailable."""
        watch = LabelWatch(before, length_mm) if before is not None else None
        now = time.monotonic()
        until = now + PATIENCE_SECONDS + length_mm / SLOWEST_MM_PER_SECOND
        look_at = now + TROUBLE_EVERY_SECONDS
        while now < until:
            reading = talk.read_odometer() if watch is not None else None
            now = time.monotonic()
            proof = watch.take(reading, now) if watch and reading else Proof.NONE
            if proof is Proof.TOO_FAR:
                break
            if proof in {Proof.OUT, Proof.NONE} or now >= look_at:
                conditions, waits = talk.ask_trouble()
                if conditions:
                    return PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CONDITION, conditions)
                if proof is Proof.OUT and not waits:
                    return PrintOutcome(PrintState.CONFIRMED)
                if proof is Proof.NONE and not waits:
                    return PrintOutcome(PrintState.SENT, Reason.PRINT_NO_PROOF)
                look_at = now + TROUBLE_EVERY_SECONDS
            time.sleep(POLL_SECONDS)
        return PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_CONFIRMED)

    def _connect(self) -> Talk:
        """The open printer; opens and identifies it where it is not. Raises Unavailable."""
        if self._talk is None:
            from agent.drivers.templates import TEMPLATES

            wire = self._open_wire()
            try:
                self._talk = _begin(wire, TEMPLATES[self._template].feed_dots)
            except Unavailable:
                wire.close()
                raise
            self._language = self._talk.language
            self._descriptor = replace(
                self._descriptor, name=self._talk.model, serial=self._talk.serial
            )
        return self._talk

    def _disconnect(self) -> None:
        if self._talk is not None:
            self._talk.wire.close()
            self._talk = None


def _begin(wire: Wire, feed_dots: int) -> Talk:
    """ZPL first; EPL2 only where ~HI is not answered and the printer says that it speaks it. One
    that names other languages is asked nothing: it would print the question.

    Raises Unavailable: DEVICE_SILENT, PRINTER_UNKNOWN, PRINTER_GARBLED, or the wire's.
    """
    device_id = wire.read_device_id()
    speaks_epl = _SPEAKS_EPL.search(device_id)
    if device_id and not (speaks_epl or _SPEAKS_ZPL.search(device_id)):
        raise Unavailable(Reason.PRINTER_UNKNOWN, "its device id names neither ZPL nor EPL")
    talk: Talk | None = begin_zpl(wire, feed_dots)
    if talk is None and speaks_epl:
        talk = begin_epl(wire, _read_model(device_id))
    if talk is None:
        raise Unavailable(Reason.DEVICE_SILENT, "label printer")
    return talk


def _read_model(device_id: str) -> str:
    """``MDL:ZTC GK888t (EPL)`` of an IEEE 1284 device id."""
    match = re.search(r"(?:MDL|MODEL):([^;]+)", device_id)
    return match[1].strip() if match else "label printer"
