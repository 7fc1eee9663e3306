"""The counter's devices as USB sees them: keyboard, HID-POS and serial scanners, and a printer
around the machine of ``tests.devices.zebra``.
"""

import threading
import time
from collections.abc import Callable
from struct import pack
from typing import Any

from usbip import In, Interface, Out, Stall  # type: ignore[import-untyped]
from usbip.classes.device import hid  # type: ignore[import-untyped]
from usbip.classes.device.cdc_acm import CDCACM  # type: ignore[import-untyped]

from tests.devices.zebra import Zebra
from tests.hil.usb import OUT, Device

ZEBRA_VENDOR, NEWLAND_VENDOR = 0x0A5F, 0x1EAB

# --- keyboards -----------------------------------------------------------------------------------

REPORT_SECONDS = 0.008
"""A real scanner is asked every 8 or 10 ms (bInterval); USB/IP does not pace, so we do."""

_SHIFT = 0x02  # HID 1.11 appendix B.1: the modifier byte's bit 1, left Shift
_PLAIN = {"\r": 0x28, "\t": 0x2B, " ": 0x2C}
_PLAIN |= dict(zip("abcdefghijklmnopqrstuvwxyz1234567890", range(0x04, 0x28), strict=True))
_PLAIN |= dict(zip("-=[]\\", range(0x2D, 0x32), strict=True))
_PLAIN |= dict(zip(";'`,./", range(0x33, 0x39), strict=True))
_SHIFTED = dict(zip('!@#$%^&*()_+{}|:"~<>?', "1234567890-=[]\\;'`,./", strict=True))


def build_reports(text: str) -> list[bytes]:
    """The boot keyboard's reports that type a text on a US keyboard (HUT 1.12 §10)."""
    reports = []
    for character in text:
        plain = _SHIFTED.get(character, character.lower())
        shift = _SHIFT if plain != character else 0
        reports += [bytes([shift, 0, _PLAIN[plain], 0, 0, 0, 0, 0]), bytes(8)]
    return reports


class Keyboard(Device):
    """A scanner, or anything else, that types."""

    def __init__(self, busid: str, vendor_id: int, product_id: int, **names: str) -> None:
        super().__init__(busid, vendor_id, product_id, **names)
        self._interface = self.add(
            hid.HID(
                hid.keyboard_report_descriptor(),
                subclass=hid.SUBCLASS_BOOT,
                protocol=hid.PROTOCOL_KEYBOARD,
            )
        )

    def scan(self, text: str) -> None:
        """Type a code and Enter."""
        self.type(text + "\r")

    def type(self, text: str, report_seconds: float = REPORT_SECONDS) -> None:
        """Type a text; 0 seconds: as fast as the wire takes it."""
        for report in build_reports(text):
            self._interface.send_report(report)
            if report_seconds:
                time.sleep(report_seconds)


# --- HID-POS -------------------------------------------------------------------------------------

_REPORT_BYTES = 64
_DATA_BYTES = 56


def _pos_descriptor() -> bytes:
    """HID POS usage tables 1.02: page 8Ch, usage 02h, bar code scanner; report 2 of hardware.md."""
    return b"".join(
        [
            hid.usage_page(0x8C),
            hid.usage(0x02),
            hid.collection(0x01),
            hid.report_id(2),
            hid.logical_min(0),
            hid.logical_max(255),
            hid.report_size(8),
            hid.report_count(_REPORT_BYTES - 1),
            hid.usage(0xFE),  # decoded data
            hid.input_(0x02),
            hid.end_collection(),
        ]
    )


class PosScanner(Device):
    """A scanner that sends reports: id 02, length, 56 bytes of data, symbology, continued."""

    def __init__(self, busid: str, vendor_id: int, product_id: int, **names: str) -> None:
        super().__init__(busid, vendor_id, product_id, **names)
        self._interface = self.add(hid.HID(_pos_descriptor()))

    def scan(self, text: str) -> None:
        """Send a code, in as many reports as it takes."""
        data = text.encode()
        for begin in range(0, len(data), _DATA_BYTES):
            part = data[begin : begin + _DATA_BYTES]
            continued = begin + _DATA_BYTES < len(data)
            report = bytes([2, len(part)]) + part.ljust(60, b"\0") + bytes([0x73, continued])
            self._interface.send_report(report)
            time.sleep(REPORT_SECONDS)


# --- serial --------------------------------------------------------------------------------------


class SerialScanner(Device):
    """A scanner in CDC mode."""

    def __init__(self, busid: str, vendor_id: int, product_id: int, **names: str) -> None:
        super().__init__(busid, vendor_id, product_id, **names)
        self.heard = bytearray()
        self._port = self.add(CDCACM(on_rx=lambda _port, data: self.heard.extend(data)))

    def scan(self, text: str) -> None:
        """Send a code and CR, in two pieces."""
        data = text.encode() + b"\r"
        self._port.write(data[:5])
        self._port.write(data[5:])


