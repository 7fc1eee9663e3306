"""Another box of the site beside the world's own: no scanner and no printer, scans by its API."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from central.app import open_central
from central.cases.case import Case
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.enrolment import Enrolment, save_roles
from demo.box_api import BoxApi
from demo.supervisor import wait_until
from shared.clock import SystemClock
from shared.ids import BoxId
from tests.broker import free_ports
from tests.faults import oracle
from tests.faults.world import SETTLE_SECONDS, TESTER, World


class SecondBox:
    """A box that runs among the world's processes under a name of its own."""

    def __init__(
        self,
        world: World,
        id: BoxId,
        directory: Path,
        *,
        online: bool = True,
        starts: bool = True,
    ) -> None:
        """Joins and ``starts``; its codes are never "again", so that it must know its own uses."""
        self.id = id
        self._world = world
        self._directory = directory
        (port,) = free_ports(1)
        self.api = BoxApi(port, directory / "api.token")
        self.queue = directory / "queue.db"
        with open_central(world.central_directory) as central, central.unit():
            authority = read_authority(central.files.box_ca, central.files.box_ca_key)
            enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
            place, now = Place(id, f"window {id.box}", "示范医院"), SystemClock().now()
            enrolment.add_box(place, directory, now, TESTER, api_port=port)
            save_roles(central.files, central.fleet)
        config = directory / "box.toml"
        config.write_text(f"again_seconds = 0\n{config.read_text()}")
        if starts:
            self.start(online=online)
        if starts and online:
            wait_until(self.api.has_lists, SETTLE_SECONDS, "its lists are there")

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        program: list[str | Path] = [sys.executable, "-m", "agent", "--dir", self._directory, "run"]
        self._world.supervisor.start(self.id.box, program)

    def start(self, *, online: bool = True) -> None:
        """Start it; wait for its API, and its line."""
        self.launch()
        self._world.supervisor.wait_ready(self.id.box, self.api.is_ready)
        if online:
            self.wait_link("up")

    def stop(self) -> None:
        """Stop it in order."""
        self._world.supervisor.stop(self.id.box)

    def kill(self) -> None:
        """Kill it where it stands."""
        self._world.supervisor.kill(self.id.box)

    def wait_link(self, *states: str) -> None:
        """Wait until its line is in one of the states."""

        def look() -> bool | None:
            return True if self.api.fetch("state")["link"]["state"] in states else None

        wait_until(look, SETTLE_SECONDS, f"{self.id} is {states}")

    def scan(self, text: str) -> Any:
        """Show a code; the view of that scan."""
        return self.api.send("scan", {"text": text})

    def wait_told(self, kind: str, case: Case) -> Any:
        """The notice of a case that its page shows, once it does."""

        def look() -> Any:
            away = self.api.fetch("state")["away"]
            told = away["notices"] if away else []
            wanted = (kind, str(case.id))
            return next((each for each in told if (each["kind"], each["case"]) == wanted), None)

        return wait_until(look, SETTLE_SECONDS, f"{self.id} is told {kind}")

    def wait_settled(self) -> None:
        """Wait until central has signed for every row."""

        def look() -> bool | None:
            with closing(sqlite3.connect(f"file:{self.queue}?mode=ro", uri=True)) as file:
                (pending,) = file.execute('SELECT count(*) FROM "row" WHERE state = 0').fetchone()
            return True if pending == 0 else None

        wait_until(look, SETTLE_SECONDS, f"every row of {self.id} is settled")

    def prove(self) -> int:
        """Ask the oracle once all is settled; rows in all."""
        self.wait_settled()
        return oracle.prove(self.queue, self._world.database, str(self.id))
