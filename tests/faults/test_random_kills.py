"""kill -9 of box and central at moments that nobody chose: the oracle holds after every one.

``--kills N`` sets how many (a thousand in the long run), ``--seed N`` repeats a run; the seed of
each kill is in the name of the test that failed.
"""

import random

import pytest

from tests.factories import other_static_text
from tests.faults import test_killed
from tests.faults.world import World

_MOST_PASSINGS = 6
_SCANS = 4


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a kill, each with its own seed."""
    seed = metafunc.config.getoption("seed")
    seeds = range(seed, seed + metafunc.config.getoption("kills"))
    metafunc.parametrize("kill", seeds)


def test_fault_01_killed_at_random(world: World, kill: int) -> None:
    """An edge, how often it is passed, and which side are the seed's; what was shown as kept is
    at central in the end, once."""
    chance = random.Random(kill)
    side = chance.choice(["box", "central"])
    edges = test_killed.BOX_EDGES if side == "box" else test_killed.CENTRAL_EDGES
    edge, passings = chance.choice(edges), str(chance.randint(1, _MOST_PASSINGS))
    restart = world.restart_box if side == "box" else world.restart_central
    restart(edge, passings)
    shown = set()
    for number in range(_SCANS):
        view = world.scan_or_die(side, other_static_text(1000 * kill + number))
        if view is None:
            break
        shown.add(bytes.fromhex(view["id"]))
    world.kill_if_running(side)
    (world.start_box if side == "box" else world.start_central)()
    assert world.scan(world.issue_code())["verdict"] == "accepted"
    world.prove()
    assert shown <= world.record_ids()
