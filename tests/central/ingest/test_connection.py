"""A connection to a real broker, of central and of a box: its end is not missed."""

import asyncio
from typing import Any, Protocol

import aiomqtt
import pytest

from agent.config import read_box_config
from agent.transport.mqtt import open_connection as open_box_connection
from central.ingest.admission import Admission
from central.ingest.mqtt import Connection, open_connection
from shared.ids import BoxId
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
