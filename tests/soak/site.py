"""Three boxes, central and a broker as real processes; each box behind a proxy of its own.

One box's directory lies on a small disk of its own that can be filled, where root may mount one.
"""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from central.app import open_central
from central.cards.card import Card
from central.config import BrokerConfig, WebConfig
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.enrolment import Enrolment, save_roles
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from demo.box_api import BoxApi
from demo.supervisor import Supervisor
from shared.clock import SystemClock
from shared.ids import BoxId
from tests.broker import Broker, free_ports
from tests.faults.proxy import Proxy

BOXES = ("box1", "box2", "box3")
SMALL_DISK_MIB = 512
ACTOR = "soak"


class SoakBox:
    """One box: where its things are, and its line."""

    def __init__(self, name: str, directory: Path, proxy: Proxy, api_port: int) -> None:
        self.id = BoxId("site1", name)
        self.name = name
        self.directory = directory
        self.proxy = proxy
        self.queue = directory / "queue.db"
        self.api = BoxApi(api_port, directory / "api.token")


class Site:
    """Use as a context manager: everything is started, and stopped at the end."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.central_directory = directory / "central"
        self.database = self.central_directory / "central.db"
        self.supervisor = Supervisor(directory / "logs")
        ports = free_ports(3 + len(BOXES))
        self._ports = BrokerConfig(box_port=ports[0], central_port=ports[1])
        self._web = WebConfig(port=0, box_port=ports[2])
        self.broker = Broker(
            self.central_directory / "broker/mosquitto.conf", ports[:2], directory / "broker.log"
        )
        self.boxes = [
            SoakBox(name, directory / name, Proxy(ports[0], seed + at), ports[3 + at])
            for at, name in enumerate(BOXES)
        ]
        self.small_disk: SoakBox | None = None
        """The box whose disk can be filled; None where nothing can be mounted."""
        self.static_code = ""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        now = SystemClock().now()
        found_central(self.central_directory, Foundation(self._ports, web=self._web), now, ACTOR)
        self._mount(self.boxes[-1])
        for box in self.boxes:
            self._stack.enter_context(box.proxy)
        with open_central(self.central_directory) as central, central.unit():
            authority = read_authority(central.files.box_ca, central.files.box_ca_key)
            enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
            for box in self.boxes:
                place = Place(box.id, f"window {box.name}", "示范医院")
                enrolment.add_box(place, box.directory, now, ACTOR, api_port=box.api.port)
                config = box.directory / "box.toml"
                text = config.read_text()
                broker = f"port = {self._ports.box_port}\n"
                assert text.count(broker) == 1
                text = text.replace(broker, f"port = {box.proxy.port}\n")
                config.write_text(f"again_seconds = 60\n{text}")
            save_roles(central.files, central.fleet)
            registration = Registration("01", "11010020171225006X", "电子健康卡")
            person, _ = central.patients.register(registration, now, ACTOR)
            card: Card = central.cards.open_account(person, now, ACTOR)
            self.static_code = central.cards.static_code(card)
        self._stack.callback(self.broker.stop)
        self.broker.start()
        self._stack.enter_context(self.supervisor)
        self.start("central")
        for box in self.boxes:
            self.start(box.name)
            self.supervisor.wait_ready(box.name, box.api.is_ready)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)
        if self.small_disk is not None:
            kept = self.directory / "kept"
            shutil.copytree(self.small_disk.directory, kept, dirs_exist_ok=True)
            subprocess.run(["umount", str(self.small_disk.directory)], check=True)
            shutil.copytree(kept, self.small_disk.directory, dirs_exist_ok=True)

    def start(self, name: str) -> None:
        """Start central or a box by its name; not waited for."""
        side = "central" if name == "central" else "agent"
        command = "serve" if name == "central" else "run"
        program = [sys.executable, "-m", side, "--dir", str(self.directory / name), command]
        self.supervisor.start(name, program)

    def kill(self, name: str) -> None:
        """kill -9, if it runs."""
        if self.supervisor.is_running(name):
            self.supervisor.kill(name)

    def ensure_running(self) -> list[str]:
        """Start again whatever has ended by itself; which those were."""
        ended = [name for name in ("central", *BOXES) if not self.supervisor.is_running(name)]
        for name in ended:
            self.start(name)
        return ended

    def _mount(self, box: SoakBox) -> None:
        box.directory.mkdir()
        if os.geteuid() == 0:
            size = f"size={SMALL_DISK_MIB}m"
            command = ["mount", "-t", "tmpfs", "-o", size, "soak", str(box.directory)]
            if subprocess.run(command, check=False).returncode == 0:
                self.small_disk = box
