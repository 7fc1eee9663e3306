"""What the kernel shows of USB devices in sysfs: names, numbers, ports, interfaces. Reads small
files only; nothing is opened that belongs to a device.
"""

from collections.abc import Iterator
from pathlib import Path

from agent.ports import DeviceDescriptor

PRINTER_CLASS = "07"  # USB device class codes: 07h, printer


def list_names(folder: Path, *prefixes: str) -> list[Path]:
    """What lies in a folder of sysfs, by name; empty where there is none."""
    try:
        found = [path for path in folder.iterdir() if path.name.startswith(prefixes or "")]
    except OSError:
        return []
    return sorted(found, key=lambda path: (len(path.name), path.name))


def read_text(path: Path) -> str:
    """One attribute; empty where it is not there, or has left meanwhile."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""


def find_usb_device(path: Path) -> Path | None:
    """The USB device's own folder above something of it, by its ``idVendor``; None for what hangs
    on no USB."""
    try:
        here = path.resolve(strict=True)
    except OSError:
        return None
    return next(
        (folder for folder in (here, *here.parents) if (folder / "idVendor").is_file()), None
    )


def describe(folder: Path, node: Path | str) -> DeviceDescriptor:
    """A USB device as a technician would name it; its folder's name is its port."""
    maker, product = read_text(folder / "manufacturer"), read_text(folder / "product")
    name = product if product.lower().startswith(maker.lower()) else f"{maker} {product}"
    return DeviceDescriptor(
        name=name.strip() or f"USB {read_text(folder / 'idVendor')}",
        location=str(node),
        serial=read_text(folder / "serial"),
        vendor_id=read_vendor(folder),
        product_id=_read_hex(folder / "idProduct"),
        port=folder.name,
    )


def read_vendor(folder: Path) -> int | None:
    """Who made it."""
    return _read_hex(folder / "idVendor")


def list_printers(root: Path = Path("/")) -> Iterator[Path]:
    """The folders of USB devices with a printer's interface."""
    seen = set()
    for interface in list_names(root / "sys/bus/usb/devices"):
        if read_text(interface / "bInterfaceClass") == PRINTER_CLASS:
            folder = find_usb_device(interface)
            if folder is not None and folder not in seen:
                seen.add(folder)
                yield folder


def _read_hex(path: Path) -> int | None:
    text = read_text(path)
    try:
        return int(text, 16)
    except ValueError:
        return None
