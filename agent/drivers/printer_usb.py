"""A label printer's wire on USB, device class 7, bulk both ways: the only importer of pyusb.

It takes the printer from the kernel's usblp, knows endpoints and transfers, and neither languages
nor labels. One wire, one thread.
"""

import errno
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import usb.backend  # type: ignore[import-untyped]
import usb.core  # type: ignore[import-untyped]
import usb.util  # type: ignore[import-untyped]

from agent.drivers.access import DENIED, explain
from agent.drivers.printer_wire import ANSWER_SECONDS
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason

PRINTER_CLASS = 7  # USB device class codes: 07h, printer
PLAIN_PROTOCOLS = {1, 2}  # USB printer class 1.1 §4.2.1: uni- and bidirectional; 3 is IEEE 1284.4
GET_DEVICE_ID = 0  # §4.2: "bRequest 0, GET_DEVICE_ID"; the answer's first two bytes are its length
DEVICE_ID_BYTES = 1024
WRITE_TIMEOUT_MS = 5000  # a printer that is busy or full does not take bytes
CHUNK_BYTES = 4096
ANSWER_BYTES = 8192  # ^HH is the longest, some 3 KiB
READ_BYTES = 512
DRAIN_TIMEOUT_MS = 5
DRAIN_READS = 16
_GROUP = "lp"

_REASONS = {
    errno.ENODEV: Reason.DEVICE_ABSENT,
    errno.ENOENT: Reason.DEVICE_ABSENT,
    errno.EACCES: Reason.DEVICE_RULE_MISSING,
    errno.EPERM: Reason.DEVICE_RULE_MISSING,
    errno.EBUSY: Reason.DEVICE_IN_USE,
    errno.ETIMEDOUT: Reason.DEVICE_SILENT,
}


class UsbPath(NamedTuple):
    """Which printer: a vendor and, where there is more than one of theirs, a product."""

    vendor_id: int
    product_id: int | None


ZEBRA = UsbPath(0x0A5F, None)
"""Whatever Zebra is plugged in: no office printer is taken from anybody, or asked anything."""


def parse_usb_path(text: str) -> UsbPath:
    """Read ``vendor:product`` or ``vendor``, both in hex. Raises Malformed(CONFIG_MALFORMED)."""
    vendor, colon, product = text.partition(":")
    try:
        return UsbPath(int(vendor, 16), int(product, 16) if colon else None)
    except ValueError as error:
        raise Malformed(Reason.CONFIG_MALFORMED, "printer path is vendor:product in hex") from error


class UsbWire:
    """A claimed printer's two bulk endpoints; implements ``printer_wire.Wire``."""

    def __init__(self, device: Any, interface: Any) -> None:
        self._device = device
        self._number = interface.bInterfaceNumber
        self._out = _endpoint(interface, usb.util.ENDPOINT_OUT)
        self._in = _endpoint(interface, usb.util.ENDPOINT_IN)
        self._stale = True  # something may lie unread that answers nothing of ours

    def read_device_id(self) -> str:
        with _mapped():
            try:
                answer = self._device.ctrl_transfer(
                    0xA1, GET_DEVICE_ID, 0, self._number << 8, DEVICE_ID_BYTES
                )
            except usb.core.USBError as error:
                if error.errno == errno.ENODEV:
                    raise
                return ""  # a stall: it has none
        return bytes(answer[2:]).decode("ascii", "replace")

    def write(self, data: bytes) -> Iterator[int]:
        """The first transfer is one packet, which a device takes whole or not at all. A transfer
        that times out is cancelled by libusb, so the rest of it never comes later."""
        sent = 0
        size = int(self._out.wMaxPacketSize)
        while sent < len(data):
            with _mapped():
                sent += self._out.write(data[sent : sent + size], WRITE_TIMEOUT_MS)
            yield sent
            size = CHUNK_BYTES

    def ask(self, question: bytes, end: re.Pattern[bytes]) -> bytes:
        if self._stale:
            self._drain()
        self._stale = True
        answer = b""
        until = time.monotonic() + ANSWER_SECONDS
        with _mapped():
            self._out.write(question, int(ANSWER_SECONDS * 1000))
            while not end.search(answer):
                left = until - time.monotonic()
                if left <= 0 or len(answer) > ANSWER_BYTES:
                    raise Unavailable(Reason.PRINTER_GARBLED, "an answer without its end")
                try:
                    answer += bytes(self._in.read(READ_BYTES, max(1, int(left * 1000))))
                except usb.core.USBTimeoutError:
                    if not answer:
                        raise
        self._stale = False
        return answer

    def close(self) -> None:
        """Let go; a device that is gone has nothing to let go of."""
        try:
            usb.util.dispose_resources(self._device)
        except usb.core.USBError:
            return

    def _drain(self) -> None:
        """Read away what the printer said to an earlier question that nobody waited for."""
        with _mapped():
            try:
                for _ in range(DRAIN_READS):
                    self._in.read(READ_BYTES, DRAIN_TIMEOUT_MS)
            except usb.core.USBTimeoutError:
                return


