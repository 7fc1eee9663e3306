"""What is taken for a scanner, by what sysfs shows; and which one it was before."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from agent.drivers.discovery import SCANNER_VENDORS, Found, Mode, Seen, list_scanners
from agent.drivers.places import assign
from agent.drivers.usb_tree import list_printers
from agent.ports import DeviceDescriptor
from shared.reasons import Reason
from tests.devices.sysfs import CONTROL_KEYS, KEYBOARD_REPORT, POS_REPORT, plug_in

RULES = Path(__file__).parents[3] / "systemd/70-onecode.rules"


def modes(root: Path) -> list[Mode]:
    """In which mode each scanner is used."""
    return [found.mode for found in list_scanners(root).scanners]


def suspects(root: Path) -> list[Reason]:
    """What is reported."""
    return [suspect.reason for suspect in list_scanners(root).suspects]


def test_an_empty_machine_has_none(tmp_path: Path) -> None:
    """No sysfs at all, as in a container."""
    assert list_scanners(tmp_path) == Seen()


def test_a_keyboard_scanner_is_the_node_that_has_keys(tmp_path: Path) -> None:
    """Two nodes may appear for one scanner; its name, numbers and port come from USB."""
    usb = plug_in(tmp_path, "1-1.2", "1eab", "8303", serial="FR1", name="NLS-FR20", maker="Newland")
    usb.add_keyboard(3, CONTROL_KEYS)
    usb.add_keyboard(4)
    (found,) = list_scanners(tmp_path).scanners
    assert found.mode is Mode.KEYBOARD
    assert found.device == DeviceDescriptor(
        "Newland NLS-FR20", str(tmp_path / "dev/input/event4"), "FR1", 0x1EAB, 0x8303, "1-1.2"
    )
    assert suspects(tmp_path) == []


def test_a_clerks_keyboard_is_reported_and_never_a_scanner(tmp_path: Path) -> None:
    """Unknown makers' keyboards are somebody's keyboard; a mouse's media keys are nothing."""
    keyboard = plug_in(tmp_path, "1-2", "046d", name="Keyboard")
    keyboard.add_keyboard(0)
    keyboard.add_serial(0)  # of whatever use
    plug_in(tmp_path, "1-3", "046d", name="Mouse").add_keyboard(1, CONTROL_KEYS)
    assert modes(tmp_path) == []
    (suspect,) = list_scanners(tmp_path).suspects
    assert (suspect.device.name, suspect.reason) == ("Keyboard", Reason.KEYBOARD_UNKNOWN)
    assert suspect.device.location == str(tmp_path / "dev/input/event0")


@pytest.mark.parametrize(
    ("report", "is_scanner"),
    [
        (POS_REPORT, True),
        (bytes.fromhex("058c0902a101c0"), True),
        (KEYBOARD_REPORT, False),
        (bytes.fromhex("0501098c258cc0"), False),  # 8C elsewhere than as a usage page
        (b"", False),
        (b"\x06", False),
    ],
)
def test_a_hid_pos_scanner_says_so_itself(tmp_path: Path, report: bytes, is_scanner: bool) -> None:
    """Whoever made it: its report descriptor names the usage page of bar code scanners."""
    plug_in(tmp_path, "1-1", "ffff").add_hidraw(0, report)
    assert (modes(tmp_path) == [Mode.HID_POS]) is is_scanner


def test_a_serial_scanner_is_known_by_its_maker(tmp_path: Path) -> None:
    """A card reader or an adapter on ttyACM is not opened."""
    plug_in(tmp_path, "1-1", "05e0").add_serial(0)
    plug_in(tmp_path, "1-2", "0403").add_serial(1)
    (found,) = list_scanners(tmp_path).scanners
    assert (found.mode, found.device.location) == (Mode.SERIAL, str(tmp_path / "dev/ttyACM0"))


def test_of_several_modes_the_surest_is_used_and_reported(tmp_path: Path) -> None:
    """Serial before HID-POS before keyboard, one device once."""
    usb = plug_in(tmp_path, "1-1", "1eab")
    usb.add_keyboard(0)
    usb.add_hidraw(0)
    assert modes(tmp_path) == [Mode.HID_POS]
    usb.add_serial(0)
    assert modes(tmp_path) == [Mode.SERIAL]
    assert suspects(tmp_path) == [Reason.DEVICE_AMBIGUOUS]


