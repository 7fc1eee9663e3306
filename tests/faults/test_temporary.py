"""Temporary codes under kill -9: a box alone gives them and is killed at every edge in between.

When the broker is back each resident is registered once, and every code that was ever printed
leads to its resident, at any box.

What was printed is read from the printer's pictures by a reader that is not ours.
"""

import http.client
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from central.app import open_central
from central.fleet.box import Place
from central.fleet.certificates import read_authority
from central.fleet.enrolment import Enrolment
from demo.supervisor import wait_until
from shared.clock import SystemClock
from shared.ids import BoxId, new_record_id
from shared.messages import ScanReply, Verdict
from shared.residents import mask_name
from tests.central.people import make_resident
from tests.faults import oracle
from tests.faults.world import BOX, SETTLE_SECONDS, TESTER, World
from tests.labels.renderer import read_codes

OTHER = BoxId("site1", "box8")

ALONE_EDGES = [
    "queue:row-inserted",
    "printing:begun",  # the record is durable, and nothing else
    "printing:noted",
    "printing:recorded",
    "printing:sent",
    "printing:ended",
    "printing:end-noted",
    "printing:end-recorded",
]
RETURN_EDGES = [
    "line:batch-built",
    "line:batch-sent",
    "line:receipt-received",
    "queue:rows-settled",
    "line:settled",
]
CENTRAL_EDGES = ["ingest:before-commit", "ingest:after-commit", "ingest:receipt-sent"]

Resident = tuple[str, str]
"""Number and name."""


@pytest.fixture(scope="module")
def residents(world: World) -> Iterator[Resident]:
    """Fictitious, each once; and another box where what was printed is scanned."""
    with open_central(world.central_directory) as central, central.unit():
        authority = read_authority(central.files.box_ca, central.files.box_ca_key)
        enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
        place = Place(OTHER, "window 9", "示范医院")
        now = SystemClock().now()
        enrolment.add_box(place, world.central_directory.parent / "other", now, TESTER)
    names = (make_resident(number, f"临时{chr(0x4E00 + number)}") for number in range(1000))
    return ((each.document_number, each.name) for each in names)


def go_offline(world: World) -> None:
    world.broker.kill()
    world.wait_offline()


def come_back(world: World) -> None:
    world.broker.start()
    world.wait_link("up")


def issue_alone(world: World, resident: Resident) -> Any:
    """A clerk's form; asked again where the disk or the line was in between."""

    def look() -> Any:
        view = world.issue(*resident)
        return view if view.get("outcome") == "temporary" else None

    return wait_until(look, SETTLE_SECONDS, "a temporary code is given")


def wait_told(world: World, registration: str) -> None:
    """The counter's page has heard that central registered whoever got this code; what it was told
    before is seen by the clerk."""

    def look() -> bool | None:
        away = world.api.fetch("state")["away"]
        told = away["notices"] if away else []
        about = {UUID(n["record"]).hex for n in told if n["kind"] == "temporary-resolved"}
        if registration in about:
            return True
        world.api.send("notices/seen", {"ids": [notice["id"] for notice in told]})
        return None

    wait_until(look, SETTLE_SECONDS, "the counter is told")


def list_printed(world: World) -> set[Path]:
    return set(world.labels.glob("*.png"))


def read_label(picture: Path) -> str:
    (text,) = read_codes(Image.open(picture).convert("L"))
    return text


def check_resolved(world: World, printed: set[Path], residents: list[Resident]) -> None:
    """Every code that came out is accepted at another box, as one of these residents."""
    masked = {mask_name(name) for _, name in residents}
    for text in map(read_label, printed):
        reply = world.ask(new_record_id(SystemClock().now()), text, OTHER)
        assert isinstance(reply, ScanReply)
        assert reply.verdict is Verdict.ACCEPTED
        assert reply.identity is not None
        assert reply.identity.name in masked


def check_registered(world: World, before: int, residents: list[Resident]) -> None:
    """Each resident once, each record's code leads to one of them, nothing is parked."""
    world.prove()
    assert oracle.persons(world.database) == before + len(residents)
    assert oracle.parked(world.database) == []
    with open_central(world.central_directory) as central:
        now = SystemClock().now()
        known = [central.patients.find("01", number, name, now) for number, name in residents]
    led_to = oracle.temporary_codes(world.database, str(BOX)).values()
    assert {person.id.bytes for person in known if person} <= set(led_to)


