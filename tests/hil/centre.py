"""A centre for a box that is in a guest: central and a broker as processes on loopback.

The guest reaches them at ``HOST``; central itself at loopback. Central is opened in this process
too, as a command line would, to issue codes.
"""

import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from central.app import Central, open_central
from central.cards.card import Card
from central.cards.tokens import code_token
from central.config import BrokerConfig, WebConfig
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.enrolment import Enrolment, save_roles
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from demo.residents import SAMPLE
from demo.supervisor import Supervisor, is_open
from shared.clock import SystemClock
from shared.ids import BoxId
from tests.broker import Broker, free_ports
from tests.hil.vm import HOST

TESTER = "test"
SITE_NAME, COUNTER = "示范医院", "window 1"
LOOPBACK = "127.0.0.1"


class Centre:
    """Use as a context manager: everything starts, and stops in order at the end."""

    def __init__(self, directory: Path) -> None:
        box_port, central_port, web_port, listener_port = free_ports(4)
        self.directory = directory / "central"
        self.database = self.directory / "central.db"
        self._foundation = Foundation(
            BrokerConfig(host=HOST, box_port=box_port, central_port=central_port),
            web=WebConfig(port=web_port, box_port=listener_port),
        )
        self._supervisor = Supervisor(directory / "logs")
        self._broker = Broker(
            self.directory / "broker/mosquitto.conf",
            (box_port, central_port),
            directory / "broker.log",
        )

    def __enter__(self) -> Self:
        found_central(self.directory, self._foundation, SystemClock().now(), TESTER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop central, then the broker; its files stay."""
        self._supervisor.__exit__(None, None, None)
        self._broker.stop()

    def add_box(self, box: BoxId, scanner: str, printer: str, out: Path) -> None:
        """Fill a box's directory, as ``onecode-central box add`` does."""
        place = Place(box, COUNTER, SITE_NAME, scanner=scanner, printer=printer)
        with open_central(self.directory) as central, central.unit():
            authority = read_authority(central.files.box_ca, central.files.box_ca_key)
            enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
            enrolment.add_box(place, out, SystemClock().now(), TESTER)
            save_roles(central.files, central.fleet)

    def start(self) -> None:
        """Start broker and central. Central takes the broker where it is for itself; its
        certificate names both addresses."""
        config = self.directory / "central.toml"
        config.write_text(config.read_text().replace(f'host = "{HOST}"', f'host = "{LOOPBACK}"'))
        self._broker.start()
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "central",
            "--dir",
            self.directory,
            "serve",
        ]
        self._supervisor.start("central", command)
        port = self._foundation.web.port
        self._supervisor.wait_ready("central", lambda: is_open(port))

    def read_scans(self, texts: Iterable[str]) -> list[str | None]:
        """The scans central has records of, in the order of their birth: each as the one of
        ``texts`` that was scanned, letter for letter, or the box's reason where it is none of
        them."""
        with open_central(self.directory) as central:
            known = {code_token(central.keys, text): text for text in texts}
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            rows = database.execute(
                "SELECT code_token, box_reason FROM scan WHERE reported_at IS NOT NULL"
                " ORDER BY born_at, id"
            )
            return [known.get(token, reason) for token, reason in rows]

    def issue_code(self) -> str:
        """A new dynamic code of the standard's sample person, as long-lived as one can be."""
        with open_central(self.directory) as central, central.unit():
            now = SystemClock().now()
            return central.cards.issue_dynamic(_open_card(central), now, 255, signed=True)

    def static_code(self) -> str:
        """The sample person's static code, which is on labels."""
        with open_central(self.directory) as central, central.unit():
            return central.cards.static_code(_open_card(central))


def _open_card(central: Central) -> Card:
    now = SystemClock().now()
    registration = Registration("01", SAMPLE.number, SAMPLE.name)
    person, _ = central.patients.register(registration, now, TESTER)
    return central.cards.open_account(person, now, TESTER)
