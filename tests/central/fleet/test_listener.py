"""The boxes' listener on a real socket: TLS, answers, refusals, and how long one may hold it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from central.fleet import listener
from central.fleet.certificates import new_key, read_facts
from central.fleet.listener import MOST_BODY_BYTES, BoxDesk, open_box_listener
from central.storage.writer import Writer
from shared.clock import SystemClock, to_microseconds
from shared.crypto import STD
from shared.errors import Unavailable
from shared.joining import (
    CentreAnswer,
    JoinAnswer,
    RenewAnswer,
    TimeAnswer,
    parse_invite,
    time_bytes,
)
from shared.reasons import Reason
from tests.central.fleet.house import BOX, House
from tests.central.fleet.machine import Machine


def now() -> datetime:
    return datetime.now(UTC)


class Visitor:
    """A client that believes the authority of the invite, and no other."""

    def __init__(self, house: House, port: int, session: aiohttp.ClientSession) -> None:
        self.house = house
        self.port = port
        self.session = session
        self.context = ssl.create_default_context(cafile=house.central.files.box_ca)

    async def ask(
        self, method: str, path: str, body: bytes = b"", **more: Any
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        url = f"https://localhost:{self.port}{path}"
        request = self.session.request(method, url, data=body, ssl=self.context, **more)
        async with request as response:
            return response.status, await response.read()

    async def reason(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        """Status and reason of a refusal, which is a problem in both languages."""
        status, answer = await self.ask(method, path, body)
        problem = msgspec.json.decode(answer)
        assert problem["status"] == status
        assert problem["title_zh"]
        assert "Traceback" not in answer.decode()
        return status, problem["reason"]


@pytest.fixture
async def visitor(house: House) -> AsyncIterator[Visitor]:
    central, clock = house.central, SystemClock()
    async with Writer(central.database) as writer:
        desk = BoxDesk(house.joins, house.renewals, lambda: None, writer, clock)
        async with (
            open_box_listener(desk, clock, central.config.web, central.files) as port,
            aiohttp.ClientSession() as session,
        ):
            yield Visitor(house, port, session)


async def test_a_machine_joins_learns_the_time_and_renews(visitor: Visitor) -> None:
    """The whole road over TLS, each answer as ``shared.joining`` says."""
    house = visitor.house
    status, body = await visitor.ask("GET", "/box/v1/centre")
    centre = msgspec.json.decode(body, type=CentreAnswer)
    text = house.invite(at=now()).text
    assert status == 200
    assert read_facts(centre.ca.encode()).fingerprint == parse_invite(text).ca_fingerprint
    machine = Machine(centre.central_public)
    status, body = await visitor.ask(
        "POST", "/box/v1/join", msgspec.json.encode(machine.join_request(text))
    )
    joined = msgspec.json.decode(body, type=JoinAnswer)
    assert (status, joined.box) == (200, str(BOX))
    status, body = await visitor.ask("GET", f"/box/v1/time?nonce={'ab' * 16}")
    time = msgspec.json.decode(body, type=TimeAnswer)
    key = STD.verify_key(centre.announcements)
    key.verify(time.signature, time_bytes(b"\xab" * 16, time.central_at))
    request = machine.renew_request(joined.box, joined.certificate, new_key(), time.central_at)
    status, body = await visitor.ask("POST", "/box/v1/renew", msgspec.json.encode(request))
    assert status == 200
    assert msgspec.json.decode(body, type=RenewAnswer).certificate != joined.certificate


async def test_refusals_are_problems_and_are_audited(visitor: Visitor) -> None:
    """A used invite and a wrong proof stand in the audit; a guessed invite fills no table."""
    house = visitor.house
    text, machine = house.invite(at=now()).text, house.machine()
    joined = house.join(machine.join_request(text), now())
    again = msgspec.json.encode(house.machine().join_request(text))
    assert await visitor.reason("POST", "/box/v1/join", again) == (409, Reason.INVITE_USED)
    assert house.acts()[-1] == "box.join-refused"
    guess = msgspec.structs.replace(house.machine().join_request(text), secret=bytes(16))
    refused = await visitor.reason("POST", "/box/v1/join", msgspec.json.encode(guess))
    assert refused == (409, Reason.INVITE_UNKNOWN)
    assert house.acts()[-1] == "box.join-refused"
    assert house.acts().count("box.join-refused") == 1
    thief = house.machine().renew_request(
        joined.box, joined.certificate, new_key(), to_microseconds(now())
    )
    refused = await visitor.reason("POST", "/box/v1/renew", msgspec.json.encode(thief))
    assert refused == (409, Reason.PROOF_WRONG)
    assert house.acts()[-1] == "certificate.refused"


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        ("GET", "/", b"", Reason.NOT_FOUND),
        ("GET", "/box/v1/../../etc/passwd", b"", Reason.NOT_FOUND),
        ("GET", "/box/v1/join", b"", Reason.REQUEST_MALFORMED),
        ("POST", "/box/v1/join", b"", Reason.REQUEST_MALFORMED),
        ("POST", "/box/v1/join", b"{}", Reason.REQUEST_MALFORMED),
        ("POST", "/box/v1/join", b"[" * 60_000, Reason.REQUEST_MALFORMED),
        ("POST", "/box/v1/join", b"\xff\x00", Reason.REQUEST_MALFORMED),
        ("POST", "/box/v1/renew", b"null", Reason.REQUEST_MALFORMED),
        ("POST", "/box/v1/join", b"x" * (MOST_BODY_BYTES + 1), Reason.BODY_TOO_LARGE),
        ("GET", "/box/v1/time", b"", Reason.REQUEST_MALFORMED),
        ("GET", "/box/v1/time?nonce=zz", b"", Reason.REQUEST_MALFORMED),
        ("GET", "/box/v1/time?nonce=ab", b"", Reason.REQUEST_MALFORMED),
    ],
)
async def test_what_is_no_request_of_ours(
    visitor: Visitor, method: str, path: str, body: bytes, reason: Reason
) -> None:
    """Other paths and methods, rubbish, too much: refused in words, without a trace."""
    _, refused = await visitor.reason(method, path, body)
    assert refused == reason


async def test_one_address_may_not_ask_for_ever(visitor: Visitor) -> None:
    """A burst is answered, a flood refused."""
    seen = [(await visitor.ask("GET", "/box/v1/centre"))[0] for _ in range(70)]
    assert seen[:50] == [200] * 50
    assert seen[-1] == 429
    assert (await visitor.reason("GET", "/box/v1/centre"))[1] == Reason.TOO_MANY_REQUESTS


async def test_slow_requests_are_given_up_and_hold_nobody(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that never ends is answered 408; others are answered meanwhile."""
    monkeypatch.setattr(listener, "_REQUEST_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection(
        "localhost", visitor.port, ssl=visitor.context, server_hostname="localhost"
    )
    head = b"POST /box/v1/join HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
    writer.write(head)
    await writer.drain()
    assert (await visitor.ask("GET", "/box/v1/centre"))[0] == 200
    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"\r\n")
    assert b"408" in answer
    writer.close()


