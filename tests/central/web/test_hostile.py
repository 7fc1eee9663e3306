"""What strangers, other sites' pages and broken clients try: refused, the others unharmed."""

import asyncio
import logging
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from central.storage.reader import Reader
from central.users.principal import Session
from central.users.roles import Role
from central.web import endpoint, server
from central.web.app import Site
from shared.clock import SystemClock
from shared.errors import Unavailable
from tests.central.web.seeding import World
from tests.central.web.serving import TOKEN, Served, principal, serve_web

BEARER = f"Authorization: Bearer {TOKEN}"
CSRF = "csrf-of-this-session"


async def send(served: Served, *lines: str, body: bytes = b"", wait: bool = True) -> bytes:
    """What is answered to raw bytes until the connection ends."""
    at = urlsplit(served.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write("\r\n".join((*lines, "", "")).encode("latin-1") + body)
    answer = await reader.read() if wait else b""
    writer.close()
    return answer


def add_session(served: Served, role: Role = Role.OPERATIONS) -> None:
    """A browser that is signed in."""
    ends_at = SystemClock().now() + timedelta(hours=1)
    served.users.sessions["secret"] = Session(principal(role), CSRF, "zh", (), ends_at)


async def still_serves(served: Served, world: World) -> bool:
    """Whether an ordinary read is answered."""
    async with served.client.get(f"/api/v1/cards/{world.cards[0]}") as response:
        return response.status == 200


@pytest.mark.parametrize(
    "lines",
    [
        ("GET /healthz HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 5", "Content-Length: 6"),
        (
            "POST /api/v1/persons/search HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
        ),
        ("GET /healthz HTTP/1.1", "Host: 127.0.0.1", "X: a\x00b"),
        ("GET /healthz HTTP/1.1", "Host: 127.0.0.1", " folded: yes"),
        ("GET /healthz HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding : chunked"),
        ("GET /healthz HTTP/9.9", "Host: 127.0.0.1"),
        ("nonsense",),
        ("GET /healthz HTTP/1.1", "Host: 127.0.0.1", "X: " + "a" * 20_000),
        ("GET /healthz HTTP/1.1", *(f"X-{number}: a" for number in range(500))),
    ],
    ids=["lengths", "both", "nul", "folded", "space", "version", "nonsense", "long", "many"],
)
async def test_smuggled_and_broken_heads(
    served: Served, world: World, lines: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """No second request hides in a first; nothing of the bytes is logged; the next is served."""
    with caplog.at_level(logging.DEBUG):
        async with asyncio.timeout(5):
            answer = await send(served, *lines)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 403"))
    assert answer.count(b"HTTP/1.") == 1
    assert b"Traceback" not in answer
    assert "Traceback" not in caplog.text
    assert await still_serves(served, world)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fcentral.toml",
        "/static/%2e%2e/%2e%2e/config.py",
        "/api/v1/cards/%00",
        "/api/v1/sites/%00",
        "/api/v1/sites/a%0a",
        "/api/v1/sites/a%2Fb",
        "/api/v1/cards/" + "a" * 5_000,
        "//evil.example/",
    ],
)
async def test_paths_lead_nowhere_else(tmp_path: Path, world: World, path: str) -> None:
    """Traversal, NUL, line ends and encoded slashes: not found or malformed, never a file."""
    folder = tmp_path / "shown"
    folder.mkdir()
    (folder / "style.css").write_text("body{}")

    def add_pages(site: Site) -> None:
        site.routes.add_static("/static", folder)

    async with serve_web(tmp_path / "centre", add_pages) as served:
        lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", BEARER, "Connection: close")
        answer = await send(served, *lines)
        assert answer.split()[1] in {b"404", b"422", b"400"}, answer
        assert b"passphrase" not in answer
        async with served.client.get("/static/style.css") as response:
            assert await response.text() == "body{}"


async def test_a_body_of_ten_megabytes(served: Served, world: World) -> None:
    """It is not read to its end; others are served meanwhile."""
    for body in (b'{"text":"' + b"a" * 10_000_000 + b'"}',):
        async with served.client.post(
            "/api/v1/persons/search", data=body, headers={"Content-Type": "application/json"}
        ) as response:
            problem = await response.json(content_type=None)
            assert (response.status, problem["reason"]) == (413, "body-too-large")
    assert await still_serves(served, world)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[" * 60_000, "application/json", 422),
        (b'{"text":' * 7_000 + b"1" + b"}" * 7_000, "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b'{"text":"\\ud800"}', "application/json", 422),
        (b'{"text":"a\\u0000b"}', "application/json", 422),
        (b'{"text":NaN}', "application/json", 422),
        (b"", "application/json", 422),
        (b'{"text":"a","more":1}', "application/json", 422),
        (b"text=a", "application/x-www-form-urlencoded", 415),
        (b'{"text":"a"}', "text/plain", 415),
    ],
)
async def test_bodies_that_are_none(
    served: Served, world: World, body: bytes, kind: str, status: int
) -> None:
    """Deep, cut, foreign or smuggling JSON is refused with a reason, and repeats nothing."""
    async with served.client.post(
        "/api/v1/persons/search", data=body, headers={"Content-Type": kind}
    ) as response:
        assert response.status == status
        problem = await response.json(content_type=None)
        assert problem["reason"] == "request-malformed"
    assert await still_serves(served, world)


