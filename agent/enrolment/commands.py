"""What the command line does to join and to renew; printing and exit codes included."""

import argparse
import sys

from agent.config import BoxFiles, read_box_config
from agent.courier.export import Exported
from agent.enrolment.drafts import Joined
from agent.enrolment.found import find_machine
from agent.enrolment.joining import Joining
from agent.enrolment.leaving import check_salvaged, reset, take_along
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
    joining = Joining(
        files, serial, SystemClock(), machine, again=arguments.again, export=arguments.export
    )
    joined = joining.join(text)
    print(describe_joined(joined))
    return Exit.HELD


def reset_box(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Make this machine one that has not joined. Raises as ``reset``."""
    exported = reset(files, arguments.export, SystemClock())
    tell_exported(exported)
    print("✓ 这台机器已退出，可用新的邀请入网 this machine has left; it can join by a new invite")
    return Exit.HELD


def check_unsent(files: BoxFiles, arguments: argparse.Namespace) -> Exit:
    """Whether anything is unsent; it goes into the file, if one is named. As ``take_along``."""
    check_salvaged(files)
    if files.queue.exists():
        tell_exported(take_along(files, arguments.export, SystemClock()))
    print("✓ 没有未上传的记录 central has every record, or a file has")
    return Exit.HELD


def tell_exported(exported: Exported | None) -> None:
    """What was written for somebody to carry."""
    if exported is not None:
        print(f"! {exported.rows} 条记录只在文件里 records are in this file alone: {exported.file}")
        print("  在中心 at central:   onecode-central queue import FILE")


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
