"""Brokers that fail (fault 21): restarted, full, not the one they say, somebody else in the box's
place, rubbish kept for it. What the box has goes to central once, when there is a way again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from agent.config import BoxFiles, read_box_config
from central.fleet.certificates import Authority, create_authority
from shared.clock import SystemClock
from shared.topics import DESIRED, RECEIPT, build_topic
from tests.bench.echo import open_bare, open_client
from tests.factories import other_static_text
from tests.faults.world import BOX, World


@contextmanager
def _another_broker(world: World, old: str, new: str) -> Iterator[None]:
    """The broker with another text in its configuration, until the block ends."""
    path = world.central_directory / "broker/mosquitto.conf"
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    world.broker.restart()
    try:
        yield
    finally:
        path.write_text(before)
        world.broker.restart()
        world.wait_link("up")


def _scan(world: World, first: int, count: int) -> None:
    for number in range(count):
        world.scan(other_static_text(first + number))


def test_fault_21_restarted_under_load(world: World) -> None:
    """By kill -9 and by its own end, while records go up."""
    for number, end in enumerate((world.broker.kill, world.broker.stop)):
        _scan(world, 100 * number, 5)
        end()
        _scan(world, 100 * number + 10, 5)
        world.broker.start()
    world.wait_link("up")
    world.prove()


def test_fault_21_full(world: World) -> None:
    """A broker that takes no more than a greeting: batches do not pass and are not lost."""
    with _another_broker(world, "max_packet_size 1310720", "max_packet_size 400"):
        _scan(world, 1000, 10)
        pending = world.api.fetch("account")["pending"]
        assert pending >= 10
    world.prove()


def test_fault_21_a_certificate_of_somebody_else(world: World) -> None:
    """A broker with a name that another authority certified gets nothing, and the page says so."""
    now, pki = SystemClock().now(), world.central_directory / "pki"
    stranger = Authority(create_authority("stranger", now)).issue_server(["127.0.0.1"], now)
    (pki / "stranger.pem").write_bytes(stranger.certificate)
    (pki / "stranger.key").write_bytes(stranger.key)
    with _another_broker(world, "server.", "stranger."):
        world.wait_advice("broker-not-trusted")
        _scan(world, 2000, 3)
        assert world.api.fetch("account")["pending"] >= 3
    world.prove()


async def test_fault_21_taken_over(world: World) -> None:
    """Somebody with the box's own certificate pushes it off the line, again and again: it comes
    back each time, and nothing that the other could hear opens."""
    files = BoxFiles(world.box_directory)
    for number in range(3):
        async with open_bare(files, read_box_config(files)):
            _scan(world, 3000 + 10 * number, 2)
        world.wait_link("up")
    world.prove()


async def test_fault_21_rubbish_is_kept_for_the_box(world: World) -> None:
    """Retained on topics that it hears: dropped at each start, and work goes on."""
    pki = world.central_directory / "pki"
    client = open_client(
        port=world.ports.central_port,
        name="central",
        identifier="litterer",
        ca=pki / "box-ca.pem",
        certificate=pki / "central.pem",
        key=pki / "central.key",
    )
    async with client:
        for kind in (RECEIPT, DESIRED, "down/reply", "down/anchor", "down/command"):
            await client.publish(build_topic(BOX, kind), b"\xff" * 300, qos=1, retain=True)
    world.restart_box()
    assert world.scan(world.issue_code())["verdict"] == "accepted"
    world.prove()
    async with client:
        for kind in (RECEIPT, "down/reply", "down/anchor", "down/command"):
            await client.publish(build_topic(BOX, kind), b"", qos=1, retain=True)
