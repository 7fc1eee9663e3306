"""Makes a site's files: ``DIRECTORY BOXES CODES``; in the environment that has central.

Boxes ``bench/box0`` … with one person who has many unused dynamic codes: each scan of the
measurements uses one up. The broker also lets the bare echo (``tests.bench.echo``) listen.
"""

import json
import sys
from pathlib import Path

from central.app import Central, open_central
from central.config import BrokerConfig, WebConfig
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.enrolment import Enrolment, save_roles
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from shared.clock import SystemClock
from shared.ids import BoxId
from tests.bench.echo import ECHO_HEARS
from tests.broker import free_ports

MAKER = "bench"
TTL_SECONDS = 255


def make_site(directory: Path, boxes: int, codes: int) -> None:
    """Fill the directory; ``site.json`` names the ports and the codes."""
    ports = free_ports(2)
    broker = BrokerConfig(box_port=ports[0], central_port=ports[1])
    now = SystemClock().now()
    foundation = Foundation(broker, web=WebConfig(port=0, box_port=0))
    found_central(directory / "central", foundation, now, MAKER)
    with open_central(directory / "central") as central:
        with central.unit():
            _add_boxes(central, directory, boxes)
            texts = _issue_codes(central, codes)
            save_roles(central.files, central.fleet)
        _admit_echo(central.files.broker_roles)
    (directory / "site.json").write_text(json.dumps({"ports": ports, "codes": texts}))


def _add_boxes(central: Central, directory: Path, count: int) -> None:
    authority = read_authority(central.files.box_ca, central.files.box_ca_key)
    enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
    now = SystemClock().now()
    for number in range(count):
        box = BoxId("bench", f"box{number}")
        place = Place(box, f"counter {number}", "示范医院")
        enrolment.add_box(place, directory / f"box{number}", now, MAKER, api_port=0)


def _issue_codes(central: Central, count: int) -> list[str]:
    now = SystemClock().now()
    person, _ = central.patients.register(
        Registration("01", "11010020171225006X", "电子健康卡"), now, MAKER
    )
    card = central.cards.open_account(person, now, MAKER)
    return [central.cards.issue_dynamic(card, now, TTL_SECONDS) for _ in range(count)]


def _admit_echo(roles: Path) -> None:
    state = json.loads(roles.read_text())
    (central,) = (role for role in state["roles"] if role["rolename"] == "central")
    for kind in ("subscribeLiteral", "publishClientReceive"):
        central["acls"].append({"acltype": kind, "topic": ECHO_HEARS, "priority": 0, "allow": True})
    roles.write_text(json.dumps(state))


if __name__ == "__main__":
    make_site(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
