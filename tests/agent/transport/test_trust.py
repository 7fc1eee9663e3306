"""A broker that the box does not believe, or that is of another time: said by its reason."""

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agent.config import BoxFiles, BrokerAddress
from agent.transport import mqtt
from agent.transport.mqtt import open_connection
from shared.config import write_secret
from shared.errors import Unavailable
from shared.ids import parse_box_id
from shared.reasons import Reason
from tests.agent.enrolment.peer import BOX, HOST, LIFE, Issued, new_authority, pem_of
from tests.agent.transport.conftest import PATIENCE_SECONDS

NOW = datetime.now(UTC)
YEARS = timedelta(days=3650)

Hear = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the broker hangs up, no answer is waited for."""
    monkeypatch.setattr(mqtt, "_ANSWER_SECONDS", math.inf)


def _identity(authority: Issued, name: str, begin: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue(name, key.public_key(), begin, begin + LIFE)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem_of(certificate).encode() + private


async def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def _broker(
    folder: Path, identity: bytes, hear: Hear = _hang_up
) -> AsyncIterator[BrokerAddress]:
    """Only its TLS: nobody here comes further."""
    path = folder / "server.pem"
    path.write_bytes(identity)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = await asyncio.start_server(hear, HOST, 0, ssl=context)
    async with server:
        yield BrokerAddress(HOST, server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("begin", "foreign", "reason"),
    [
        (NOW + LIFE, False, Reason.CLOCK_WRONG),
        (NOW - 2 * LIFE, False, Reason.BROKER_NOT_TRUSTED),
        (NOW - LIFE / 2, True, Reason.BROKER_NOT_TRUSTED),
    ],
    ids=["of the future", "over", "of another authority"],
)
async def test_why_a_broker_is_not_believed_is_told(
    tmp_path: Path, begin: datetime, foreign: bool, reason: Reason
) -> None:
    """A clock that is behind has words of its own: until it is set there is no line."""
    ours, other = (new_authority(NOW - YEARS, NOW + YEARS) for _ in "ab")
    files = BoxFiles(tmp_path)
    files.ca.write_text(ours.pem)
    write_secret(files.certificate, _identity(ours, BOX, NOW - LIFE / 2))
    identity = _identity(other if foreign else ours, HOST, begin)
    async with _broker(tmp_path, identity) as address, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Unavailable) as caught:
            async with open_connection(address, files, parse_box_id(BOX), b""):
                pass
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("begin", "central_now", "foreign", "reason"),
    [
        (NOW + LIFE, NOW + LIFE * 1.5, False, Reason.BROKER_UNAVAILABLE),
        (NOW - 2 * LIFE, NOW - LIFE * 1.5, False, Reason.BROKER_UNAVAILABLE),
        (NOW - LIFE / 2, NOW + LIFE, False, Reason.BROKER_NOT_TRUSTED),
        (NOW - LIFE / 2, NOW - LIFE, False, Reason.BROKER_NOT_TRUSTED),
        (NOW - LIFE / 2, NOW - 2 * YEARS, False, Reason.BROKER_NOT_TRUSTED),
        (NOW - LIFE / 2, NOW, True, Reason.BROKER_NOT_TRUSTED),
    ],
    ids=["behind", "ahead", "over", "of the future", "no authority yet", "of another authority"],
)
async def test_where_central_has_said_the_time_dates_are_judged_by_it(
    tmp_path: Path, begin: datetime, central_now: datetime, foreign: bool, reason: Reason
) -> None:
    """Whatever this machine's clock shows; all else is checked as ever. A broker that is believed
    hangs up here, as one that is away would."""
    ours, other = (new_authority(NOW - YEARS, NOW + YEARS) for _ in "ab")
    files = BoxFiles(tmp_path)
    files.ca.write_text(ours.pem)
    write_secret(files.certificate, _identity(ours, BOX, NOW - LIFE / 2))
    identity = _identity(other if foreign else ours, HOST, begin)
    async with _broker(tmp_path, identity) as address, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Unavailable) as caught:
            async with open_connection(address, files, parse_box_id(BOX), b"", central_now):
                pass
    assert caught.value.reason is reason


async def test_a_broker_that_ends_a_session_which_was_given_up_is_heard_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is read, and closed: not read again in each turn of the loop, while people wait."""
    ours = new_authority(NOW - YEARS, NOW + YEARS)
    files = BoxFiles(tmp_path)
    files.ca.write_text(ours.pem)
    write_secret(files.certificate, _identity(ours, BOX, NOW - LIFE / 2))
    asked, closed, reads = asyncio.Event(), asyncio.Event(), 0
    writers: list[asyncio.StreamWriter] = []

    class Watched(mqtt._TlsSocket):
        def read(self, len: int = 1024, buffer: Any = None) -> Any:
            nonlocal reads
            reads += 1
            return super().read(len, buffer)

        def close(self) -> None:
            closed.set()
            super().close()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(1)
        asked.set()

    monkeypatch.setattr(mqtt, "_TlsSocket", Watched)
    async with _broker(tmp_path, _identity(ours, HOST, NOW - LIFE / 2), hear) as address:
        line = open_connection(address, files, parse_box_id(BOX), b"")
        opening = asyncio.create_task(line.__aenter__())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asked.wait()
            opening.cancel()
            await asyncio.wait((opening,))
            reads = 0
            writers[0].transport.abort()
            await closed.wait()
    assert reads <= 3  # TLS itself may have had something to say before
