"""A printer as a peer below pyusb: it answers at the level of a USB backend, so everything of the
driver and of pyusb above it is the real thing. What it says is a Zebra's (``tests.devices.zebra``).
"""

import errno
from array import array
from types import SimpleNamespace
from typing import Any

import usb.backend  # type: ignore[import-untyped]
import usb.core  # type: ignore[import-untyped]

from tests.devices.zebra import Zebra

VENDOR, PRODUCT = 0x0A5F, 0x0080
OUT, IN = 0x01, 0x82
PACKET = 64


def usb_error(number: int) -> usb.core.USBError:
    """What pyusb raises for an error number of the system."""
    kind = usb.core.USBTimeoutError if number == errno.ETIMEDOUT else usb.core.USBError
    return kind(errno.errorcode[number], None, number)


class UsbPeer(usb.backend.IBackend):  # type: ignore[misc]
    """A label printer on USB, with its conditions."""

    def __init__(self, zebra: Zebra | None = None) -> None:
        self.zebra = zebra or Zebra()
        self.device_id = b"MFG:Zebra Technologies ;CMD:ZPL;MDL:GK888t;CLS:PRINTER;"
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
        self._taken = 0
        self._left_unread = b""

    def fail_after(self, count: int, error: int) -> None:
        """From now on ``count`` more bytes of labels are taken, then transfers fail."""
        self.takes, self.fails_with, self._taken = count, error, 0

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

    def ctrl_transfer(  # noqa: PLR0917 - pyusb's signature
        self, dev_handle: str, request_type: int, request: int, value: int, index: int,
        data: Any, timeout: int,
    ) -> int:  # fmt: skip
        """GET_DEVICE_ID; a printer without one stalls."""
        if not self.device_id:
            raise usb_error(errno.EPIPE)
        answer = (len(self.device_id) + 2).to_bytes(2, "big") + self.device_id
        data[: len(answer)] = array("B", answer)
        return len(answer)

    def bulk_write(self, dev_handle: str, ep: int, intf: int, data: Any, timeout: int) -> int:
        if not self.plugged:
            raise usb_error(errno.ENODEV)
        sent: bytes = data.tobytes()
        if sent.startswith(b"~") or b"^ee" in sent or self.takes is None:
            self.zebra.feed(sent)
            return len(sent)
        taken = sent[: max(0, self.takes - self._taken)]
        self._taken += len(taken)
        self.zebra.feed(taken)
        # As libusb: a time-out after some bytes gives their count, every other error hides it.
        if len(taken) < len(sent) and not (taken and self.fails_with == errno.ETIMEDOUT):
            self.plugged = self.plugged and self.fails_with != errno.ENODEV
            raise usb_error(self.fails_with)
        return len(taken)

    def bulk_read(self, dev_handle: str, ep: int, intf: int, buff: Any, timeout: int) -> int:
        if not self.plugged:
            raise usb_error(errno.ENODEV)
        self.zebra.advance()
        part = self._left_unread[:PACKET] or self.zebra.take_answers(PACKET)
        self._left_unread = self._left_unread[PACKET:]
        if not part:
            raise usb_error(errno.ETIMEDOUT)
        buff[: len(part)] = array("B", part)
        return len(part)

    def leave_unread(self, data: bytes) -> None:
        """An answer to an earlier question that nobody waited for."""
        self._left_unread = data