# --- printer -------------------------------------------------------------------------------------

_GET_DEVICE_ID, _GET_PORT_STATUS, _SOFT_RESET = 0, 1, 2  # USB printer class 1.1 §4.2
_TO_HOST, _TO_DEVICE = 0xA1, 0x21
_LABEL = b"^PW"  # each label says its width, nothing else does
_PORT_FINE, _PORT_PAPER_OUT = 0x18, 0x20


class _PrinterInterface(Interface):  # type: ignore[misc]
    # Printer, bidirectional.
    bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol = 7, 1, 2  # noqa: N815 - USB's names
    bulk_out = Out(0x01, "bulk", mps=64)
    bulk_in = In(0x82, "bulk", mps=64)


class Printer(Device):
    """A Zebra on USB. ``zebra`` is the machine; touch it under ``lock`` only."""

    def __init__(self, busid: str, zebra: Zebra, product_id: int = 0x0080) -> None:
        super().__init__(
            busid,
            ZEBRA_VENDOR,
            product_id,
            manufacturer="Zebra Technologies",
            product=f"ZTC {zebra.model}",
            serial=zebra.serial,
        )
        self.zebra = zebra
        self.lock = threading.RLock()
        self._alarm: tuple[int, Callable[[], None]] | None = None
        self._begun: int | None = None  # where in what was received the alarm's label begins
        self._interface = self.add(_PrinterInterface())
        self._interface.on_control = self._control
        self.on_control(self._interface.interface_number, self._control)
        self.on_control(None, self._control)
        for endpoint in self._ep_map.values():
            if not endpoint.addr & 0x80:
                endpoint.on_out = self._take

    def after(self, received: int, act: Callable[[], None]) -> None:
        """Do something once so many bytes of the next label have come in; set-up, which a
        reopened printer gets, is no label."""
        with self.lock:
            self._begun = None
            self._alarm = (received, act)

    def set(self, flag: str, stands: bool) -> None:
        """Set one of the machine's flags."""
        with self.lock:
            setattr(self.zebra.flags, flag, stands)

    @property
    def received(self) -> bytes:
        """Every byte that came in and is no question."""
        with self.lock:
            return self.zebra.received

    @property
    def printed(self) -> list[bytes]:
        """The formats that have come out so far."""
        with self.lock:
            self.zebra.advance()
            return list(self.zebra.printed)

    def handle_urb(self, urb: Any, respond: Any = None) -> Any:
        """A transfer in which an alarm goes off is taken up to there: what is left of it then
        comes, waits or is lost, as the alarm had it."""
        with self.lock:
            if self._alarm is None or self._holds or not urb.ep or urb.direction != OUT:
                return super().handle_urb(urb, respond)
            count, act = self._alarm
            here = urb.buffer.find(_LABEL)
            if self._begun is None and here >= 0:
                self._begun = len(self.zebra.received) + here
            left = 0 if self._begun is None else self._begun + count - len(self.zebra.received)
            if self._begun is None or len(urb.buffer) < left:
                return super().handle_urb(urb, respond)
            self._alarm = None
            self._take(None, urb.buffer[:left])
            urb.buffer = urb.buffer[left:]
            act()
            if not self.plugged:
                return None
            answer = super().handle_urb(urb, respond)
            if answer is not None:
                answer.actual += left
            return answer

    def _take(self, _endpoint: object, data: bytes) -> None:
        with self.lock:
            self.zebra.feed(data)
            answer = self.zebra.take_answers()
        if answer:
            self._interface.bulk_in.write(answer)

    def _control(self, setup: object, _data: bytes = b"") -> bytes:
        asked = (getattr(setup, "bmRequestType", None), getattr(setup, "bRequest", None))
        if asked == (_TO_HOST, _GET_DEVICE_ID):
            with self.lock:
                language = self.zebra.language.value.upper()
                name = f"MFG:Zebra Technologies ;CMD:{language};MDL:ZTC {self.zebra.model};"
            return pack(">H", len(name) + 2) + name.encode()
        if asked == (_TO_HOST, _GET_PORT_STATUS):
            paper_out = self.zebra.flags.paper_out
            return bytes([_PORT_FINE | (_PORT_PAPER_OUT if paper_out else 0)])
        if asked == (_TO_DEVICE, _SOFT_RESET):
            return b""
        raise Stall


class KeyboardAndPrinter(Keyboard):
    """A device that claims to be both; its printer takes everything and says nothing."""

    def __init__(self, busid: str, vendor_id: int, product_id: int, **names: str) -> None:
        super().__init__(busid, vendor_id, product_id, **names)
        self.add(_PrinterInterface())
