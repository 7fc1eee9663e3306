"""kill -9 while a box takes new settings: the last good ones or the new ones, never half."""

from datetime import UTC, datetime

import pytest

from agent.config import BoxFiles, read_box_config
from agent.settings.service import Settings
from central.app import open_central
from demo.supervisor import wait_until
from shared.desired import BoxSettings
from tests.faults.world import BOX, SETTLE_SECONDS, World

EDGES = [
    ("settings:desired-checked", "old"),
    ("settings:desired-stored", "new"),
    ("settings:desired-applied", "new"),
]


def stored(world: World) -> Settings:
    """What the box would be at work with if it started now."""
    files = BoxFiles(world.box_directory)
    settings = Settings(read_box_config(files), files.desired, lambda _: None)
    settings.load()
    return settings


def want(world: World, counter: str) -> None:
    """Set the box's counter, as a command line does."""
    with open_central(world.central_directory) as central, central.unit():
        settings = BoxSettings(counter=counter)
        central.settings.set_box(BOX, settings, datetime.now(UTC), "test")


def wait_at_work(world: World, counter: str) -> None:
    """Wait until the box shows this counter."""

    def look() -> bool | None:
        return True if world.api.fetch("state")["counter"] == counter else None

    wait_until(look, SETTLE_SECONDS, f"the counter is {counter}")


@pytest.mark.parametrize(("edge", "survives"), EDGES)
def test_the_box_is_killed_while_it_takes_settings(world: World, edge: str, survives: str) -> None:
    """After the restart the retained ones are taken again; no record is touched."""
    old, new = f"{edge} old", f"{edge} new"
    want(world, old)
    wait_at_work(world, old)
    kept = world.record_ids()
    world.restart_box(edge, "1")
    want(world, new)
    world.wait_death("box")
    assert stored(world).counter == {"old": old, "new": new}[survives]
    assert stored(world).refused is None
    world.start_box()
    wait_at_work(world, new)
    assert world.scan(world.issue_code())["verdict"] == "accepted"
    world.prove()
    assert kept <= world.record_ids()


def test_central_sees_what_is_at_work(world: World) -> None:
    """The echo comes through real processes: settings, account, devices, the line."""
    want(world, "挂号9")

    def look() -> bool | None:
        with open_central(world.central_directory) as central:
            live, wanted = central.presence.read(BOX), central.settings.read_revision(BOX)
        said = live.reported if live else None
        return True if live and live.online and said and said.revision == wanted else None

    wait_at_work(world, "挂号9")
    wait_until(look, SETTLE_SECONDS, "central has the echo")
