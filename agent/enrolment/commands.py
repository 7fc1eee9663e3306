"""What the command line does to join and to renew; printing and exit codes included."""

import argparse
import sys

from agent.config import BoxFiles
from agent.enrolment.drafts import Joined
from agent.enrolment.found import choose_devices
from agent.enrolment.joining import Joining
from agent.enrolment.machine import read_machine_serial
from shared.clock import SystemClock
from shared.exits import Exit


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