async def test_compressed_bodies_are_not_opened(served: Served) -> None:
    """A bomb in a few bytes stays shut."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with served.client.post(
        "/api/v1/persons/search", data=b"\x1f\x8b" + bytes(50), headers=headers
    ) as response:
        assert response.status == 415


async def test_slow_bodies_are_given_up(
    served: Served, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that does not come is answered 408, others meanwhile as ever."""
    monkeypatch.setattr(endpoint, "BODY_SECONDS", 0.2)
    lines = (
        "POST /api/v1/persons/search HTTP/1.1",
        "Host: 127.0.0.1",
        BEARER,
        "Content-Type: application/json",
        "Content-Length: 100",
    )
    slow = [asyncio.create_task(send(served, *lines, body=b"{")) for _ in range(50)]
    assert await still_serves(served, world)
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*slow)
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"request-slow" in answer


async def test_slow_heads_are_cut(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow loris: connections that never finish their head are closed, however they drip."""
    monkeypatch.setattr(server, "_IDLE_SECONDS", 0.3)
    async with serve_web(tmp_path / "centre") as served:
        lines = ("GET /healthz HTTP/1.1", "Host: 127.0.0.1")
        at = urlsplit(served.url)
        cut = []
        for _ in range(50):
            reader, writer = await asyncio.open_connection(at.hostname, at.port)
            writer.write("\r\n".join(lines).encode())
            cut.append(reader)
        assert await still_serves(served, world)
        for reader in cut:
            async with asyncio.timeout(10):
                assert await reader.read() == b""


async def test_foreign_hosts_and_origins(served: Served, world: World) -> None:
    """A rebound name is refused; so is any change that another site's page asks for."""
    card = f"/api/v1/cards/{world.cards[0]}"
    headers: dict[str, str]
    for headers in ({"Host": "evil.example"}, {"Host": ""}):
        async with served.client.get(card, headers=headers) as response:
            assert response.status == 403
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        async with served.client.post(
            f"{card}/suspend", json={"why": "lost"}, headers=headers
        ) as response:
            problem = await response.json(content_type=None)
            assert (response.status, problem["reason"]) == (403, "request-not-allowed")
    async with served.client.get(card) as response:
        assert (await response.json())["state"] == "active"


async def test_a_browser_cannot_be_made_to_ask(served: Served, world: World) -> None:
    """With a cookie alone nothing changes: the session's own token has to come in a header."""
    add_session(served)
    card = f"/api/v1/cards/{world.cards[0]}"
    read = (f"GET {card} HTTP/1.1", "Host: 127.0.0.1", "Cookie: onecode=secret")
    assert (await send(served, *read, "Connection: close")).startswith(b"HTTP/1.1 200")
    for token, status in (("", 403), ("wrong", 403), ("\xff", 403), (CSRF, 200)):
        lines = (
            f"POST {card}/suspend HTTP/1.1",
            "Host: 127.0.0.1",
            "Cookie: onecode=secret",
            f"X-CSRF-Token: {token}",
            "Content-Type: application/json",
            "Content-Length: 14",
            "Connection: close",
        )
        answer = await send(served, *lines, body=b'{"why":"lost"}')
        assert answer.split()[1] == str(status).encode(), answer


async def test_strange_credentials(served: Served, world: World) -> None:
    """Unknown, long, binary or unnamed credentials: 401, and how to sign in."""
    card = f"/api/v1/cards/{world.cards[0]}"
    for value in ("", "Bearer", "Bearer ", "Basic x", "Bearer " + "a" * 5_000, "Bearer \xff\xfe"):
        lines = (f"GET {card} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {value}")
        answer = await send(served, *lines, "Connection: close")
        assert answer.startswith(b"HTTP/1.1 401"), value
        assert b"WWW-Authenticate: Bearer" in answer


async def test_too_many_requests(tmp_path: Path, world: World) -> None:
    """A token's bucket ends at 429 with the seconds to wait; another token goes on."""
    config = tmp_path / "centre/central.toml"
    config.write_text(
        config.read_text().replace("rate = 1e9\nburst = 1e9", "rate = 0.5\nburst = 5")
    )
    async with serve_web(tmp_path / "centre") as served:
        served.users.tokens["oc_other"] = principal(name="01a20000-0000-7000-8000-000000000002")
        card, statuses = f"/api/v1/cards/{world.cards[0]}", []
        for _ in range(7):
            async with served.client.get(card) as response:
                statuses.append(response.status)
        assert statuses[:5] == [200] * 5
        assert statuses[-1] == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 5
        async with served.client.get(card, headers={"Authorization": "Bearer oc_other"}) as other:
            assert other.status == 200


async def test_one_address_cannot_take_all(tmp_path: Path, world: World) -> None:
    """Strangers without any token are limited by their address."""
    config = tmp_path / "centre/central.toml"
    text = config.read_text().replace("address_rate = 1e9", "address_rate = 0.5")
    config.write_text(text.replace("address_burst = 1e9", "address_burst = 5"))
    async with serve_web(tmp_path / "centre") as served:
        statuses = []
        for _ in range(7):
            async with served.client.get("/healthz") as response:
                statuses.append(response.status)
        assert statuses[-1] == 429


async def test_behind_a_proxy_addresses_are_told_apart(tmp_path: Path, world: World) -> None:
    """One neighbour's flood is not another's; what a visitor writes into the header is not
    believed, and from whoever is no proxy none of it."""
    config = tmp_path / "centre/central.toml"
    limits = 'address_rate = 0.01\naddress_burst = 3\nproxies = ["127.0.0.1"]'
    text = config.read_text().replace("address_rate = 1e9\naddress_burst = 1e9", limits)
    config.write_text(text)
    async with serve_web(tmp_path / "centre") as served:

        async def ask(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            async with served.client.get("/api/openapi.json", headers=headers) as response:
                return response.status

        assert [await ask("203.0.113.7") for _ in range(4)] == [200] * 3 + [429]
        assert await ask("198.51.100.1, 203.0.113.7") == 429
        assert await ask("203.0.113.7, 198.51.100.1") == 200
        assert await ask("203.0.113.7, 198.51.100.1, 127.0.0.1") == 200
    config.write_text(text.replace('proxies = ["127.0.0.1"]', ""))
    async with serve_web(tmp_path / "centre") as served:
        statuses = [await ask(f"203.0.113.{number}") for number in range(4)]
        assert statuses == [200] * 3 + [429]


async def test_a_bug_ends_its_request_alone(
    tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """500 with the request's id and no trace; the trace with that id in the log; the rest lives."""

    async def stumble(_: web.Request) -> web.Response:
        raise ZeroDivisionError("a secret of the inside")

    def add_pages(site: Site) -> None:
        site.routes.add_page("GET", "/stumble", stumble, public=True)

    async with serve_web(tmp_path / "centre", add_pages) as served:
        headers = {"X-Request-Id": "request-0001"}
        async with served.client.get("/stumble", headers=headers) as response:
            text = await response.text()
            assert response.status == 500
            assert response.headers["X-Request-Id"] == "request-0001"
        assert "request-0001" in text
        assert "secret" not in text
        assert "Traceback" not in text
        (record,) = (each for each in caplog.records if each.exc_info)
        assert record.levelno == logging.ERROR
        assert "request-0001" in record.getMessage()
        assert await still_serves(served, world)


async def test_answers_carry_what_browsers_must_know(tmp_path: Path, world: World) -> None:
    """No inline script anywhere, no sniffing, framed by nobody or by whom the file names."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<p>", content_type="text/html")

    def add_pages(site: Site) -> None:
        site.routes.add_page("GET", "/page", page, public=True)

    config = tmp_path / "centre/central.toml"
    names = 'frame_ancestors = ["http://127.0.0.1:9999"]'
    config.write_text(config.read_text().replace("[web]\n", f"[web]\n{names}\n"))
    async with serve_web(tmp_path / "centre", add_pages) as served:
        for path in ("/page", "/api/openapi.json", "/nowhere", "/api/v1/boxes"):
            async with served.client.get(path) as response:
                headers = response.headers
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert "unsafe-inline" not in headers["Content-Security-Policy"]
                assert "aiohttp" not in headers["Server"]
                assert headers["X-Request-Id"]
        async with served.client.get("/page") as response:
            policy = response.headers["Content-Security-Policy"]
            assert policy.endswith("frame-ancestors http://127.0.0.1:9999")


async def test_health_says_yes_or_no(served: Served) -> None:
    """Alive as long as it answers; ready with the broker and a database that can be written."""
    headers = {"Authorization": "Bearer nobody"}
    for path, connected, status in (
        ("/healthz", False, 200),
        ("/readyz", False, 503),
        ("/readyz", True, 200),
    ):
        served.connected[0] = connected
        async with served.client.get(path, headers=headers) as response:
            assert response.status == status
            assert len(await response.read()) < 30


async def test_reading_cannot_write(served: Served) -> None:
    """The loop's and the reader's connections refuse every write."""
    database, statement = served.central.database, "DELETE FROM person_phone"
    with pytest.raises(Unavailable):
        database.execute(statement)
    async with Reader(database) as reader:
        with pytest.raises(Unavailable):
            await reader.run(partial(database.execute, statement))