@pytest.mark.parametrize(("vendor", "used"), [("ffff", []), ("1eab", [Mode.KEYBOARD])])
def test_a_device_that_claims_to_be_printer_and_keyboard(
    tmp_path: Path, vendor: str, used: list[Mode]
) -> None:
    """Its keyboard is a scanner only if its maker makes scanners; reported either way."""
    usb = plug_in(tmp_path, "1-1", vendor)
    usb.add_keyboard(0)
    usb.add_printer()
    assert modes(tmp_path) == used
    assert suspects(tmp_path) == [Reason.DEVICE_AMBIGUOUS]
    assert [folder.name for folder in list_printers(tmp_path)] == ["1-1"]


def test_the_rules_know_the_same_makers() -> None:
    """Each rule for scanners names exactly the makers that discovery takes."""
    lines = RULES.read_text().splitlines()
    named = [
        match[1] for line in lines if (match := re.search(r'ATTRS\{idVendor\}=="([^"]+)"', line))
    ]
    assert len(named) == 3
    for makers in named:
        assert {int(maker, 16) for maker in makers.split("|")} == set(SCANNER_VENDORS)


# --- which one it was before ---------------------------------------------------------------------

ONE = DeviceDescriptor("A", "/dev/input/event1", "S1", 1, 1, "1-1")
TWO = DeviceDescriptor("A", "/dev/input/event2", "S2", 1, 1, "1-2")
BARE = replace(ONE, serial="")
TWIN = replace(BARE, location="/dev/input/event2", port="1-2")
OTHER = DeviceDescriptor("B", "/dev/ttyACM0", "", 2, 2, "1-1")


def places(known: dict[int, DeviceDescriptor], *present: DeviceDescriptor) -> dict[int, str]:
    """Which port's device stands in which place."""
    found = [Found(Mode.KEYBOARD, device) for device in present]
    return {place: each.device.port for place, each in assign(known, found).items()}


def moved(device: DeviceDescriptor, port: str) -> DeviceDescriptor:
    """The same device in another port, where it gets another node."""
    return replace(device, port=port, location=f"/dev/input/{port}")


@pytest.mark.parametrize(
    ("known", "present", "expected"),
    [
        ({}, (ONE, TWO), {1: "1-1", 2: "1-2"}),
        ({1: ONE, 2: TWO}, (moved(ONE, "1-2"), moved(TWO, "1-1")), {1: "1-2", 2: "1-1"}),
        ({1: ONE}, (moved(ONE, "3-1"),), {1: "3-1"}),
        ({1: ONE}, (replace(moved(ONE, "3-1"), product_id=9),), {1: "3-1"}),  # another mode
        ({1: BARE}, (replace(BARE, product_id=9),), {1: "1-1"}),
        ({1: ONE}, (TWO,), {2: "1-2"}),  # another serial is another scanner
        ({1: BARE, 2: TWIN}, (TWIN, BARE), {1: "1-1", 2: "1-2"}),
        ({1: BARE, 2: TWIN}, (TWIN, moved(BARE, "3-1")), {2: "1-2", 1: "3-1"}),
        ({1: BARE, 2: TWIN}, (moved(BARE, "3-1"), moved(TWIN, "3-2")), {3: "3-1", 4: "3-2"}),
        ({1: BARE}, (moved(BARE, "3-1"), moved(BARE, "3-2")), {2: "3-1", 3: "3-2"}),
        ({1: BARE}, (OTHER,), {2: "1-1"}),  # another make on its port
        # twins that were given one serial number are told apart by their ports
        ({1: ONE, 2: moved(ONE, "1-2")}, (moved(ONE, "1-2"), ONE), {1: "1-1", 2: "1-2"}),
    ],
)
def test_places_outlive_plugs(
    known: dict[int, DeviceDescriptor],
    present: tuple[DeviceDescriptor, ...],
    expected: dict[int, str],
) -> None:
    """By serial; else by port; else the only one missing of its make, if one has come."""
    assert places(known, *present) == expected
