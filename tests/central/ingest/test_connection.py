"""A connection to a real broker, of central and of a box: its end is not missed."""

import asyncio
import socket
import threading
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import aiomqtt
import pytest

from agent.config import read_box_config
from agent.transport.mqtt import open_connection as open_box_connection
from central.ingest.admission import Admission
from central.ingest.mqtt import Connection, open_connection
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.reasons import Reason
from shared.topics import DESIRED, STATUS, build_topic
from tests.central.ingest.wire import PATIENCE_SECONDS, Wire, running_box, serving

BOX = BoxId("site1", "box1")


class Publishing(Protocol):
    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None: ...


@pytest.fixture
def publishing(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Task[None]]:
    """Tasks that are cancelled in the turn of the loop in which the next PUBACK comes."""
    tasks: list[asyncio.Task[None]] = []
    acknowledged = aiomqtt.Client._on_publish

    def acknowledge(client: aiomqtt.Client, *arguments: Any) -> None:
        acknowledged(client, *arguments)
        for task in tasks:
            task.cancel()

    monkeypatch.setattr(aiomqtt.Client, "_on_publish", acknowledge)
    return tasks


async def publish(connection: Publishing, kind: str, tasks: list[asyncio.Task[None]]) -> None:
    """Publish in one of the tasks, which does not outlive its cancellation."""
    tasks.append(asyncio.create_task(connection.publish(build_topic(BOX, kind), b"x", qos=1)))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.wait(tasks)
    assert tasks[0].cancelled()


async def test_a_lost_line_does_not_hide_that_central_is_to_stop(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker goes, and while the parts of ingest still end, central is told to stop."""
    ending, ended = asyncio.Event(), asyncio.Event()

    async def run(_admission: Admission, _connection: Connection) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ending.set()
            await ended.wait()

    monkeypatch.setattr(Admission, "run", run)
    async with serving(wire.centre) as ingest, asyncio.timeout(PATIENCE_SECONDS):
        wire.broker.kill()
        await ending.wait()
        ingest.cancel()
        ended.set()
        await asyncio.wait((ingest,))
        assert ingest.cancelled()


async def test_a_puback_hides_no_cancellation_from_central(
    wire: Wire, publishing: list[asyncio.Task[None]]
) -> None:
    """Else a part of ingest would live on behind a lost line, and the process be deaf for ever."""
    async with open_connection(wire.centre.config.broker, wire.centre.files) as connection:
        await publish(connection, DESIRED, publishing)


async def test_a_puback_hides_no_cancellation_from_a_box(
    wire: Wire, publishing: list[asyncio.Task[None]]
) -> None:
    """The drain ends with its line, and the agent when it is told to."""
    files = wire.add_box(BOX)
    config = read_box_config(files)
    async with serving(wire.centre), asyncio.timeout(PATIENCE_SECONDS):
        async with running_box(files) as box:
            await box.uplink.wait_up()
        line = open_box_connection(config.broker, files, BOX, b"")
        async with line as connection:
            await publish(connection, STATUS, publishing)


def slow_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more time passes in the loop, before there is a connection, than any answer may take."""
    loop = asyncio.get_running_loop()
    connect, now, late = socket.create_connection, loop.time, 0.0

    def connect_late(*arguments: Any, **named: Any) -> socket.socket:
        nonlocal late
        late += 1000.0
        turned = threading.Event()
        loop.call_soon_threadsafe(turned.set)
        turned.wait()
        return connect(*arguments, **named)

    monkeypatch.setattr(loop, "time", lambda: now() + late)
    monkeypatch.setattr(socket, "create_connection", connect_late)


async def test_a_name_that_is_found_slowly_keeps_nobody_from_the_broker(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead name server costs time at each try: time that is the network's, not the broker's."""
    files = wire.add_box(BOX)
    slow_down(monkeypatch)
    async with open_connection(wire.centre.config.broker, wire.centre.files):
        pass
    with pytest.raises(Unavailable) as caught:
        async with open_box_connection(read_box_config(files).broker, files, BOX, b""):
            pass
    assert caught.value.reason is Reason.NOT_ADMITTED


async def test_a_connack_hides_no_cancellation(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told to stop in the turn in which the broker answers, stops."""
    files = wire.add_box(BOX)
    connected = aiomqtt.Client._on_connect
    lines: list[AbstractAsyncContextManager[object]] = [
        open_connection(wire.centre.config.broker, wire.centre.files),
        open_box_connection(read_box_config(files).broker, files, BOX, b""),
    ]
    for line in lines:
        opening = asyncio.create_task(line.__aenter__())

        def connect(client: aiomqtt.Client, *arguments: Any) -> None:
            connected(client, *arguments)
            opening.cancel()  # noqa: B023 - the one of this turn

        monkeypatch.setattr(aiomqtt.Client, "_on_connect", connect)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait((opening,))
        assert opening.cancelled()
