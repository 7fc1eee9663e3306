"""What the command line does to join and to renew; printing and exit codes included."""

import argparse
import sys

from agent.config import BoxFiles, read_box_config
from agent.enrolment.drafts import Joined
from agent.enrolment.found import find_machine
from agent.enrolment.joining import Joining
from agent.enrolment.machine import read_machine_serial
from agent.enrolment.renewal import renew
from agent.enrolment.slips import GRAVE
from shared.clock import SystemClock
from shared.errors import Refused
from shared.exits import Exit, describe
from shared.reasons import Reason


def enrol(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Join by an invite's text, ``-`` for standard input. Raises as ``Joining.join``."""
    text = sys.stdin.read() if arguments.code == "-" else arguments.code
    machine = find_machine(arguments.scanner, arguments.printer, arguments.api_port)
    serial = arguments.serial or read_machine_serial()
    joining = Joining(files, serial, SystemClock(), machine, again=arguments.again)
    joined = joining.join(text)
    print(describe_joined(joined))
    return Exit.HELD


def renew_by_hand(files: BoxFiles) -> Exit:
    """Renew now, due or not. Raises as ``renew``."""
    validity = renew(files, read_box_config(files), even_if_not_due=True)
    if validity is not None:
        print(f"✓ 证书有效期至 certificate until {validity.not_after.astimezone():%Y-%m-%d}")
    return Exit.HELD


def describe_joined(joined: Joined) -> str:
    """As what the box has joined, for a person."""
    lines = [
        f"✓ {joined.box}  {joined.site_name} / {joined.counter}",
        f"  证书有效期至 certificate until {joined.until.astimezone():%Y-%m-%d}",
    ]
    if abs(joined.clock_ahead) > GRAVE:
        lines.append(describe(Refused(Reason.CLOCK_WRONG, f"{joined.clock_ahead}")))
    return "\n".join(lines)
