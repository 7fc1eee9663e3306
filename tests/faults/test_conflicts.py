"""Fault 12 of the reference, and its kin: what boxes did alone contradicts, a person decides.

One single-use code at two boxes that were away; the same box twice; used online, then shown at
one that was away; a card cancelled meanwhile; a disk put back. Each ends in a case with both
sides' evidence, whose outcome reaches the boxes once; the ledgers hold.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from central.app import open_central
from central.cases.case import Case, Evidence
from central.cases.kinds import CaseKind, Outcome
from central.fleet.states import BoxState
from demo.supervisor import wait_until
from shared.clock import SystemClock
from shared.ids import BoxId
from tests.central.people import make_resident
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.second_box import SecondBox
from tests.faults.world import SETTLE_SECONDS, TESTER, World

Boxes = tuple[SecondBox, SecondBox]
LEFT, RIGHT = BoxId("site1", "left"), BoxId("site1", "right")


@pytest.fixture(scope="module")
def boxes(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boxes]:
    """Two boxes beside the world's own; each has asked once, so its clock is compared."""
    directory: Path = tmp_path_factory.mktemp("boxes")
    left = SecondBox(world, LEFT, directory / "left")
    right = SecondBox(world, RIGHT, directory / "right")
    for number, box in enumerate((left, right)):
        box.scan(other_static_text(number))
    yield left, right
    left.stop()
    right.stop()


def cut(world: World, *boxes: SecondBox) -> None:
    world.broker.kill()
    for box in boxes:
        box.wait_link("down", "connecting", "backing-off")


def restore(world: World, *boxes: SecondBox) -> None:
    world.broker.start()
    for box in boxes:
        box.wait_link("up")
        box.prove()


def wait_case(world: World, kind: CaseKind, known: int) -> tuple[Case, list[Evidence]]:
    """The case that was opened behind the ``known`` ones."""

    def look() -> tuple[Case, list[Evidence]] | None:
        with open_central(world.central_directory) as central:
            cases = central.cases.list_all(None, None, 1000)
            if len(cases) <= known:
                return None
            assert [each.kind for each in cases[: len(cases) - known]] == [kind]
            return cases[0], central.cases.list_evidence(cases[0])

    return wait_until(look, SETTLE_SECONDS, f"a case {kind}")


def count_cases(world: World) -> int:
    with open_central(world.central_directory) as central:
        return len(central.cases.list_all(None, None, 1000))


def decide(world: World, case: Case, outcome: Outcome) -> str:
    """As a person does at the command line; the server hears of it from the database."""
    with open_central(world.central_directory) as central, central.unit():
        now = SystemClock().now()
        return central.cases.decide(case.number, outcome, "asked both", now, TESTER).shown_once


def record_of(view: Any) -> bytes:
    return bytes.fromhex(view["id"].replace("-", ""))


def see_all(box: SecondBox) -> None:
    """A clerk has seen what happened."""
    away = box.api.fetch("state")["away"]
    ids = [notice["id"] for notice in away["notices"]] if away else []
    box.api.send("notices/seen", {"ids": ids})


def test_one_code_at_two_boxes_that_are_away(world: World, boxes: Boxes) -> None:
    """Both let it through alone. One is counted, the other is not overwritten: a case with both;
    the outcome is at both boxes, once, also after a kill; a clerk's look ends it."""
    left, right = boxes
    known, code = count_cases(world), world.issue_code()
    cut(world, left, right)
    views = [box.scan(code) for box in boxes]
    assert [view["verdict"] for view in views] == ["provisional"] * 2
    restore(world, left, right)
    case, evidence = wait_case(world, CaseKind.CODE_USED_TWICE, known)
    assert {each.record.bytes for each in evidence if each.record} == set(map(record_of, views))
    assert {each.box for each in evidence} == {LEFT, RIGHT}
    verdicts = sorted(oracle.verdicts(world.database, record_of(view)) for view in views)
    assert verdicts == [("provisional", "accepted"), ("provisional", "refused")]
    for box in boxes:
        box.wait_told("case-opened", case)
    decide(world, case, Outcome.BOTH_STAND)
    decided = [box.wait_told("case-decided", case) for box in boxes]
    assert all(f"个案 {case.number} " in told["zh"] for told in decided)
    right.kill()
    right.start()
    assert right.wait_told("case-decided", case) == decided[1]
    shown = right.api.fetch("state")["away"]["notices"]
    assert [notice["kind"] for notice in shown] == ["case-opened", "case-decided"]
    for box in boxes:
        see_all(box)
        assert box.api.fetch("state")["away"] is None
    right.kill()
    right.start()
    assert right.api.fetch("state")["away"] is None
    assert verdicts == sorted(oracle.verdicts(world.database, record_of(view)) for view in views)


