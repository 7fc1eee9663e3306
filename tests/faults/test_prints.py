"""kill -9 at every edge of a print: no label comes out twice by itself, and each ends truthfully.

The simulated printer's folder is the witness: it has a file for every label whose bytes came.
"""

import http.client
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agent.counter.print_edges import Edge
from demo.residents import SAMPLE
from tests.faults import oracle
from tests.faults.world import World

NOT_BEGUN = ("failed", "print-not-begun")
INTERRUPTED = ("unknown", "print-interrupted")
CONFIRMED = ("confirmed", None)

ENDS = {
    Edge.BEGUN: None,  # the registration alone is durable: the person is found, and gets a label
    Edge.NOTED: NOT_BEGUN,
    Edge.RECORDED: INTERRUPTED,
    Edge.SENT: INTERRUPTED,
    Edge.ENDED: INTERRUPTED,
    Edge.END_NOTED: CONFIRMED,
    Edge.END_RECORDED: CONFIRMED,
}


def die_printing(world: World, edge: Edge) -> None:
    """Register somebody at a box that dies at an edge of the label."""
    world.restart_box(f"printing:{edge}", "1")
    with suppress(OSError, http.client.HTTPException):
        world.issue(SAMPLE.number, SAMPLE.name)
    world.wait_death("box")


def list_labels(world: World) -> list[Any]:
    """Today's labels as the box tells them, the latest first."""
    labels: list[Any] = world.api.fetch("labels")
    return labels


def list_printed(world: World) -> set[Path]:
    """What came out of the printer."""
    return set(world.labels.glob("*.zpl"))


@pytest.mark.parametrize("edge", ENDS)
def test_a_label_cut_short_ends_truthfully(world: World, edge: Edge) -> None:
    """FAILED only where nothing came out, UNKNOWN where something may have, the outcome itself
    where it was known; central hears the same, once, and nothing is printed by the restart."""
    known = {view["id"] for view in list_labels(world)}
    before = list_printed(world)
    die_printing(world, edge)
    out = list_printed(world) - before
    assert len(out) == (edge in {Edge.SENT, Edge.ENDED, Edge.END_NOTED, Edge.END_RECORDED})
    world.start_box()
    world.prove()
    assert list_printed(world) - before == out
    new = [view for view in list_labels(world) if view["id"] not in known]
    end = ENDS[edge]
    if end is None:
        assert new == []
        return
    (view,) = new
    assert (view["state"], view["advice"] and view["advice"]["reason"]) == end
    assert view["needs_answer"] is (end == INTERRUPTED)
    told = oracle.label_states(world.database, UUID(view["id"]).bytes)
    begun = [] if edge is Edge.NOTED else [("sending", None)]
    assert told == [*begun, end]


def test_a_label_of_before_is_answered_and_printed_again(world: World) -> None:
    """ "No, reprint" after the restart: the answer is a record, and the new label the second copy,
    for the first may turn up."""
    die_printing(world, Edge.RECORDED)
    before = list_printed(world)
    world.start_box()
    asked = list_labels(world)[0]
    assert asked["needs_answer"]
    again = world.api.send(f"labels/{asked['id']}/reprint", {"reason": "not-out", "text": ""})
    assert (again["state"], again["copy"], again["reprint_reason"]) == ("confirmed", 2, "not-out")
    (path,) = list_printed(world) - before
    assert path.stem == str(UUID(again["id"]))
    world.prove()
    told = oracle.label_states(world.database, UUID(asked["id"]).bytes)
    assert told == [("sending", None), INTERRUPTED, ("unknown", "print-not-seen")]


@pytest.mark.parametrize("damage", ["gone", "garbage"])
def test_a_journal_that_is_lost_costs_the_question_only(world: World, damage: str) -> None:
    """The box starts and prints; central knows that a label was begun, and the page says that
    labels of before are not known here."""
    die_printing(world, Edge.RECORDED)
    for path in world.box_directory.glob("labels.db*"):
        path.unlink()
    if damage == "garbage":
        (world.box_directory / "labels.db").write_bytes(b"no database" * 100)
    world.start_box()
    assert list_labels(world) == []
    advice = world.api.fetch("state")["labels_advice"]
    assert (advice and advice["reason"]) == (None if damage == "gone" else "labels-lost")
    assert world.issue(SAMPLE.number, SAMPLE.name)["label"]["state"] == "confirmed"
    world.prove()
