"""The four outcomes of "asked, timed out, retried": one use, one consumption, one story.

The ask carries the record's id, so central knows the question and the record as one whichever
comes first, and whichever is lost.
"""

from uuid import UUID

from shared.messages import ScanReply, Verdict
from tests.faults import oracle
from tests.faults.world import BOX, World

STALL_SECONDS = "2"
"""Longer than the box waits for an answer (800 ms)."""


def consumed_by(world: World, id: str) -> bool:
    """Whether a code is used up by this record at central."""
    return (str(BOX), bytes.fromhex(id)) in oracle.consumptions(world.database)


def test_the_ask_was_lost(world: World) -> None:
    """Central never heard the question: it consumes when the record comes."""
    code = world.issue_code()
    world.supervisor.stop("central")
    view = world.scan(code)
    assert (view["verdict"], view["decided_by"]) == ("provisional", "box")
    world.start_central()
    world.prove()
    assert consumed_by(world, view["id"])


def test_the_reply_was_lost(world: World) -> None:
    """Central answered into the void: the record finds its own consumption, not a second one."""
    code = world.issue_code()
    world.restart_central("ingest:ask-after-commit", "1")
    view = world.scan(code)
    assert view["verdict"] == "provisional"
    assert consumed_by(world, view["id"])
    world.wait_death("central")
    world.start_central()
    world.prove()
    assert consumed_by(world, view["id"])


def test_the_reply_came_late(world: World) -> None:
    """The late answer is a later state of the same scan, on the page and in the ledger."""
    code = world.issue_code()
    world.restart_central("ingest:ask-after-commit", "1", STALL_SECONDS)
    view = world.scan(code)
    assert view["verdict"] == "provisional"
    late = world.wait_verdict(view["id"], "accepted")
    assert late["decided_by"] == "central"
    world.prove()
    assert consumed_by(world, view["id"])
    assert oracle.verdicts(world.database, bytes.fromhex(view["id"])) == ("provisional", "accepted")


def test_the_ask_came_after_its_record(world: World) -> None:
    """The very ask, held back by a bridge, changes nothing any more."""
    code = world.issue_code()
    world.supervisor.stop("central")
    view = world.scan(code)
    world.start_central()
    world.prove()
    reply = world.ask(UUID(view["id"]), code)
    assert isinstance(reply, ScanReply)
    assert reply.verdict is Verdict.ACCEPTED
    world.prove()
    assert consumed_by(world, view["id"])
    assert world.scan(code)["again"]


def test_used_online_then_shown_offline(world: World) -> None:
    """The same box refuses by itself, once the phone has left the pad."""
    code = world.issue_code()
    world.set_again_window(1)
    assert world.scan(code)["verdict"] == "accepted"
    world.broker.kill()
    world.wait_offline()
    view = world.scan_past_again(code)
    assert (view["verdict"], view["advice"]["reason"]) == ("refused", "code-used")
    world.broker.start()
    world.wait_link("up")
    world.prove()