def test_the_same_box_twice_is_refused_by_itself(world: World, boxes: Boxes) -> None:
    """A box keeps what it used up, also over a kill while it is away: no case is needed."""
    left, _ = boxes
    known, code = count_cases(world), world.issue_code()
    cut(world, left)
    assert left.scan(code)["verdict"] == "provisional"
    left.kill()
    left.start(online=False)
    view = left.scan(code)
    assert (view["verdict"], view["advice"]["reason"]) == ("refused", "code-used")
    restore(world, *boxes)
    assert count_cases(world) == known


def test_used_online_then_shown_at_a_box_that_is_away(world: World, boxes: Boxes) -> None:
    """The one without a line let it through in good faith; the case says who was asked."""
    left, right = boxes
    known, code = count_cases(world), world.issue_code()
    online = left.scan(code)
    assert online["verdict"] == "accepted"
    cut(world, left, right)
    alone = right.scan(code)
    assert alone["verdict"] == "provisional"
    restore(world, left, right)
    case, (counted, later) = wait_case(world, CaseKind.CODE_USED_TWICE, known)
    assert counted.record is not None
    assert later.record is not None
    assert counted.record.bytes == record_of(online)
    assert later.record.bytes == record_of(alone)
    decide(world, case, Outcome.FIRST_STANDS)
    told = right.wait_told("case-decided", case)
    assert told["record"] == alone["id"]
    left.wait_told("case-decided", case)
    for box in boxes:
        see_all(box)


def test_a_card_cancelled_while_a_box_is_away(world: World, boxes: Boxes) -> None:
    """Let through before it was cancelled: good for ever. Let through after: a case, no force."""
    left, right = boxes
    known, code = count_cases(world), world.static_code()
    for box in boxes:
        assert box.scan(code)["verdict"] == "accepted"  # known there, so that it can be let through
    cut(world, left, right)
    before = left.scan(code)
    with open_central(world.central_directory) as central, central.unit():
        trace = central.cards.trace(code, SystemClock().now())
        assert trace is not None
        central.cards.cancel(trace.card, SystemClock().now(), TESTER)
    after = right.scan(code)
    assert [view["verdict"] for view in (before, after)] == ["provisional"] * 2
    restore(world, left, right)
    case, (cancelled, used) = wait_case(world, CaseKind.CARD_CANCELLED_MEANWHILE, known)
    assert cancelled.box is None
    assert used.record is not None
    assert used.record.bytes == record_of(after)
    assert oracle.verdicts(world.database, record_of(before))[1] == "accepted"
    assert oracle.verdicts(world.database, record_of(after))[1] == "refused"
    decide(world, case, Outcome.CARE_STANDS)
    right.wait_told("case-decided", case)
    see_all(right)


def test_a_code_shown_while_nobody_knew_the_time(world: World, tmp_path: Path) -> None:
    """A box that was never in touch has compared its clock with nobody's: whether the code was in
    time is not believed but decided, once for all that it scanned; the outcome reaches it."""
    known = count_cases(world)
    cut(world)
    right = SecondBox(world, BoxId("site1", "fresh"), tmp_path / "fresh", online=False)
    with open_central(world.central_directory) as central, central.unit():
        now = SystemClock().now()
        person, _ = central.patients.register(make_resident(12, "虚构十二"), now, TESTER)
        card = central.cards.open_account(person, now, TESTER)
        codes = [central.cards.issue_dynamic(card, now, ttl) for ttl in (10, 11)]
    views = [right.scan(code) for code in codes]
    assert [view["verdict"] for view in views] == ["provisional"] * 2
    over = now + timedelta(seconds=12)
    wait_until(lambda: SystemClock().now() > over or None, SETTLE_SECONDS, "the codes are over")
    restore(world, right)
    case, evidence = wait_case(world, CaseKind.LATE_RECORD, known)
    assert {each.record.bytes for each in evidence if each.record} == set(map(record_of, views))
    verdicts = {oracle.verdicts(world.database, record_of(view)) for view in views}
    assert verdicts == {("provisional", "provisional")}
    decide(world, case, Outcome.IN_TIME)
    right.wait_told("case-decided", case)
    right.stop()


def test_a_disk_that_was_put_back_is_a_case(world: World, boxes: Boxes, tmp_path: Path) -> None:
    """Two accounts under one name: quarantined, both kept as evidence; the case gives an invite."""
    left, _ = boxes
    known = count_cases(world)
    left.prove()
    left.stop()
    kept = tmp_path / "kept"
    shutil.copytree(left.queue.parent, kept)
    left.start()
    left.scan(other_static_text(900))
    left.prove()
    left.stop()
    shutil.rmtree(left.queue.parent)
    shutil.copytree(kept, left.queue.parent)
    left.start()
    left.scan(other_static_text(901))
    case, evidence = wait_case(world, CaseKind.LEDGER_FORK, known)
    assert len(evidence) >= 2
    assert left.wait_told("case-opened", case)
    with open_central(world.central_directory) as central:
        assert central.fleet.box(LEFT).state is BoxState.QUARANTINED
    assert decide(world, case, Outcome.REJOIN)
    left.wait_told("case-decided", case)
