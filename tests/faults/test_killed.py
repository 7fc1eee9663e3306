"""kill -9 at every edge from frame to settled: nothing is lost or doubled, nobody is sent away."""

import pytest

from tests.faults.world import World

BOX_EDGES = [
    "scan:framed",
    "line:ask-sent",
    "line:reply-received",
    "scan:decided",
    "queue:group-begun",
    "queue:row-inserted",
    "queue:code-consumed",
    "queue:committed",
    "scan:committed",
    "scan:shown",
    "line:batch-built",
    "line:batch-sent",
    "line:receipt-received",
    "queue:rows-settled",
    "line:settled",
]
CENTRAL_EDGES = [
    "ingest:ask-before-commit",
    "ingest:ask-after-commit",
    "ingest:reply-sent",
    "ingest:before-commit",
    "ingest:after-commit",
    "ingest:receipt-sent",
]


@pytest.mark.parametrize("edge", BOX_EDGES)
def test_the_box_is_killed(world: World, edge: str) -> None:
    """The same patient shows the same code again after the restart, and is let in.

    Before the commit nobody had heard OK; after it the record is there. Either way the code is
    used up exactly once, by a record that central holds.
    """
    code = world.issue_code()
    world.restart_box(edge, "1")
    world.scanner.scan(code)
    world.wait_death("box")
    kept = world.record_ids()
    world.start_box()
    view = world.scan(code)
    assert view["verdict"] == "accepted"
    world.prove()
    assert kept <= world.record_ids()


@pytest.mark.parametrize("edge", CENTRAL_EDGES)
def test_central_is_killed(world: World, edge: str) -> None:
    """The counter goes on by itself; central takes the record on its return, once."""
    code = world.issue_code()
    world.restart_central(edge, "1")
    view = world.scan(code)
    assert view["verdict"] in {"accepted", "provisional"}
    world.wait_death("central")
    world.start_central()
    world.prove()
    assert bytes.fromhex(view["id"]) in world.record_ids()
