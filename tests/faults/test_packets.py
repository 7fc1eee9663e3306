"""Packets that are really lost (fault 20): box and centre in network namespaces of their own, and
between them a wire that loses a third, doubles some, lets some overtake, and is pulled for a while.
"""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from central.config import BrokerConfig, WebConfig
from demo.box_api import BoxApi
from demo.supervisor import wait_until
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.lossy_wire import End, Fates, LossyWire, Weather, why_not
from tests.faults.world import BOX, SETTLE_SECONDS, World

LACKING = why_not()
pytestmark = pytest.mark.skipif(bool(LACKING), reason=LACKING)

STORM = Weather(lost=0.3, doubled=0.05, held=0.3)


class WiredWorld(World):
    """A world at the wire's other end, but for the box, which is at this one."""

    def __init__(self, directory: Path, wire: LossyWire) -> None:
        super().__init__(directory)
        self._wire = wire
        host = wire.there.address
        self.bind = "0.0.0.0"  # a test looks for the broker on loopback
        self.ports = BrokerConfig(host, self.ports.box_port, self.ports.central_port)
        self.web = WebConfig(port=0, box_host=host, box_port=self.web.box_port)
        self.api = FarApi(self.api.port, self.box_directory / "api.token", wire.here)

    def _program(self, side: str, arguments: list[str | Path]) -> list[str | Path]:
        program = super()._program(side, arguments)
        return self._wire.here.command(program) if side == "box" else program


class FarApi(BoxApi):
    """A box's API on the loopback of its namespace."""

    def __init__(self, port: int, token_file: Path, end: End) -> None:
        super().__init__(port, token_file)
        self._end = end

    def _call(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        with self._end.entered():
            return super()._call(method, path, body)


@pytest.fixture
def wire() -> Iterator[LossyWire]:
    """Good weather as yet; the test, and what it starts, is at the centre's end."""
    with LossyWire() as wire, wire.there.entered():
        wire.here.give_up_after(5)  # sooner than the box's keep-alive: test_network has that
        yield wire


@pytest.fixture
def world(wire: LossyWire, tmp_path: Path) -> Iterator[WiredWorld]:
    """Everything runs."""
    with WiredWorld(tmp_path, wire) as world:
        yield world


def _scan(world: World, first: int, count: int) -> list[Any]:
    """Views of so many codes of nobody, each followed by one that can be used once."""
    views = []
    for number in range(first, first + count):
        views += [world.scan(other_static_text(number)), world.scan(world.issue_code())]
    return views


def _receive(receiver: socket.socket, wire: LossyWire, before: Fates) -> list[int]:
    """The datagrams that must arrive, those that the wire doubled twice."""
    fates = wire.fates
    count = fates.carried + fates.doubled - before.carried - before.doubled
    return [int.from_bytes(receiver.recv(64), "big") for _ in range(count)]


def test_the_wire_does_what_it_says(wire: LossyWire) -> None:
    """Of two thousand datagrams a third is lost, the others arrive, some twice, some overtaken;
    while the cable is pulled none does."""
    with wire.here.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((wire.there.address, 0))
        receiver.settimeout(SETTLE_SECONDS)
        wire.weather, arrived = STORM, []
        for first in range(0, 2000, 100):
            before = replace(wire.fates)
            for number in range(first, first + 100):
                sender.sendto(number.to_bytes(8, "big"), receiver.getsockname())
            _wait_taken(wire, first + 100)
            arrived += _receive(receiver, wire, before)
        assert arrived != sorted(arrived)
        assert len(set(arrived)) == wire.fates.carried < len(arrived)
        assert wire.fates.lost == pytest.approx(600, abs=60)
        wire.weather = Weather(pulled=True)
        sender.sendto(b"never", receiver.getsockname())
        _wait_taken(wire, 2001)
        wire.weather = Weather()
        sender.sendto(bytes(8), receiver.getsockname())
        assert receiver.recv(64) == bytes(8)


def _wait_taken(wire: LossyWire, count: int) -> None:
    """Wait until the wire has decided on so many packets."""

    def look() -> bool | None:
        fates = wire.fates
        return True if fates.carried + fates.lost + fates.pulled == count else None

    wait_until(look, SETTLE_SECONDS, f"{count} packets are sent")


def test_fault_20_real_packets_are_lost_and_the_cable_is_pulled(
    world: WiredWorld, wire: LossyWire
) -> None:
    """Every scan is shown, whoever decides; while no cable is in, the box does. Afterwards, in the
    same weather, every record arrives, once."""
    wire.weather = STORM
    views = _scan(world, 0, 5)
    wire.weather = replace(STORM, pulled=True)
    alone = _scan(world, 100, 2)
    world.wait_offline()
    alone += _scan(world, 200, 10)
    assert {view["verdict"] for view in alone} == {"provisional"}
    wire.weather = STORM
    world.wait_link("up")
    views += _scan(world, 300, 5)
    assert {view["verdict"] for view in views[0::2]} <= {"refused", "provisional"}
    assert {view["verdict"] for view in views[1::2]} <= {"accepted", "provisional"}
    world.prove()
    shown = {UUID(view["id"]).bytes for view in (*views, *alone)}
    held = {id for id, _ in oracle.read_central(world.database, str(BOX)).values()}
    assert len(shown) == len(views) + len(alone)
    assert shown <= held
    fates = wire.fates
    assert min(fates.carried, fates.lost, fates.pulled, fates.doubled, fates.overtaken) > 0
    assert wire.here.segments_sent_again() > 0
    assert wire.there.segments_sent_again() > 0
