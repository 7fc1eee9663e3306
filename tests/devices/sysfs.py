"""A machine's devices as Linux shows them in sysfs, below a folder: no device, no kernel."""

from dataclasses import dataclass
from pathlib import Path

KEYS = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"  # a real keyboard's
CONTROL_KEYS = (
    "3f000303ff 0 0 483ffff17aff32d bfd4444600000000 1 130ff38b17d000 677bfad941dfed"
    " 9ed68000004400 10000002"
)
"""Of the media keys that many scanners and keyboards show as a node of their own."""
KEYBOARD_REPORT = bytes.fromhex(
    "05010906a101050719e029e7150025017501950881020 0c0".replace(" ", "")
)
POS_REPORT = bytes.fromhex("068c000902a1018502c0")


@dataclass
class Usb:
    """One USB device that is plugged in."""

    folder: Path
    root: Path

    def add_keyboard(self, number: int, keys: str = KEYS) -> None:
        """An event node."""
        device = self.folder / f"{self.folder.name}:1.0/input/input{number}"
        _write(device / "capabilities/key", keys)
        _link(self.root / f"sys/class/input/event{number}/device", device)

    def add_hidraw(self, number: int, report: bytes = POS_REPORT) -> None:
        """A hidraw node."""
        device = self.folder / f"{self.folder.name}:1.1/0003:1EAB:0010.0001"
        device.mkdir(parents=True, exist_ok=True)
        (device / "report_descriptor").write_bytes(report)
        _link(self.root / f"sys/class/hidraw/hidraw{number}/device", device)

    def add_serial(self, number: int) -> None:
        """A ttyACM node."""
        device = self.folder / f"{self.folder.name}:1.2"
        device.mkdir(parents=True, exist_ok=True)
        _link(self.root / f"sys/class/tty/ttyACM{number}/device", device)

    def add_printer(self) -> None:
        """A printer's interface."""
        interface = self.folder / f"{self.folder.name}:1.3"
        _write(interface / "bInterfaceClass", "07")
        _link(self.root / f"sys/bus/usb/devices/{interface.name}", interface)


def plug_in(
    root: Path,
    port: str,
    vendor: str,
    product: str = "0001",
    *,
    serial: str = "",
    name: str = "Scanner",
    maker: str = "",
) -> Usb:
    """A USB device on a port such as ``1-1.2``."""
    folder = root / f"sys/devices/pci0000:00/usb1/{port}"
    facts = {"idVendor": vendor, "idProduct": product, "product": name, "manufacturer": maker}
    for attribute, text in (facts | {"serial": serial}).items():
        if text:
            _write(folder / attribute, text)
    _link(root / f"sys/bus/usb/devices/{port}", folder)
    return Usb(folder, root)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def _link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
