"""One MQTT 5 connection of a central process to the broker. The only importer of aiomqtt here.

Comes in on central's own listener with central's own certificate, under a client id of its own,
so that many processes share the subscriptions. Turns every MqttError into Unavailable.
"""

import asyncio
import logging
import math
import os
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import NamedTuple

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from central.config import BrokerConfig, CentralFiles
from central.fleet.broker import CONTROL_RESPONSE, NOTICES
from central.fleet.certificates import CENTRAL_NAME
from shared.errors import Unavailable
from shared.reasons import Reason
from shared.topics import CENTRAL_HEARS

_log = logging.getLogger(__name__)

_KEEPALIVE_SECONDS = 20
_NO_TIMER = math.inf
"""aiomqtt waits by ``asyncio.wait_for``. In Python 3.11 that loses a cancellation which comes in
the same turn of the loop as the result (python/cpython#86296): the task that was to end lives on,
behind a line that is lost. So its timers are off once it is connected, and ours stand around its
calls. Its timer on CONNACK alone begins when the session stands, however long that took."""
_ANSWER_SECONDS = 10.0
"""How long the broker may take over CONNACK, SUBACK, PUBACK."""
_MOST_INFLIGHT = 1000
"""Receipts and other QoS 1 messages under way at once; Mosquitto is set to the same."""


class Message(NamedTuple):
    """What came in."""

    topic: str
    payload: bytes


class Connection:
    """An open, subscribed connection; made by ``open_connection``."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Hand a message to the broker; with ``qos`` 1, wait for its PUBACK. Raises Unavailable."""
        sending = self._client.publish(topic, payload, qos=qos, retain=retain)
        if qos == 0:
            with _mapped_exceptions():
                await sending
        else:
            async with _answered():
                await sending

    async def messages(self) -> AsyncIterator[Message]:
        """What arrives, until the connection is lost. Raises Unavailable."""
        with _mapped_exceptions():
            async for message in self._client.messages:
                yield Message(message.topic.value, bytes(message.payload))


@asynccontextmanager
async def open_connection(broker: BrokerConfig, files: CentralFiles) -> AsyncIterator[Connection]:
    """Connect as central and subscribe to all it hears. Raises Unavailable."""
    with _mapped_exceptions():
        client = aiomqtt.Client(
            broker.host,
            broker.central_port,
            identifier=f"{CENTRAL_NAME}-{os.urandom(8).hex()}",
            username=CENTRAL_NAME,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            keepalive=_KEEPALIVE_SECONDS,
            timeout=_ANSWER_SECONDS,
            max_inflight_messages=_MOST_INFLIGHT,
            tls_context=_tls_context(files),
            # paho leaves Nagle on: 88 ms a round trip instead of 1.4 (measurements.md)
            socket_options=[(IPPROTO_TCP, TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = _MOST_INFLIGHT  # aiomqtt warns above ten
        await client.__aenter__()
        client.timeout = _NO_TIMER
        try:
            _check_cancelled()
            async with _answered():
                needed = [(topic, 1) for topic in (*CENTRAL_HEARS, CONTROL_RESPONSE)]
                *granted, notices = await client.subscribe([*needed, (NOTICES, 0)])
            _check_granted(granted)
            if _is_refused(notices):  # older roles: Admission asks for it, and we come again
                _log.info("the broker does not tell its notices yet")
            yield Connection(client)
        finally:
            async with _answered():
                await client.__aexit__(None, None, None)


def _check_cancelled() -> None:
    """Raise the cancellation that came with CONNACK, and was lost."""
    if (task := asyncio.current_task()) is not None and task.cancelling():
        raise asyncio.CancelledError


def _check_granted(granted: Iterable[int | ReasonCode]) -> None:
    for code in granted:
        if _is_refused(code):
            raise Unavailable(Reason.NOT_ADMITTED, f"subscription refused: {code}")


def _is_refused(code: int | ReasonCode) -> bool:
    return not isinstance(code, int) and code.is_failure


def _tls_context(files: CentralFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(files.box_ca)  # it signs the broker's certificate
        context.load_cert_chain(files.central, files.central_key)
    except OSError as error:  # ssl.SSLError is one
        raise Unavailable(Reason.CONFIG_MISSING, f"{files.pki}: {error}") from error
    return context


@asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    """A call that the broker answers. Raises Unavailable, also where it does not in time."""
    with _mapped_exceptions():
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                yield
        except TimeoutError as error:
            raise Unavailable(Reason.BROKER_UNAVAILABLE, "no answer") from error


@contextmanager
def _mapped_exceptions() -> Iterator[None]:
    try:
        yield
    except aiomqtt.MqttError as error:
        raise Unavailable(Reason.BROKER_UNAVAILABLE, str(error)) from error
