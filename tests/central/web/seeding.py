"""A small world for the API's tests: a site with a box, persons with cards, scans. All made up."""

from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from central.app import open_central
from central.cases.case import Evidence
from central.cases.kinds import CaseKind
from central.config import CentralFiles
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.enrolment import Enrolment
from shared.clock import SystemClock
from shared.ids import BoxId
from tests.central.people import SAMPLE, make_resident
from tests.central.scans.asking import make_ask

BOX = BoxId("renmin", "box1")
OPEN = "rate = 1e9\nburst = 1e9\naddress_rate = 1e9\naddress_burst = 1e9\n"
"""For ``[web]``: nobody asks too often."""


class World(NamedTuple):
    """What is there, by its ids."""

    persons: list[str]
    cards: list[str]
    scans: list[str]
    cases: list[int]


def make_world(directory: Path, persons: int = 8) -> World:
    """Fill a centre that nobody serves yet."""
    files = CentralFiles(directory)
    config = files.config
    config.write_text(config.read_text().replace("[web]\n", f"[web]\n{OPEN}"))
    at = SystemClock().now()
    world = World([], [], [], [])
    with open_central(directory) as central, central.unit():
        authority = read_authority(files.box_ca, files.box_ca_key)
        enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
        place = Place(BOX, "挂号1", "虚构市人民医院")
        enrolment.add_box(place, directory.parent / "box", at, "test", api_port=0)
        for number in range(persons):
            resident = make_resident(number, f"虚构{number}") if number else SAMPLE
            person, _ = central.patients.register(resident, at, "test")
            card = central.cards.open_account(person, at, "test")
            central.hospital.admit(person.id, BOX.site, at)
            world.persons.append(str(person.id))
            world.cards.append(str(card.id))
            code = central.cards.issue_dynamic(card, at)
            ask = make_ask(code, box=BOX, at=at)
            central.scans.answer(BOX, ask, at)
            world.scans.append(str(UUID(bytes=ask.id)))
            seen = Evidence(at, "离线放行", "Let through alone", BOX, person=person.id)
            id = central.cases.open(CaseKind.CODE_USED_TWICE, f"code {number}", [seen], at)
            found = central.cases.list_all(None, None, persons)
            world.cases.extend(case.number for case in found if case.id == id)
    return world
