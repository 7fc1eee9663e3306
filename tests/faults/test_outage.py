"""The broker away: work goes on, and everything arrives once when it is back."""

from demo.residents import MOTHER
from tests.factories import other_static_text
from tests.faults.world import World

SCANS = 1000


def test_a_thousand_scans_without_a_broker(world: World) -> None:
    """Each is durable before it is shown; none is lost, none doubled, the account holds."""
    world.broker.kill()
    world.wait_offline()
    before = world.api.fetch("account")["created"]
    for number in range(SCANS):
        world.scanner.scan(other_static_text(number))
    world.wait_created(before + SCANS)
    assert world.api.fetch("account")["pending"] == SCANS
    assert world.scan(world.static_code())["verdict"] == "provisional"
    world.broker.start()
    world.wait_link("up")
    assert world.prove() == before + SCANS + 1


def test_issuing_without_a_broker_gives_a_temporary_code(world: World) -> None:
    """With what to do in words, recorded and printed; afterwards the same form finds the person
    whom central registered by that record."""
    world.broker.kill()
    world.wait_offline()
    before = world.api.fetch("account")["created"]
    view = world.issue(MOTHER.number, MOTHER.name)
    assert (view["outcome"], view["advice"]["reason"]) == ("temporary", "temporary-given")
    assert view["advice"]["next_en"]
    assert view["label"]["state"] in {"sent", "confirmed"}
    assert world.api.fetch("account")["created"] == before + 3
    world.broker.start()
    world.wait_link("up")
    world.prove()
    view = world.issue_until_answered(MOTHER.number, MOTHER.name)
    assert view["outcome"] == "found"
    assert view["label"]["state"] in {"sent", "confirmed"}
    world.prove()


def test_the_broker_dies_again_and_again_under_load(world: World) -> None:
    """What the broker had acknowledged and lost is sent again: the receipt is above the PUBACK."""
    before = world.api.fetch("account")["created"]
    for cut in range(3):
        for number in range(50):
            world.scanner.scan(other_static_text(5000 + 100 * cut + number))
        world.wait_created(before + 50 * cut + 10)
        world.broker.kill()
        world.wait_created(before + 50 * (cut + 1))
        world.broker.start()
        world.wait_link("up")
    assert world.prove() == before + 150
