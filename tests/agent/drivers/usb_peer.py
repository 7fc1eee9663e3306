"""A printer as a peer below pyusb: it answers at the level of a USB backend, so everything of the
driver and of pyusb above it is the real thing."""

import errno
from array import array
from types import SimpleNamespace
from typing import Any

import usb.backend  # type: ignore[import-untyped]
import usb.core  # type: ignore[import-untyped]

VENDOR, PRODUCT = 0x0A5F, 0x0080
OUT, IN = 0x01, 0x82
PACKET = 64
READY = (
    b"\x02030,0,0,0240,000,0,0,0,000,0,0,0\x03\r\n"
    b"\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n"
    b"\x021234,0\x03\r\n"
)


def usb_error(number: int) -> usb.core.USBError:
    """What pyusb raises for an error number of the system."""
    kind = usb.core.USBTimeoutError if number == errno.ETIMEDOUT else usb.core.USBError
    return kind(errno.errorcode[number], None, number)


class UsbPeer(usb.backend.IBackend):  # type: ignore[misc]
    """A ZPL printer with its conditions; ``received`` is what was sent, questions left out."""

    def __init__(self) -> None:
        self.received = b""
        self.answer: bytes | None = READY  # to ~HS; None is silence
        self.plugged = True
        self.library = True
        self.open_error: int | None = None
        self.takes: int | None = None  # bytes of a label before it fails; None takes all
        self.fails_with = errno.ETIMEDOUT
        self.kernel_driver = True
        self.configuration = 1
        self.configurations = 1  # it is a printer in the last one
        self.both_ways = True
        self.log: list[str] = []
        self._waiting = b""

    # --- what it is ---

    def enumerate_devices(self) -> list[str]:
        if not self.library:
            raise usb.core.NoBackendError("No backend available")
        return ["printer"] if self.plugged else []

    def get_device_descriptor(self, dev: str) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0, bDeviceSubClass=0,
            bDeviceProtocol=0, bMaxPacketSize0=64, idVendor=VENDOR, idProduct=PRODUCT,
            bcdDevice=0x100, iManufacturer=0, iProduct=0, iSerialNumber=0,
            bNumConfigurations=self.configurations,
            address=2, bus=1, port_number=1, port_numbers=(1,), speed=3,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: str, config: int) -> Any:
        if config >= self.configurations:
            raise IndexError
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1,
            bConfigurationValue=config + 1, iConfiguration=0, bmAttributes=0xC0, bMaxPower=1,
            extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: str, intf: int, alt: int, config: int) -> Any:
        """Setting 0 is one-way, setting 1 both ways, as printers of the class have them."""
        if intf or alt > self.both_ways:
            raise IndexError
        kind = 7 if config == self.configurations - 1 else 255  # printer, vendor's own
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=alt,
            bNumEndpoints=1 + alt, bInterfaceClass=kind, bInterfaceSubClass=1,
            bInterfaceProtocol=1 + alt, iInterface=0, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: str, ep: int, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=(OUT, IN)[ep], bmAttributes=2,
            wMaxPacketSize=PACKET, bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    # --- opening ---

    def open_device(self, dev: str) -> str:
        if self.open_error is not None:
            raise usb_error(self.open_error)
        self.log.append("open")
        return dev

    def close_device(self, dev_handle: str) -> None:
        self.log.append("close")

    def get_configuration(self, dev_handle: str) -> int:
        return self.configuration

    def set_configuration(self, dev_handle: str, config_value: int) -> None:
        self.configuration = config_value

    def is_kernel_driver_active(self, dev_handle: str, intf: int) -> bool:
        return self.kernel_driver

    def detach_kernel_driver(self, dev_handle: str, intf: int) -> None:
        self.kernel_driver = False

    def claim_interface(self, dev_handle: str, intf: int) -> None:
        if self.kernel_driver:
            raise usb_error(errno.EBUSY)
        self.log.append("claim")

    def release_interface(self, dev_handle: str, intf: int) -> None:
        self.log.append("release")

    def set_interface_altsetting(self, dev_handle: str, intf: int, altsetting: int) -> None:
        self.log.append(f"setting {altsetting}")

    # --- bytes ---

    def bulk_write(self, dev_handle: str, ep: int, intf: int, data: Any, timeout: int) -> int:
        sent: bytes = data.tobytes()
        if sent == b"~HS":
            self._waiting = self.answer or b""
            return len(sent)
        room = len(sent) if self.takes is None else self.takes - len(self.received)
        taken = sent[: max(0, room)]
        self.received += taken
        # As libusb: a time-out after some bytes gives their count, every other error hides it.
        if len(taken) < len(sent) and not (taken and self.fails_with == errno.ETIMEDOUT):
            raise usb_error(self.fails_with)
        return len(taken)

    def bulk_read(self, dev_handle: str, ep: int, intf: int, buff: Any, timeout: int) -> int:
        if not self._waiting:
            raise usb_error(errno.ETIMEDOUT)
        part, self._waiting = self._waiting[:PACKET], self._waiting[PACKET:]
        buff[: len(part)] = array("B", part)
        return len(part)

    def leave_unread(self, data: bytes) -> None:
        """An answer to an earlier question that nobody waited for."""
        self._waiting = data
