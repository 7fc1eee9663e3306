"""One MQTT 5 connection of a box to its broker, over mutual TLS. The only importer of aiomqtt here.

Turns every MqttError into Unavailable, and aiomqtt's objects into ours. The library is imported
when the first connection is made: the first scan does not need it.
"""

import asyncio
import logging
import math
import os
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from importlib import import_module
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import TYPE_CHECKING, Any

from agent.config import BoxFiles, BrokerAddress
from agent.transport.line import Message
from shared.config import read_secret
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.reasons import Reason
from shared.topics import BOX_HEARS, STATUS, build_topic, list_topics

if TYPE_CHECKING:
    import aiomqtt
    from _typeshed import WriteableBuffer as Buffer
    from paho.mqtt.reasoncodes import ReasonCode

_KEEPALIVE_SECONDS = 20
_NO_TIMER = math.inf
"""aiomqtt waits by ``asyncio.wait_for``. In Python 3.11 that loses a cancellation which comes in
the same turn of the loop as the result (python/cpython#86296): the task that was to end lives on,
behind a line that is lost. So its timers are off once it is connected, and ours stand around its
calls. Its timer on CONNACK alone begins when the session stands, however long that took."""
_ANSWER_SECONDS = 10.0
"""How long the broker may take over CONNACK, SUBACK, PUBACK."""


_ALERTS = {
    "SSLV3_ALERT_CERTIFICATE_REVOKED": Reason.CERTIFICATE_REVOKED,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": Reason.CERTIFICATE_EXPIRED,
}
"""What a broker says of a box's certificate (RFC 8446 §6.2), in OpenSSL's words."""
_NOT_YET_VALID = 9
"""X509_V_ERR_CERT_NOT_YET_VALID (openssl/x509_vfy.h): the authority made it before now, so this
box's clock is behind. A certificate that is over may be either's fault."""


_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h); Python's ssl has no name for it."""


class MqttConnection:
    """An open, subscribed connection; made by ``open_connection``."""

    def __init__(self, client: "aiomqtt.Client", tls: "TlsContext") -> None:
        self._client = client
        self._tls = tls

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Hand a message to the broker; with ``qos`` 1, wait for its PUBACK. Raises Unavailable."""
        sending = self._client.publish(topic, payload, qos=qos, retain=retain)
        if qos == 0:
            with _mapped_exceptions(self._tls):
                await sending
        else:
            async with _answered(self._tls):
                await sending

    async def messages(self) -> AsyncIterator[Message]:
        """What arrives, until the connection is lost. Raises Unavailable."""
        with _mapped_exceptions(self._tls):
            async for message in self._client.messages:
                yield Message(message.topic.value, bytes(message.payload))


@asynccontextmanager
async def open_connection(
    address: BrokerAddress,
    files: BoxFiles,
    box: BoxId,
    will: bytes,
    central_now: datetime | None = None,
) -> AsyncIterator[MqttConnection]:
    """Connect as ``box`` and subscribe to all it may hear; ``will`` is retained on its status.

    Client id and username are the box's name, as its certificate says. The certificate is read
    for each connection: a renewed one serves the next. Where central has said the time,
    ``central_now``, that judges the broker's certificate. Raises Unavailable; Refused for a key
    that others may read, or that is sealed where its credential is not.
    """
    await asyncio.to_thread(import_module, "aiomqtt")  # no scan waits for a library
    import aiomqtt

    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # what it says comes as an exception too
    tls = await asyncio.to_thread(open_tls_context, files, central_now)
    with _mapped_exceptions(tls):
        client = aiomqtt.Client(
            address.host,
            address.port,
            identifier=str(box),
            username=str(box),
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            will=aiomqtt.Will(build_topic(box, STATUS), will, qos=1, retain=True),
            keepalive=_KEEPALIVE_SECONDS,
            timeout=_ANSWER_SECONDS,
            tls_context=tls,
            # paho leaves Nagle on: 88 ms a round trip instead of 1.4 (measurements.md)
            socket_options=[(IPPROTO_TCP, TCP_NODELAY, 1)],
        )
        try:
            async with _answered(tls, None) as tls.limit:
                await client.__aenter__()
        finally:
            tls.limit = None  # the library keeps a socket that was given up, and reads on from it
        client.timeout = _NO_TIMER
        try:
            _check_cancelled()
            topics = [build_topic(box, tail) for tail in BOX_HEARS]
            topics.extend(list_topics(box.site))
            async with _answered(tls):
                granted = await client.subscribe([(topic, 1) for topic in topics])
            _check_granted(granted)
            yield MqttConnection(client, tls)
        finally:
            async with _answered(tls):
                await client.__aexit__(None, None, None)


def _check_cancelled() -> None:
    """Raise the cancellation that came with CONNACK, and was lost."""
    if (task := asyncio.current_task()) is not None and task.cancelling():
        raise asyncio.CancelledError


def _check_granted(granted: "Iterable[int | ReasonCode]") -> None:
    """A box that the broker does not admit yet is connected, and deaf: that is not a line."""
    for code in granted:
        if not isinstance(code, int) and code.is_failure:
            raise Unavailable(Reason.NOT_ADMITTED, f"subscription refused: {code}")


class TlsContext(ssl.SSLContext):
    """Remembers why no session came about: the library tells nothing of what was wrong with the
    broker's own certificate, logs an alert of the broker's, and waits on where it hangs up."""

    refusal: Reason | None = None
    central_now: datetime | None = None
    limit: asyncio.Timeout | None = None
    """On the broker's answer, while it is waited for."""

    def hang_up(self) -> None:
        """No answer comes any more; called in the loop."""
        if self.limit is not None:
            self.limit.reschedule(asyncio.get_running_loop().time())
            self.limit = None


