"""What the command line does to join and to renew; printing and exit codes included."""

import argparse
import sys

from agent.config import BoxFiles
from agent.enrolment.drafts import Joined
from agent.enrolment.found import find_printer, find_scanner, parse_printer, parse_scanner
from agent.enrolment.installing import Devices
from agent.enrolment.joining import Joining
from agent.enrolment.machine import read_machine_serial
from shared.clock import SystemClock
from shared.exits import Exit


def choose_devices(scanner: str, printer: str) -> Devices:
    """The devices that were named (``kind:path``, ``none``), else those that are plugged in.

    Raises Malformed (CONFIG_MALFORMED).
    """
    return Devices(
        parse_scanner(scanner) if scanner else find_scanner(),
        parse_printer(printer) if printer else find_printer(),
    )


def enrol(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Join by an invite's text, ``-`` for standard input. Raises as ``Joining.join``."""
    text = sys.stdin.read() if arguments.code == "-" else arguments.code
    devices = choose_devices(arguments.scanner, arguments.printer)
    serial = arguments.serial or read_machine_serial()
    joining = Joining(files, serial, SystemClock(), devices, again=arguments.again)
    joined = joining.join(text)
    print(describe_joined(joined))
    return Exit.HELD


def describe_joined(joined: Joined) -> str:
    """As what the box has joined, for a person."""
    lines = [
        f"✓ {joined.box}  {joined.site_name} / {joined.counter}",
        f"  证书有效期至 certificate until {joined.until:%Y-%m-%d}",
    ]
    return "\n".join(lines)
