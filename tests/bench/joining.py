"""How long a box takes to join by an invite, and ``check`` to look at everything.

The shipped command lines, processes and all: the box's in the box's own environment, beside the
real central and broker.
"""

import json
import os
import pty
import subprocess
import sys
import time
import tty
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.config import BoxFiles
from tests.bench.site import BUILD, DEVELOPER_PYTHON, name_devices, running
from tests.bench.table import Figure, median, run, value_at_most
from tests.broker import Broker, free_ports

ROUNDS = 5


def measure() -> list[Figure]:
    """All figures of one run."""
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=BUILD, prefix="bench-joining-") as name:
        directory = Path(name)
        ports = free_ports(3)
        words = ("--box-port", "--central-port", "--join-port")
        named = [str(each) for pair in zip(words, ports, strict=True) for each in pair]
        _central(directory, "init", "--web-port", "0", *named)
        broker = Broker(
            directory / "central/broker/mosquitto.conf", ports[:2], directory / "broker.log"
        )
        serve = [DEVELOPER_PYTHON, "-m", "central", "--dir", directory / "central", "serve"]
        with broker, running(serve, directory / "central.log", "central is ready"):
            joins = [_join(directory, number) for number in range(ROUNDS)]
            checks = _check(directory / "box0")
    return [
        value_at_most("a box joins by its invite", median(joins), "s", 5.0),
        value_at_most("onecode-agent check", median(checks), "s", 3.0),
    ]


def _join(directory: Path, number: int) -> float:
    shown = _central(
        directory,
        *("box", "invite", f"bench/box{number}", "--counter", "1", "--site-name", "示范医院"),
        "--json",
    )
    code = json.loads(shown)[0]["invite"]
    begun = time.perf_counter()
    _agent(directory / f"box{number}", "enrol", code, "--api-port", str(free_ports(1)[0]))
    return time.perf_counter() - begun


def _check(box: Path) -> list[float]:
    """With the agent at work and a scanner plugged in, as a technician has it."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    name_devices(BoxFiles(box), ("serial", os.ttyname(slave)))
    command = [sys.executable, "-m", "agent", "--dir", box, "run"]
    with running(command, box / "run.log", "local API on"):
        taken = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            _agent(box, "check")
            taken.append(time.perf_counter() - begun)
    os.close(master)
    os.close(slave)
    return taken


def _central(directory: Path, *words: str) -> str:
    command = [str(DEVELOPER_PYTHON), "-m", "central", "--dir", str(directory / "central"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _agent(box: Path, *words: str) -> None:
    command = [sys.executable, "-m", "agent", "--dir", str(box), *words]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
