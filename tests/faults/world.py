"""One site for fault tests: real broker, central and box as processes, killed at will.

The box scans from a pseudo-terminal. Central is opened in this process too, as a command line
would, to issue codes. Each test leaves the world running and settled.
"""

import http.client
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from central.app import open_central
from central.cards.card import Card
from central.config import BrokerConfig, WebConfig
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.doors import read_door
from central.fleet.enrolment import Enrolment, save_roles
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from demo.box_api import BoxApi
from demo.scanner import PtyScanner
from demo.supervisor import Supervisor, wait_until
from shared.clock import SystemClock, to_microseconds
from shared.codec import asks, replies
from shared.ids import BoxId
from shared.messages import Reply, ScanAsk
from shared.pairing import Direction
from shared.topics import ASK_SCAN, REPLY
from tests.broker import Broker, free_ports
from tests.faults import oracle

BOX = BoxId("site1", "box7")
AGAIN_SECONDS = 60
"""Longer than any restart here takes: the same patient who shows the code again is "again"."""
SETTLE_SECONDS = 60.0
TESTER = "test"
_DEAD = object()
_TABLES = "\n# of a test\n"


class World:
    """Use as a context manager: everything starts, and stops in order at the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.central_directory = directory / "central"
        self.box_directory = directory / "box"
        self._log_begins: dict[str, int] = {}
        self._box_config = self.box_directory / "box.toml"
        self.labels = directory / "labels"
        self.queue = self.box_directory / "queue.db"
        self.database = self.central_directory / "central.db"
        self.scanner = PtyScanner(directory / "scanner")
        self.supervisor = Supervisor(directory / "logs")
        box_port, central_port, api_port, listener_port = free_ports(4)
        self.web = WebConfig(port=0, box_port=listener_port)
        self.ports = BrokerConfig(box_port=box_port, central_port=central_port)
        self.bind = "127.0.0.1"
        self.api = BoxApi(api_port, self.box_directory / "api.token")
        self.broker = Broker(
            self.central_directory / "broker/mosquitto.conf",
            (box_port, central_port),
            directory / "broker.log",
        )

    def __enter__(self) -> Self:
        now = self.now()
        foundation = Foundation(self.ports, self.bind, web=self.web)
        found_central(self.central_directory, foundation, now, TESTER)
        with (self.central_directory / "central.toml").open("a") as config:
            config.write("box_burst = 1e6\n")  # all boxes join from one address, many a minute
        self.scanner.__enter__()
        self._add_box()
        self.broker.start()
        self.start_central()
        self.start_box()
        wait_until(self.api.has_lists, SETTLE_SECONDS, "the lists are there")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.supervisor.__exit__(kind, error, traceback)
        self.broker.stop()
        self.scanner.__exit__(kind, error, traceback)

    # --- processes -------------------------------------------------------------------------------

    def start_central(self, *fault: str) -> None:
        """Start central, with a fault of ``tests.faults.mortal`` if one is given."""
        self._start("central", self.central_directory, "serve", fault)
        self.supervisor.wait_ready("central", lambda: self._said("central", "central is ready"))

    def start_box(self, *fault: str, online: bool = True) -> None:
        """Start the box, with a fault if one is given; wait for its API and its line."""
        self._start("box", self.box_directory, "run", fault)
        self.supervisor.wait_ready("box", self.api.is_ready)
        if online:
            self.wait_link("up")

    def restart_central(self, *fault: str) -> None:
        """Another central in place of this one."""
        self.supervisor.stop("central")
        self.start_central(*fault)

    def set_again_window(self, seconds: int) -> None:
        """Give the box another window, and a restart to take it."""
        lines = self._box_config.read_text().splitlines()[1:]
        self._box_config.write_text("\n".join([f"again_seconds = {seconds}", *lines]) + "\n")
        self.restart_box()

    def configure_box(self, tables: str) -> None:
        """Other tables at the end of ``box.toml``, in place of those of before; a restart."""
        text = self._box_config.read_text().partition(_TABLES)[0]
        self._box_config.write_text(text + _TABLES + tables)
        self.restart_box()

    def connect_box_through(self, port: int) -> None:
        """Another way to the broker from the next start on, which is now."""
        text = self._box_config.read_text()
        self._box_config.write_text(text.replace(str(self.ports.box_port), str(port)))
        self.restart_box()

    def restart_box(self, *fault: str, online: bool = True) -> None:
        """Another box process over the same files."""
        self.supervisor.stop("box")
        self.start_box(*fault, online=online)

    def kill_if_running(self, name: str) -> None:
        """End a process as a power cut would, unless its fault has done so."""
        if self.supervisor.is_running(name):
            self.supervisor.kill(name)
        else:
            self.wait_death(name)

    def wait_death(self, name: str) -> None:
        """Wait until the process has ended by its fault."""
        self.supervisor.wait_ended(name, SETTLE_SECONDS)

    def _start(self, side: str, directory: Path, command: str, fault: tuple[str, ...]) -> None:
        log = self.supervisor.log_file(side)
        self._log_begins[side] = log.stat().st_size if log.exists() else 0
        program: list[str | Path]
        if fault:
            program = [sys.executable, "-m", "tests.faults.mortal", side, directory, *fault]
        else:
            program = self._program(side, ["--dir", directory, command, "--log-level", "DEBUG"])
        self.supervisor.start(side, program, self._environment(side))
        self._started(side)

    def _program(self, side: str, arguments: list[str | Path]) -> list[str | Path]:
        return [sys.executable, "-m", "agent" if side == "box" else "central", *arguments]

    def _environment(self, side: str) -> dict[str, str] | None:
        """What a process is started with; None: what this one has."""
        del side
        return None

    def _started(self, side: str) -> None:
        """A process has been started."""

    def now(self) -> datetime:
        """What time it is at central."""
        return SystemClock().now()

    def _said(self, name: str, words: str) -> bool | None:
        """Whether the process that runs now has said so; its log also has its predecessors'."""
        said = self.supervisor.log_file(name).read_bytes()[self._log_begins[name] :]
        return True if words.encode() in said else None

    # --- at the counter --------------------------------------------------------------------------

    def wait_link(self, *states: str) -> None:
        """Wait until the box's line is in one of the states."""

        def look() -> bool | None:
            return True if self.api.fetch("state")["link"]["state"] in states else None

        wait_until(look, SETTLE_SECONDS, f"the line is {states}")

    def wait_offline(self) -> None:
        """Wait until the box knows that its line is lost."""
        self.wait_link("down", "connecting", "backing-off")

    def wait_advice(self, reason: str) -> None:
        """Wait until the page says why there is no line."""

        def look() -> bool | None:
            advice = self.api.fetch("state")["link"]["advice"]
            return True if advice and advice["reason"] == reason else None

        wait_until(look, SETTLE_SECONDS, f"the page says {reason}")

    def wait_room(self) -> None:
        """Wait until the box has filled its reserve again, by scans that a counter makes."""

        def look() -> bool | None:
            self.scan(self.static_code())
            return True if self.api.fetch("state")["unsent"]["advice"] is None else None

        wait_until(look, SETTLE_SECONDS, "there is room again")

    def wait_given_up(self) -> None:
        """Wait until the box has given rows up."""

        def look() -> bool | None:
            return True if self.api.fetch("account")["tombstoned"] else None

        wait_until(look, SETTLE_SECONDS, "rows are given up")

    def wait_central(self, look: Callable[[], bool]) -> None:
        """Wait until something is so at central."""
        wait_until(lambda: True if look() else None, SETTLE_SECONDS, "it is so at central")

    def wait_created(self, count: int) -> None:
        """Wait until the box has created so many rows."""

        def look() -> bool | None:
            return True if self.api.fetch("account")["created"] >= count else None

        wait_until(look, SETTLE_SECONDS, f"{count} rows")

    def wait_box_said(self, words: str) -> None:
        """Wait until the box's log has these words."""
        wait_until(lambda: self._said("box", words), SETTLE_SECONDS, f"the box says {words!r}")

    def wait_verdict(self, id: str, verdict: str) -> Any:
        """Wait until the view of a scan has this verdict."""

        def look() -> Any:
            views = self.api.fetch("verdicts")
            return next((v for v in views if v["id"] == id and v["verdict"] == verdict), None)

        return wait_until(look, SETTLE_SECONDS, f"the scan is {verdict}")

    def scan(self, text: str) -> Any:
        """Show a code to the scanner; the view of that scan once it is through."""
        before = {view["id"] for view in self.api.fetch("verdicts")}
        self.scanner.scan(text)
        return wait_until(lambda: self._new_view(before), SETTLE_SECONDS, "the scan is shown")

    def scan_or_die(self, side: str, text: str) -> Any:
        """Show a code; the view of that scan, or None when the side's process ends instead."""
        try:
            before = {view["id"] for view in self.api.fetch("verdicts")}
            self.scanner.scan(text)
        except OSError:
            return None

        def look() -> Any:
            if not self.supervisor.is_running(side):
                return _DEAD
            try:
                return self._new_view(before)
            except (OSError, http.client.HTTPException):
                return None

        view = wait_until(look, SETTLE_SECONDS, "the scan is shown, or the process has ended")
        return None if view is _DEAD else view

    def scan_past_again(self, text: str) -> Any:
        """Show a code until it is no longer "again"; the first view that is not."""

        def look() -> Any:
            view = self.scan(text)
            return None if view["again"] else view

        return wait_until(look, SETTLE_SECONDS, "the window is over")

    def _new_view(self, before: set[str]) -> Any:
        views = [view for view in self.api.fetch("verdicts") if view["id"] not in before]
        return views[0] if views else None

    def issue(self, number: str, name: str, phone: str = "") -> Any:
        """Register a resident at the counter."""
        form = {"document_type": "01", "number": number, "name": name, "phone": phone}
        return self.api.send("issue", form)

    def issue_until_answered(self, number: str, name: str) -> Any:
        """Register as a clerk does whose first try may stay unanswered: try again."""

        def look() -> Any:
            view = self.issue(number, name)
            return None if view["outcome"] in {"unanswered", "temporary"} else view

        return wait_until(look, SETTLE_SECONDS, "the registration is answered")

    # --- at central ------------------------------------------------------------------------------

    def invite(self, box: BoxId, serial: str = "") -> str:
        """A new invite of a box."""
        with open_central(self.central_directory) as central, central.unit():
            door = read_door(central.files, central.config)
            place = Place(box, "window 4", "示范医院", machine=serial)
            now = self.now()
            return central.fleet.invites.issue(place, door, now, TESTER).text

    def issue_code(self, *, signed: bool = True) -> str:
        """A new dynamic code of the standard's sample person, as long-lived as one can be."""
        with open_central(self.central_directory) as central, central.unit():
            now = self.now()
            return central.cards.issue_dynamic(self._card(central), now, 255, signed=signed)

    def ask(self, id: UUID, code: str, box: BoxId = BOX) -> Reply:
        """Have central answer a box's question ``id``, as if it had come by the broker now."""
        now = self.now()
        until = to_microseconds(now + timedelta(seconds=10))
        ask = ScanAsk(
            id=id.bytes,
            box=str(box),
            born=to_microseconds(now),
            expires_at=until,
            counter="window 3",
            code=code,
        )
        with open_central(self.central_directory) as central, central.unit():
            key = central.fleet.pair_key(box)
            sealed = key.seal(Direction.UP, box, ASK_SCAN, asks.encode(ask))
            reply = central.ingest.asks.answer(box, ASK_SCAN, sealed, now)
            return replies.decode(key.open(Direction.DOWN, box, REPLY, reply))

    def static_code(self) -> str:
        """The sample person's static code."""
        with open_central(self.central_directory) as central, central.unit():
            return central.cards.static_code(self._card(central))

    def _card(self, central: Any) -> Card:
        now = self.now()
        registration = Registration("01", "11010020171225006X", "电子健康卡")
        person, _ = central.patients.register(registration, now, TESTER)
        card: Card = central.cards.open_account(person, now, TESTER)
        return card

    def _add_box(self) -> None:
        place = Place(
            BOX,
            "window 3",
            "示范医院",
            scanner=f"serial:{self.scanner.path}",
            printer=f"simulated:{self.labels}",
        )
        with open_central(self.central_directory) as central, central.unit():
            authority = read_authority(central.files.box_ca, central.files.box_ca_key)
            enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
            now, port = self.now(), self.api.port
            enrolment.add_box(place, self.box_directory, now, TESTER, api_port=port)
            save_roles(central.files, central.fleet)
        text = self._box_config.read_text()
        self._box_config.write_text(f"again_seconds = {AGAIN_SECONDS}\n{text}")

    # --- proof -----------------------------------------------------------------------------------

    def prove(self) -> int:
        """Wait until central has signed for every row, then ask the oracle; rows in all."""
        wait_until(self._settled, SETTLE_SECONDS, "every row is settled")
        created = oracle.prove(self.queue, self.database, str(BOX))
        held = {id for id, _ in oracle.read_central(self.database, str(BOX)).values()}
        for box, id in oracle.consumptions(self.database):
            assert box == str(BOX)
            assert id in held, "a code was used up by a record that nobody has"
        return created

    def files(self) -> list[Path]:
        """Every file of the world."""
        return [path for path in self._directory.rglob("*") if path.is_file()]

    def record_ids(self) -> set[bytes]:
        """The ids of all rows in the box's file."""
        return {row.id for row in oracle.read_box(self.queue)}

    def _settled(self) -> bool | None:
        with closing(sqlite3.connect(f"file:{self.queue}?mode=ro", uri=True)) as database:
            (pending,) = database.execute('SELECT count(*) FROM "row" WHERE state = 0').fetchone()
        return True if pending == 0 else None
