"""Long outages: what a box gives up and what never (fault 5), and coming back with much while
patients are scanned (fault 6)."""

from agent.config import BoxFiles
from tests.backlog import build_backlog_of
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.world import World

BACKLOG = 5_000
BOUND = 60
IDENTITY, PRINT = 0, 1


def test_fault_05_the_bound_is_reached(world: World) -> None:
    """Use records make room, the oldest first, named by a record that central gets; identity and
    print records are all there; staff were warned."""
    world.configure_box(f"[queue]\nrows = {BOUND}\nuse_rows = {BOUND}\n")
    world.broker.kill()
    world.wait_offline()
    warned = set()
    for number in range(2 * BOUND):
        world.scan(other_static_text(number))
        advice = world.api.fetch("state")["unsent"]["advice"]
        warned |= {advice["reason"]} if advice else set()
    world.wait_given_up()
    assert warned >= {"queue-half-full", "queue-filling", "queue-nearly-full"}
    world.broker.start()
    world.wait_link("up")
    world.prove()
    rows = oracle.read_box(world.queue)
    given_up = [row for row in rows if row.state == oracle.TOMBSTONED]
    assert len(given_up) >= BOUND // 2
    assert not [row for row in given_up if row.lane in {IDENTITY, PRINT}]
    world.configure_box("")


def test_fault_06_a_backlog_drains_while_patients_come(world: World) -> None:
    """Each is recognised at once, by central; their records overtake; afterwards every row is
    there once."""
    world.supervisor.stop("box")
    build_backlog_of(BoxFiles(world.box_directory), BACKLOG)
    world.start_box()
    verdicts = []
    while world.api.fetch("account")["pending"] > BACKLOG // 10:
        verdicts.append(world.scan(world.issue_code())["verdict"])
    assert verdicts
    assert verdicts.count("accepted") >= 0.9 * len(verdicts)
    assert world.prove() >= BACKLOG + len(verdicts)
