"""Which scanners are plugged in. Lists and never opens: what it knows stands in sysfs
(docs/adr/0011).

A device is a scanner because its maker is one of a short list, or because its report descriptor
says so; any other keyboard is somebody's keyboard. Of one device that offers several modes the
surest is taken.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from agent.drivers.usb_tree import (
    describe,
    find_usb_device,
    list_names,
    list_printers,
    read_text,
    read_vendor,
)
from agent.ports import DeviceDescriptor
from shared.reasons import Reason

SCANNER_VENDORS = {
    0x1EAB: "Newland",
    0x05E0: "Symbol, Zebra",
    0x0C2E: "Honeywell",
    0x05F9: "Datalogic",
}
"""Makers of scanners, by USB vendor id; the udev rules name the same (systemd/70-onecode.rules)."""

BAR_CODE_SCANNER_PAGE = 0x8C
"""HID usage page of bar code scanners (HID Point of Sale Usage Tables 1.02)."""

_KEY_1, _KEY_ENTER, _KEY_A = 2, 28, 30  # linux/input-event-codes.h
_KEYS = (_KEY_1, _KEY_ENTER, _KEY_A)
_WORD_BITS = struct.calcsize("P") * 8  # of the kernel's bitmaps in sysfs, its unsigned long


class Mode(StrEnum):
    """How a scanner sends, by the word of the configuration; the surest first."""

    SERIAL = "serial"
    HID_POS = "hid-pos"
    KEYBOARD = "hid"


@dataclass(frozen=True, slots=True)
class Found:
    """A scanner and the one mode it is used in."""

    mode: Mode
    device: DeviceDescriptor


@dataclass(frozen=True, slots=True)
class Suspect:
    """A device that somebody should look at, and why."""

    device: DeviceDescriptor
    reason: Reason


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at what is plugged in."""

    scanners: tuple[Found, ...] = ()
    suspects: tuple[Suspect, ...] = ()


@dataclass(slots=True)
class _Offer:
    """What one USB device shows: a node of each mode, and whether it prints."""

    nodes: dict[Mode, Path] = field(default_factory=dict)
    prints: bool = False


def list_scanners(root: Path = Path("/")) -> Seen:
    """Everything that scans, and what only looks like it."""
    offers: dict[Path, _Offer] = {}
    for mode, node, folder in _list_nodes(root):
        offers.setdefault(folder, _Offer()).nodes.setdefault(mode, node)
    for folder in list_printers(root):
        if folder in offers:
            offers[folder].prints = True
    scanners: list[Found] = []
    suspects: list[Suspect] = []
    for folder, offer in offers.items():
        modes = [mode for mode in Mode if mode in offer.nodes]
        if read_vendor(folder) not in SCANNER_VENDORS:
            modes = [mode for mode in modes if mode is Mode.HID_POS]
        device = describe(folder, offer.nodes[_used(modes, offer)])
        if modes:
            scanners.append(Found(modes[0], device))
        if len(modes) > 1 or (offer.prints and (modes or Mode.KEYBOARD in offer.nodes)):
            suspects.append(Suspect(device, Reason.DEVICE_AMBIGUOUS))
        elif not modes and Mode.KEYBOARD in offer.nodes:
            suspects.append(Suspect(device, Reason.KEYBOARD_UNKNOWN))
    return Seen(tuple(scanners), tuple(suspects))


def _used(modes: Sequence[Mode], offer: _Offer) -> Mode:
    """The mode by whose node a device is named: the one it is used in, else what looks like one."""
    looks_like = (*modes, Mode.KEYBOARD, *offer.nodes)
    return next(mode for mode in looks_like if mode in offer.nodes)


def _list_nodes(root: Path) -> Iterator[tuple[Mode, Path, Path]]:
    """Each node that could be a scanner's, and the USB device it belongs to."""
    for line in list_names(root / "sys/class/tty", "ttyACM", "ttyUSB"):
        if folder := find_usb_device(line / "device"):
            yield Mode.SERIAL, root / "dev" / line.name, folder
    for raw in list_names(root / "sys/class/hidraw", "hidraw"):
        is_scanner = _is_bar_code_scanner(raw / "device/report_descriptor")
        if is_scanner and (folder := find_usb_device(raw / "device")):
            yield Mode.HID_POS, root / "dev" / raw.name, folder
    for event in list_names(root / "sys/class/input", "event"):
        # Two nodes may appear for one scanner; keys come from the one that has them.
        has_keys = _has_keys(read_text(event / "device/capabilities/key"))
        if has_keys and (folder := find_usb_device(event / "device")):
            yield Mode.KEYBOARD, root / "dev/input" / event.name, folder


def _has_keys(bitmap: str) -> bool:
    """Whether a bitmap of sysfs has letters, digits and Enter: words in hex, the highest first."""
    bits = 0
    try:
        for word in bitmap.split():
            bits = bits << _WORD_BITS | int(word, 16)
    except ValueError:
        return False
    return all(bits >> key & 1 for key in _KEYS)


def _is_bar_code_scanner(path: Path) -> bool:
    """Whether a report descriptor names the usage page of bar code scanners.

    Device Class Definition for HID 1.11, §6.2.2.2: a short item's first byte holds its size in
    bits 0–1 (3 means four bytes), its type in bits 2–3, its tag in bits 4–7; "Usage Page" is the
    global item (type 1) of tag 0.
    """
    try:
        descriptor = path.read_bytes()
    except OSError:
        return False
    at = 0
    while at < len(descriptor):
        head = descriptor[at]
        size = (0, 1, 2, 4)[head & 3]
        data = int.from_bytes(descriptor[at + 1 : at + 1 + size], "little")
        if head >> 2 == 0b000001 and data == BAR_CODE_SCANNER_PAGE:
            return True
        at += 1 + size
    return False
