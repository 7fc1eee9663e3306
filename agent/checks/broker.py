"""The way to the broker, layer by layer: the name, the port, the certificate, the welcome.

A running agent holds the one session a box may have; asking for a second would cut it, so then
its own word is taken for the last layer.
"""

import asyncio
import socket
import ssl

from agent.checks.finding import Box, Finding, Level, failed, held
from agent.config import BrokerAddress
from agent.transport.mqtt import open_connection, open_tls_context
from shared.clock import to_microseconds
from shared.codec import statuses
from shared.errors import OneCodeError, Refused, Unavailable
from shared.messages import Status
from shared.reasons import Reason

_SECONDS_A_LAYER = 1.0


async def look_at_broker(box: Box) -> list[Finding]:
    """``broker-dns``, ``broker-tcp``, ``broker-tls``, ``broker-mqtt``; ends at the first that
    fails, for what lies above cannot be judged."""
    if box.config is None:
        return []
    broker = box.config.broker
    findings: list[Finding] = []
    layers = (
        ("broker-dns", _resolve(broker)),
        ("broker-tcp", _connect(broker)),
        ("broker-tls", _shake_hands(box, broker)),
        ("broker-mqtt", _subscribe(box)),
    )
    for name, layer in layers:
        if findings and findings[-1].level is Level.FAILED:
            layer.close()
            continue
        try:
            findings.append(held(name, await layer))
        except OneCodeError as error:
            findings.append(failed(name, error))
    return findings


async def _resolve(broker: BrokerAddress) -> str:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_SECONDS_A_LAYER):
            found = await loop.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        raise Unavailable(Reason.BROKER_NAME_UNKNOWN, broker.host) from error
    return str(found[0][4][0])


async def _connect(broker: BrokerAddress) -> str:
    try:
        async with asyncio.timeout(_SECONDS_A_LAYER):
            _, writer = await asyncio.open_connection(broker.host, broker.port)
    except (OSError, TimeoutError) as error:
        raise Unavailable(Reason.BROKER_PORT_CLOSED, f"{broker.host}:{broker.port}") from error
    writer.close()
    return str(broker.port)


async def _shake_hands(box: Box, broker: BrokerAddress) -> str:
    context = await asyncio.to_thread(open_tls_context, box.files)
    try:
        async with asyncio.timeout(_SECONDS_A_LAYER):
            _, writer = await asyncio.open_connection(broker.host, broker.port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        raise Refused(Reason.BROKER_NOT_TRUSTED, error.verify_message) from error
    except (OSError, TimeoutError) as error:
        raise Unavailable(Reason.BROKER_NOT_TRUSTED, str(error)) from error
    version = writer.get_extra_info("ssl_object").version()
    writer.close()
    return str(version)


async def _subscribe(box: Box) -> str:
    if box.state is not None:
        link = box.state.link
        if link.state != "up":
            raise Unavailable(Reason.LINK_DOWN, link.state)
        return f"{link.state} {link.since.isoformat(timespec='seconds')}"
    assert box.config is not None
    now = to_microseconds(box.clock.now())
    will = statuses.encode(Status(online=False, since=now))
    try:
        async with (
            asyncio.timeout(_SECONDS_A_LAYER),
            open_connection(box.config.broker, box.files, box.config.box_id, will),
        ):
            return "admitted"
    except TimeoutError as error:
        raise Unavailable(Reason.BROKER_UNAVAILABLE) from error