@pytest.mark.parametrize("edge", ALONE_EDGES)
def test_a_box_alone_is_killed_while_it_gives_codes(
    world: World, residents: Iterator[Resident], edge: str
) -> None:
    """Three residents, the box dies with the second: before its record is durable nothing has come
    out of the printer, and after that the code resolves, whatever else was lost."""
    people = [next(residents) for _ in range(3)]
    before, printed = oracle.persons(world.database), list_printed(world)
    go_offline(world)
    issue_alone(world, people[0])
    world.restart_box(edge, "1", online=False)
    with suppress(OSError, http.client.HTTPException):
        world.issue(*people[1])
    world.wait_death("box")
    world.start_box(online=False)
    view = issue_alone(world, people[1])
    assert view["identity"]["name"] == mask_name(people[1][1])
    issue_alone(world, people[2])
    come_back(world)
    check_registered(world, before, people)
    check_resolved(world, list_printed(world) - printed, people)
    codes = {read_label(path) for path in list_printed(world) - printed}
    assert len(codes) >= 2


@pytest.mark.parametrize("edge", RETURN_EDGES)
def test_the_box_is_killed_when_it_reports(
    world: World, residents: Iterator[Resident], edge: str
) -> None:
    """The record is sent again: the resident is found, not registered twice."""
    people = [next(residents)]
    before, printed = oracle.persons(world.database), list_printed(world)
    world.prove()
    go_offline(world)
    world.restart_box(edge, "1", online=False)
    issue_alone(world, people[0])
    world.broker.start()
    world.wait_death("box")
    world.start_box()
    check_registered(world, before, people)
    check_resolved(world, list_printed(world) - printed, people)


@pytest.mark.parametrize("edge", CENTRAL_EDGES)
def test_central_is_killed_when_it_registers(
    world: World, residents: Iterator[Resident], edge: str
) -> None:
    """Person, card and code hold with the row, or none does."""
    people = [next(residents)]
    before, printed = oracle.persons(world.database), list_printed(world)
    world.prove()
    world.restart_central(edge, "1")
    go_offline(world)
    issue_alone(world, people[0])
    world.broker.start()
    world.wait_death("central")
    world.start_central()
    world.wait_link("up")
    check_registered(world, before, people)
    check_resolved(world, list_printed(world) - printed, people)


def test_central_registered_and_its_answer_was_lost(
    world: World, residents: Iterator[Resident]
) -> None:
    """Question and record are one act under one id: one person, one registration, one code."""
    people = [next(residents)]
    before, printed = oracle.persons(world.database), list_printed(world)
    world.restart_central("ingest:ask-after-commit", "1")
    view = issue_alone(world, people[0])
    world.wait_death("central")
    assert oracle.persons(world.database) == before + 1
    world.start_central()
    check_registered(world, before, people)
    assert UUID(view["id"]).bytes in oracle.temporary_codes(world.database, str(BOX))
    check_resolved(world, list_printed(world) - printed, people)


def test_the_real_code_and_the_temporary_one_are_one_person(
    world: World, residents: Iterator[Resident]
) -> None:
    """Alone, then back: the counter is told, the same form gives the real label, and both labels
    lead to one person; at the box itself the temporary one is accepted too."""
    people = [next(residents)]
    before, printed = oracle.persons(world.database), list_printed(world)
    go_offline(world)
    alone = issue_alone(world, people[0])
    (temporary,) = list_printed(world) - printed
    view = world.scan(read_label(temporary))
    assert (view["verdict"], view["advice"]["reason"]) == ("provisional", "offline-temporary")
    come_back(world)
    check_registered(world, before, people)
    wait_told(world, alone["id"])
    view = world.issue_until_answered(*people[0])
    assert view["outcome"] == "found"
    assert view["label"]["temporary"] is False
    labels = list_printed(world) - printed
    assert len({read_label(path) for path in labels}) == 2
    check_resolved(world, labels, people)
    here = world.ask(new_record_id(SystemClock().now()), read_label(temporary))
    assert isinstance(here, ScanReply)
    assert here.verdict is Verdict.ACCEPTED
    assert oracle.persons(world.database) == before + 1
