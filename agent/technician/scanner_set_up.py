"""``onecode-agent scanner show`` and ``set``: a Newland scanner's set-up over its serial line."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial

import msgspec

from agent.config import BoxFiles
from agent.drivers.newland import LAYOUTS, US_LAYOUT, VOLUMES, Interface, Storage, Terminator
from agent.drivers.newland_client import NewlandClient, SetUp
from agent.drivers.serial_port import SerialPort
from agent.technician.devices import HELD_BY_AGENT, choose_scanner
from shared.clock import SystemClock
from shared.errors import Malformed, Unavailable
from shared.exits import Exit, describe
from shared.reasons import Reason

_BAUD = 9600
_INTERFACES = {
    "keyboard": Interface.KEYBOARD,
    "hid-pos": Interface.HID_POS,
    "serial": Interface.CDC,
}
_TERMINATORS = {each.name.lower(): each for each in Terminator}
_ON_OFF = {"on": True, "off": False}

_LEAVES = "  扫码器会断开，再以新的接口出现。\n  The scanner leaves and returns as a new device."

Act = Callable[[NewlandClient], None]


def show_set_up(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Print what the scanner is set to."""
    with closing(_open_port(files, arguments)) as port:
        client = NewlandClient.on_port(port, SystemClock())
        set_up = _in_settings(client.read_set_up())
        _tell_scans(client)
    if arguments.json:
        print(msgspec.json.encode(set_up).decode())
    else:
        for setting, value in set_up.items():
            print(f"  {setting:<10} {'?' if value is None else value}")
    return Exit.HELD


def change_set_up(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Set one thing; the scanner's own echo is the proof."""
    act = find_act(arguments.setting, arguments.value)
    if act is None:
        print(describe(Malformed(Reason.SETTING_IMPOSSIBLE, arguments.setting)), file=sys.stderr)
        return Exit.USAGE
    storage = Storage.UNTIL_POWER_OFF if arguments.temporary else Storage.KEPT
    with closing(_open_port(files, arguments)) as port:
        client = NewlandClient.on_port(port, SystemClock(), storage)
        act(client)
        _tell_scans(client)
    print(f"✓ {arguments.setting} {arguments.value}")
    if arguments.setting == "interface":
        print(_LEAVES)
    return Exit.HELD


def find_act(setting: str, value: str) -> Act | None:
    """What to do for these two words, None if nothing; an interface or a layout may be given as
    the number that the scanner's manual has."""
    number = int(value) if value.isascii() and value.isdigit() else -1
    layout = US_LAYOUT if value == "us" else number
    terminator, on = _TERMINATORS.get(value), _ON_OFF.get(value)
    interface: int = _INTERFACES.get(value, number)
    act: Act | None = None
    if setting == "interface" and interface >= 0:
        act = partial(NewlandClient.set_interface, interface=interface)
    elif setting == "terminator" and terminator is not None:
        act = partial(NewlandClient.set_terminator, terminator=terminator)
    elif setting == "beep" and on is not None:
        act = partial(NewlandClient.set_beep, on=on)
    elif setting == "volume" and number in VOLUMES:
        act = partial(NewlandClient.set_volume, volume=number)
    elif setting == "layout" and layout in LAYOUTS:
        act = partial(NewlandClient.set_layout, layout=layout)
    return act


def _in_settings(set_up: SetUp) -> dict[str, str | int | None]:
    """The same words that ``set`` takes."""
    names = {interface: name for name, interface in _INTERFACES.items()}
    interface, terminator = set_up.interface, set_up.terminator
    beeps = {True: "on", False: "off", None: None}
    return {
        "interface": None if interface is None else names.get(interface, interface.name.lower()),
        "terminator": None if terminator is None else terminator.name.lower(),
        "beep": beeps[set_up.beep],
        "volume": set_up.volume,
        "layout": "us" if set_up.layout == US_LAYOUT else set_up.layout,
    }


def _open_port(files: BoxFiles, arguments: argparse.Namespace) -> SerialPort:
    config = choose_scanner(files, arguments.scanner)
    if config.kind != "serial":
        raise Malformed(Reason.SCANNER_NOT_SERIAL, config.kind)
    try:
        return SerialPort(str(files.directory / config.path), _BAUD)
    except Unavailable as error:
        if error.reason is Reason.DEVICE_IN_USE:
            print(HELD_BY_AGENT)
        raise


def _tell_scans(client: NewlandClient) -> None:
    if scans := client.take_scans():
        print(
            f"  期间扫到 {len(scans)} 个码，没有处理，请再扫一次。\n"
            f"  {len(scans)} scanned in the meantime and not judged: scan again."
        )