class _TlsSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            behind = error.verify_code == _NOT_YET_VALID
            self._refuse(Reason.CLOCK_WRONG if behind else Reason.BROKER_NOT_TRUSTED)
            raise
        self._judge_dates()

    def _judge_dates(self) -> None:
        """By central's own time, where OpenSSL was told not to look at ours."""
        context = self.context
        if not isinstance(context, TlsContext) or context.central_now is None:
            return
        at = context.central_now.timestamp()
        for certificate in (self.getpeercert() or {}, *context.get_ca_certs()):
            begin, end = (
                ssl.cert_time_to_seconds(str(certificate[key])) for key in ("notBefore", "notAfter")
            )
            if not begin <= at <= end:
                self._refuse(Reason.BROKER_NOT_TRUSTED)
                raise ssl.SSLCertVerificationError("certificate is out of date by central's time")

    def read(self, len: int = 1024, buffer: "Buffer | None" = None) -> Any:
        try:
            data = super().read(len, buffer)
        except ssl.SSLWantReadError:
            raise
        except OSError as error:
            if isinstance(error, ssl.SSLError) and error.reason in _ALERTS:
                self._refuse(_ALERTS[error.reason])
            self._hang_up()
            raise
        if not data:
            self._hang_up()
        return data

    def _refuse(self, reason: Reason) -> None:
        if isinstance(self.context, TlsContext):
            self.context.refusal = reason

    def _hang_up(self) -> None:
        if isinstance(self.context, TlsContext):
            self.context.hang_up()


def open_tls_context(files: BoxFiles, central_now: datetime | None = None) -> TlsContext:
    """How this box proves itself, and whom it believes; at ``central_now``, where central has said
    the time, whatever our own clock shows. Raises as ``open_connection``; blocks."""
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _TlsSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(files.ca)
        with _in_memory(read_secret(files.certificate)) as path:
            context.load_cert_chain(path)
    except OSError as error:  # ssl.SSLError is one
        raise Unavailable(Reason.CONFIG_MISSING, f"{files.directory}: {error}") from error
    if central_now is not None:
        context.central_now = central_now
        context.verify_flags |= _NO_CHECK_TIME
    return context


@contextmanager
def _in_memory(secret: bytes) -> Iterator[str]:
    """A path to what may not lie open on a disk: OpenSSL takes a key by its path alone. The file
    is this process's memory and has no name that outlives it, not even after a kill.
    """
    with os.fdopen(os.memfd_create("box.pem"), "wb") as file:
        file.write(secret)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


@asynccontextmanager
async def _answered(
    tls: TlsContext, seconds: float | None = _ANSWER_SECONDS
) -> AsyncIterator[asyncio.Timeout]:
    """A call that the broker answers. Raises Unavailable, also where it does not in time."""
    with _mapped_exceptions(tls):
        try:
            async with asyncio.timeout(seconds) as limit:
                yield limit
        except TimeoutError as error:
            raise Unavailable(tls.refusal or Reason.BROKER_UNAVAILABLE, "no answer") from error


@contextmanager
def _mapped_exceptions(tls: TlsContext) -> Iterator[None]:
    import aiomqtt

    try:
        yield
    except aiomqtt.MqttError as error:
        raise Unavailable(tls.refusal or Reason.BROKER_UNAVAILABLE, str(error)) from error