async def test_a_head_that_never_ends_is_cut(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends a byte now and then, or never shakes hands, is closed when the time is over."""
    monkeypatch.setattr(listener, "_HEAD_SECONDS", 0.3)
    central, clock = house.central, SystemClock()
    async with Writer(central.database) as writer:
        desk = BoxDesk(house.joins, house.renewals, lambda: None, writer, clock)
        async with open_box_listener(desk, clock, central.config.web, central.files) as port:
            context = ssl.create_default_context(cafile=central.files.box_ca)
            reader, sender = await asyncio.open_connection("localhost", port, ssl=context)
            sender.write(b"GET /box/v1/centre HTTP/1.1\r\nX-Slow: ")
            await sender.drain()
            silent, _ = await asyncio.open_connection("localhost", port)
            async with asyncio.timeout(10):
                assert await reader.read() == b""
                assert await silent.read() == b""


async def test_only_tls_and_only_our_authority(visitor: Visitor, tmp_path: Path) -> None:
    """Plain HTTP and TLS 1.1 open nothing; a client of another authority does not believe us."""
    reader, writer = await asyncio.open_connection("localhost", visitor.port)
    writer.write(b"GET /box/v1/centre HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(10):
        assert b"200" not in await reader.read()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(visitor.house.central.files.box_ca)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        await asyncio.open_connection("localhost", visitor.port, ssl=old)
    foreign = ssl.create_default_context(cafile=visitor.house.central.files.central_ca)
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("localhost", visitor.port, ssl=foreign)


async def test_a_busy_port_is_named(visitor: Visitor) -> None:
    """PORT_BUSY, and the listener that is there goes on."""
    house, clock = visitor.house, SystemClock()
    web = msgspec.structs.replace(house.central.config.web, box_port=visitor.port)
    async with Writer(house.central.database) as writer:
        desk = BoxDesk(house.joins, house.renewals, lambda: None, writer, clock)
        with pytest.raises(Unavailable) as caught:
            async with open_box_listener(desk, clock, web, house.central.files):
                pass
    assert caught.value.reason is Reason.PORT_BUSY