def open_usb(path: UsbPath, backend: usb.backend.IBackend | None = None) -> UsbWire:
    """Find and claim the printer; ``backend`` is pyusb's, None means libusb.

    Raises Unavailable: DEVICE_ABSENT, DEVICE_RULE_MISSING, DEVICE_IN_USE, DEVICE_FAULTY,
    DRIVER_MISSING.
    """
    with _mapped():
        device = _find(path, backend)
        if device is None:
            raise Unavailable(Reason.DEVICE_ABSENT, "no such printer on USB")
        try:
            interface = _printer_interface(_configuration(device))
            if interface is None:
                raise Unavailable(Reason.DEVICE_FAULTY, "USB: in a mode that is no printer")
            number = interface.bInterfaceNumber
            if device.is_kernel_driver_active(number):
                device.detach_kernel_driver(number)
            usb.util.claim_interface(device, number)
            if interface.bAlternateSetting:
                interface.set_altsetting()
        except (usb.core.USBError, Unavailable):
            usb.util.dispose_resources(device)
            raise
        return UsbWire(device, interface)


def _find(path: UsbPath, backend: usb.backend.IBackend | None) -> Any:
    """The printer that is meant, or None."""

    def is_meant(found: Any) -> bool:
        return (
            path.vendor_id == found.idVendor
            and path.product_id in {None, found.idProduct}
            and _is_printer(found)
        )

    return usb.core.find(backend=backend, custom_match=is_meant)


def _is_printer(device: Any) -> bool:
    return any(_printer_interface(configuration) is not None for configuration in device)


def _configuration(device: Any) -> Any:
    """The active configuration; the first one where the kernel has set none."""
    try:
        return device.get_active_configuration()
    except usb.core.USBError:
        device.set_configuration()
        return device.get_active_configuration()


def _printer_interface(configuration: Any) -> Any:
    """The interface, in that of its settings, which takes plain bytes and answers; or None."""
    return usb.util.find_descriptor(
        configuration,
        bInterfaceClass=PRINTER_CLASS,
        custom_match=lambda interface: (
            interface.bInterfaceProtocol in PLAIN_PROTOCOLS
            and _endpoint(interface, usb.util.ENDPOINT_IN) is not None
        ),
    )


def _endpoint(interface: Any, direction: int) -> Any:
    """The interface's bulk endpoint of this direction, or None."""
    return usb.util.find_descriptor(
        interface,
        custom_match=lambda endpoint: (
            usb.util.endpoint_direction(endpoint.bEndpointAddress) == direction
            and usb.util.endpoint_type(endpoint.bmAttributes) == usb.util.ENDPOINT_TYPE_BULK
        ),
    )


@contextmanager
def _mapped() -> Iterator[None]:
    """pyusb's errors as ours."""
    try:
        yield
    except usb.core.NoBackendError as error:
        raise Unavailable(Reason.DRIVER_MISSING, "libusb-1.0 is not installed") from error
    except usb.core.USBError as error:
        reason = _REASONS.get(error.errno or 0, Reason.DEVICE_FAULTY)
        if reason in DENIED:
            raise explain(error.errno, "label printer", _GROUP) from error
        raise Unavailable(reason, f"USB: {error.strerror}") from error
