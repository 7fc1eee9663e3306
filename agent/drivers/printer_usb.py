"""A label printer on USB, device class 7, bulk both ways: the only importer of pyusb.

Each job opens the printer, takes it from the kernel's usblp, works and lets go, so a printer
that was pulled and put back is simply there again. It knows bytes and status, not labels.
"""

import asyncio
import errno
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import usb.backend  # type: ignore[import-untyped]
import usb.core  # type: ignore[import-untyped]
import usb.util  # type: ignore[import-untyped]

from agent.drivers.encoder import ZplEncoder
from agent.drivers.status import ASK_HOST_STATUS, HOST_STATUS_END, parse_host_status
from agent.ports import DeviceDescriptor, Label, PrinterStatus, PrintOutcome, Slip
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason

PRINTER_CLASS = 7  # USB device class codes: 07h, printer
PLAIN_PROTOCOLS = {1, 2}  # USB printer class 1.1 §4.2.1: uni- and bidirectional; 3 is IEEE 1284.4
WRITE_TIMEOUT_MS = 5000  # a printer that is busy or full does not take bytes
CHUNK_BYTES = 4096
STATUS_TIMEOUT_MS = 500
STATUS_BYTES = 512
DRAIN_TIMEOUT_MS = 5
DRAIN_READS = 16

_REASONS = {
    errno.ENODEV: Reason.DEVICE_ABSENT,
    errno.ENOENT: Reason.DEVICE_ABSENT,
    errno.EACCES: Reason.DEVICE_DENIED,
    errno.EPERM: Reason.DEVICE_DENIED,
    errno.EBUSY: Reason.DEVICE_DENIED,  # another program has claimed it
    errno.ETIMEDOUT: Reason.DEVICE_SILENT,
}
_STATES = {
    Reason.DEVICE_ABSENT: DeviceState.ABSENT,
    Reason.DEVICE_DENIED: DeviceState.DENIED,
    Reason.DEVICE_SILENT: DeviceState.SILENT,
}
_T = TypeVar("_T")


class UsbPath(NamedTuple):
    """Which printer: a vendor and, where there is more than one of theirs, a product."""

    vendor_id: int
    product_id: int | None


def parse_usb_path(text: str) -> UsbPath:
    """Read ``vendor:product`` or ``vendor``, both in hex. Raises Malformed(CONFIG_MALFORMED)."""
    vendor, colon, product = text.partition(":")
    try:
        return UsbPath(int(vendor, 16), int(product, 16) if colon else None)
    except ValueError as error:
        raise Malformed(Reason.CONFIG_MALFORMED, "printer path is vendor:product in hex") from error


class UsbPrinter:
    """One printer, one writer; implements ``agent.ports.LabelPrinter``.

    A label is sent only to a printer that has just answered that nothing stops it: one that is
    silent or out of paper would keep the bytes and print them whenever it likes.
    """

    def __init__(
        self, path: UsbPath, encoder: ZplEncoder, backend: usb.backend.IBackend | None = None
    ) -> None:
        """``backend`` is pyusb's; None means libusb."""
        product = "" if path.product_id is None else f":{path.product_id:04x}"
        location = f"usb {path.vendor_id:04x}{product}"
        self._path = path
        self._descriptor = DeviceDescriptor(
            "label printer", location, vendor_id=path.vendor_id, product_id=path.product_id
        )
        self._encoder = encoder
        self._backend = backend
        # One thread is the one writer: a job whose caller went away still ends before the next.
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="printer")

    @property
    def descriptor(self) -> DeviceDescriptor:
        return self._descriptor

    async def read_status(self) -> PrinterStatus:
        return await self._run(self._ask)

    async def print(self, label: Label, sent: Callable[[], None] = lambda: None) -> PrintOutcome:
        return await self._print(label)

    async def print_slip(self, slip: Slip) -> PrintOutcome:
        return await self._print(slip)

    async def _print(self, label: Label | Slip) -> PrintOutcome:
        data = await asyncio.to_thread(self._encoder.encode, label)
        return await self._run(lambda: self._send(data))

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, job)

    def _ask(self) -> PrinterStatus:
        try:
            with _open(self._path, self._backend) as pipe:
                return pipe.ask_status()
        except Unavailable as error:
            state = _STATES.get(error.reason, DeviceState.FAULTY)
            return PrinterStatus(state, reason=error.reason)

    def _send(self, data: bytes) -> PrintOutcome:
        sent = 0
        try:
            with _open(self._path, self._backend) as pipe:
                status = pipe.ask_status()
                if status.conditions:
                    return PrintOutcome(
                        PrintState.FAILED, Reason.PRINT_CONDITION, status.conditions
                    )
                for count in pipe.write(data):
                    sent = count
        except Unavailable as error:
            if sent == 0:
                return PrintOutcome(PrintState.FAILED, error.reason)
        if sent < len(data):
            return PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
        return PrintOutcome(PrintState.SENT)


class _Pipe:
    """A claimed printer's two bulk endpoints."""

    def __init__(self, interface: Any) -> None:
        self._out = _endpoint(interface, usb.util.ENDPOINT_OUT)
        self._in = _endpoint(interface, usb.util.ENDPOINT_IN)

    def write(self, data: bytes) -> Iterator[int]:
        """Send ``data``; yields how many bytes have left so far.

        The first transfer is one packet, which a device takes whole or not at all: when it
        fails, no byte has left. Raises Unavailable where the printer stops taking bytes.
        """
        sent = 0
        size = int(self._out.wMaxPacketSize)
        while sent < len(data):
            with _mapped():
                sent += self._out.write(data[sent : sent + size], WRITE_TIMEOUT_MS)
            yield sent
            size = CHUNK_BYTES

    def ask_status(self) -> PrinterStatus:
        """~HS and its answer. Raises Unavailable: DEVICE_SILENT when none comes in time."""
        self._drain()
        with _mapped():
            self._out.write(ASK_HOST_STATUS, STATUS_TIMEOUT_MS)
            answer = b""
            while not HOST_STATUS_END.search(answer) and len(answer) < STATUS_BYTES:
                answer += bytes(self._in.read(STATUS_BYTES, STATUS_TIMEOUT_MS))
        try:
            conditions = parse_host_status(answer).conditions
        except Malformed:
            conditions = frozenset({PrinterCondition.OTHER_FAULT})
        return PrinterStatus(DeviceState.FAULTY if conditions else DeviceState.READY, conditions)

    def _drain(self) -> None:
        """Read away what the printer said to an earlier question that nobody waited for."""
        with _mapped():
            try:
                for _ in range(DRAIN_READS):
                    self._in.read(STATUS_BYTES, DRAIN_TIMEOUT_MS)
            except usb.core.USBTimeoutError:
                return


@contextmanager
def _open(path: UsbPath, backend: usb.backend.IBackend | None) -> Iterator[_Pipe]:
    """Find, claim and in the end release the printer. Raises Unavailable with a device's reason."""
    with _mapped():
        device = usb.core.find(
            backend=backend,
            idVendor=path.vendor_id,
            custom_match=lambda found: (
                path.product_id in {None, found.idProduct} and _is_printer(found)
            ),
        )
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
            yield _Pipe(interface)
        finally:
            usb.util.dispose_resources(device)


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
        raise Unavailable(reason, f"USB: {error.strerror}") from error
