"""Networks that fail between box and broker (fault 20): the counter is not disturbed, the line's
states say what is so, and afterwards every record is at central exactly once.
"""

from collections.abc import Iterator

import pytest

from tests.factories import other_static_text
from tests.faults.proxy import Mode, Proxy, Weather
from tests.faults.world import World


@pytest.fixture(scope="module")
def proxy(world: World) -> Iterator[Proxy]:
    """The box's way to its broker, from now on."""
    with Proxy(world.ports.box_port) as proxy:
        world.connect_box_through(proxy.port)
        yield proxy


@pytest.fixture(autouse=True)
def fair_weather(proxy: Proxy, world: World) -> Iterator[None]:
    """Each test begins and ends with a line that is up, and the oracle's proof."""
    yield
    proxy.weather = Weather()
    world.wait_link("up")
    world.prove()


def _scan(world: World, first: int, count: int) -> list[str]:
    """Verdicts of so many codes that nobody knows."""
    return [world.scan(other_static_text(first + n))["verdict"] for n in range(count)]


def test_fault_20_a_third_of_all_packets_is_lost(world: World, proxy: Proxy) -> None:
    """Late, in order, again and again: scans are shown, whoever decides on them."""
    proxy.weather = Weather(loss=0.3)
    assert set(_scan(world, 0, 10)) <= {"refused", "provisional"}


def test_fault_20_two_seconds_of_latency(world: World, proxy: Proxy) -> None:
    """Longer than any patient is made to wait: the box decides, and its questions, which are over
    when they arrive, use nothing up."""
    proxy.weather = Weather(delay_seconds=1.0)
    code = world.issue_code()
    view = world.scan(code)
    assert (view["verdict"], view["decided_by"]) == ("provisional", "box")


def test_fault_20_a_half_open_connection(world: World, proxy: Proxy) -> None:
    """The peer is gone and nobody says so: the counter goes on at once, the box finds out by its
    keep-alive, and comes back by itself."""
    proxy.weather = Weather(Mode.HALF_OPEN)
    assert set(_scan(world, 200, 3)) == {"provisional"}
    world.wait_offline()
    assert set(_scan(world, 210, 2)) == {"provisional"}


def test_fault_20_bytes_that_vanish(world: World, proxy: Proxy) -> None:
    """A connection that swallows everything is no line for long."""
    proxy.weather = Weather(Mode.DROP)
    assert set(_scan(world, 300, 3)) == {"provisional"}
    world.wait_offline()


@pytest.mark.parametrize("size", [700, 1500, 4000])
def test_fault_20_reset_in_the_middle_of_a_packet(world: World, proxy: Proxy, size: int) -> None:
    """After so many bytes from the box, in whatever they are: handshake, question or batch."""
    proxy.weather = Weather(reset_after=size)
    proxy.cut()
    _scan(world, 400 + size, 3)
    world.wait_link("up")


def test_fault_20_flapping(world: World, proxy: Proxy) -> None:
    """Up, down, up, down: each scan is shown, and the states do not hide what is so."""
    before = proxy.connections
    for cut in range(4):
        _scan(world, 10_000 + 10 * cut, 1)
        proxy.cut()
        world.wait_link("up")
    assert proxy.connections >= before + 4


def test_fault_20_a_captive_portal(world: World, proxy: Proxy) -> None:
    """Somebody answers in HTTP: no line, with a reason, and nothing of ours goes there."""
    proxy.weather = Weather(Mode.PORTAL)
    proxy.cut()
    world.wait_offline()
    assert set(_scan(world, 20_000, 2)) == {"provisional"}
    assert world.api.fetch("state")["link"]["state"] != "up"
