"""The bare anchor of a question: MQTT request and response with the same library and broker.

``python -m tests.bench.echo SITE`` answers on central's listener with central's certificate and
does nothing else; ``BareClient`` asks on the boxes' listener with a box's. Mutual TLS and
TCP_NODELAY on both sides, QoS as asked.
"""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY

import aiomqtt

from agent.config import BoxConfig, BoxFiles
from shared.ids import BoxId
from shared.topics import COMMAND, REPORTED, ROOT, build_topic, parse_topic

ECHO_HEARS = f"{ROOT}/+/+/{REPORTED}"
READY = "echo is ready"


def open_client(
    *, port: int, name: str, identifier: str, ca: Path, certificate: Path, key: Path
) -> aiomqtt.Client:
    """A client as both sides of the product make theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    context.load_cert_chain(certificate, key)
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier=identifier,
        username=name,
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=context,
        max_inflight_messages=1000,
        socket_options=[(IPPROTO_TCP, TCP_NODELAY, 1)],
    )


async def answer(site: Path, port: int) -> None:
    """Send back what comes, to the box it came from, until stopped."""
    pki = site / "central/pki"
    client = open_client(
        port=port,
        name="central",
        identifier="echo",
        ca=pki / "box-ca.pem",
        certificate=pki / "central.pem",
        key=pki / "central.key",
    )
    async with client, asyncio.TaskGroup() as group:
        await client.subscribe(ECHO_HEARS, qos=1)
        print(READY, flush=True)
        async for message in client.messages:
            box = parse_topic(message.topic.value).box
            topic = build_topic(box, COMMAND)
            group.create_task(client.publish(topic, message.payload, qos=message.qos))


class BareClient:
    """Asks one thing at a time."""

    def __init__(self, client: aiomqtt.Client, box: BoxId) -> None:
        self._client = client
        self._box = box
        self._answers = aiter(client.messages)

    async def ask(self, payload: bytes, qos: int) -> None:
        """One request and its response."""
        await self._client.publish(build_topic(self._box, REPORTED), payload, qos=qos)
        await anext(self._answers)


@asynccontextmanager
async def open_bare(files: BoxFiles, config: BoxConfig) -> AsyncIterator[BareClient]:
    """A box's bare line; the box itself must not be connected meanwhile."""
    box = config.box_id
    client = open_client(
        port=config.broker.port,
        name=str(box),
        identifier=str(box),
        ca=files.ca,
        certificate=files.certificate,
        key=files.certificate,
    )
    async with client:
        await client.subscribe(build_topic(box, COMMAND), qos=1)
        yield BareClient(client, box)


if __name__ == "__main__":
    asyncio.run(answer(Path(sys.argv[1]), int(sys.argv[2])))
