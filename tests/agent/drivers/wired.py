"""The label printer's driver over a peer below pyusb."""

from functools import partial

from agent.drivers.encoder import LabelEncoder
from agent.drivers.printer import WiredPrinter
from agent.drivers.printer_usb import UsbPath, open_usb
from agent.ports import DeviceDescriptor, Label, PrinterStatus, PrintOutcome
from shared.devices import DeviceState, PrintState
from tests.agent.drivers.usb_peer import PRODUCT, VENDOR, UsbPeer

PATH = UsbPath(VENDOR, PRODUCT)
FAST = 200.0  # labels a second
CONFIRMED = PrintOutcome(PrintState.CONFIRMED)
READY = PrinterStatus(DeviceState.READY)


def make_printer(peer: UsbPeer, template: str = "50x30") -> WiredPrinter:
    """The driver, its printer not opened yet."""
    device = DeviceDescriptor("label printer", "usb")
    return WiredPrinter(device, partial(open_usb, PATH, peer), LabelEncoder(), template)


def formats(label: Label) -> bytes:
    """A label as the printer gets it."""
    return LabelEncoder().encode(label)
