"""A whole site for measurements: central, broker and boxes on this machine, as they ship.

Runs with only the box's packages; what needs central's is done by central's own command lines and
by ``tests.bench.site_maker`` in the developers' environment.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.config import BoxConfig, BoxFiles, read_box_config
from tests.broker import Broker, free_ports

BUILD = Path("build").resolve()
"""On the disk of the checkout; a tmpfs would make every sync free."""
DEVELOPER_PYTHON = Path(".venv/bin/python")
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything is. ``codes`` are dynamic codes that nobody has used yet."""

    directory: Path
    ports: tuple[int, int]  # for boxes, for central
    api_port: int  # free, for a box's local API
    boxes: list[BoxFiles]
    codes: list[str]

    def config(self, box: BoxFiles) -> BoxConfig:
        """A box's configuration."""
        return read_box_config(box)


@contextmanager
def open_site(boxes: int, codes: int) -> Iterator[Site]:
    """Make a site, start its broker and central, stop them at the end."""
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=BUILD, prefix="bench-site-") as name:
        directory = Path(name)
        maker = [DEVELOPER_PYTHON, "-m", "tests.bench.site_maker", directory, boxes, codes]
        subprocess.run([str(word) for word in maker], check=True)
        made = json.loads((directory / "site.json").read_text())
        broker = Broker(
            directory / "central/broker/mosquitto.conf", made["ports"], directory / "broker.log"
        )
        serve = [DEVELOPER_PYTHON, "-m", "central", "--dir", directory / "central", "serve"]
        with broker, running(serve, directory / "central.log", "central is ready"):
            files = [BoxFiles(directory / f"box{number}") for number in range(boxes)]
            box_port, central_port = made["ports"]
            (api_port,) = free_ports(1)
            yield Site(directory, (box_port, central_port), api_port, files, made["codes"])


def name_devices(
    files: BoxFiles, scanner: tuple[str, str], printer: tuple[str, str] = ("none", "")
) -> None:
    """Say in ``box.toml`` which devices a box has, each a kind and a path; nothing is asked of
    the clerk within moments of a scan."""
    text = re.sub(r"(?ms)^\[scanner\].*", "", files.config.read_text())
    text = re.sub(r"(?m)^again_seconds.*\n", "", text)
    tables = [
        f'[{name}]\nkind = "{kind}"\npath = "{path}"\n'
        for name, (kind, path) in (("scanner", scanner), ("printer", printer))
    ]
    files.config.write_text("again_seconds = 0\n" + text + "".join(tables))


@contextmanager
def running(
    command: Sequence[object], log: Path, ready: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A child process, from the moment its log says ``ready`` until the block ends."""
    with log.open("ab") as file:
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        child = subprocess.Popen(
            [str(word) for word in command], stdout=file, stderr=file, env=environment
        )
    try:
        wait_for(log, ready, child)
        yield child
    finally:
        child.terminate()
        child.wait(START_SECONDS)


def wait_for(log: Path, word: str, child: "subprocess.Popen[bytes]") -> None:
    """Return when the log has the word. Raises RuntimeError when it never will."""
    end = time.monotonic() + START_SECONDS
    while word not in log.read_text(errors="replace"):
        if child.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"not ready:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.002)
