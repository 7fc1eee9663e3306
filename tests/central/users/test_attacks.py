"""Attacks on sign-in, sessions and tokens over HTTP, against a whole centre."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from yarl import URL

from central.users.roles import Permission, Role
from central.users.tokens import NewToken
from central.users.user import UserState
from central.web import visitors
from central.web.security import SESSION_COOKIE
from shared.errors import Malformed
from tests.central.users.conftest import ACTOR, PASSWORD
from tests.central.users.served import SITES, Served, serve

WHO = "/api/v1/self"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as served:
        yield served


async def status(client: aiohttp.ClientSession, path: str = WHO) -> int:
    async with client.get(path) as answer:
        await answer.read()
        return answer.status


def count(served: Served, statement: str) -> int:
    return int(served.central.database.execute(statement).fetchone()[0])


async def test_a_session_that_was_planted_stays_nobodys(served: Served) -> None:
    """Fixation: whatever cookie a browser brings, signing in gives it a secret of its own."""
    await served.add("bob", Role.OPERATIONS)
    planted = "planted-by-somebody-else-000000000000000000"
    async with served.browser() as browser:
        browser.cookie_jar.update_cookies({SESSION_COOKIE: planted}, URL(served.url))
        assert await status(browser) == 401
        assert await served.try_form(browser, "bob", PASSWORD) == 303
        cookies = browser.cookie_jar.filter_cookies(URL(served.url))
        assert cookies[SESSION_COOKIE].value != planted
        assert await status(browser) == 200
    async with served.browser() as attacker:
        attacker.cookie_jar.update_cookies({SESSION_COOKIE: planted}, URL(served.url))
        assert await status(attacker) == 401


async def test_the_cookie_is_out_of_reach(served: Served) -> None:
    """Of scripts and of other sites."""
    await served.add("bob", Role.OPERATIONS)
    async with (
        served.browser() as browser,
        browser.post(
            "/console/sign-in",
            data={"name": "bob", "password": PASSWORD},
            headers={"Origin": served.url},
            allow_redirects=False,
        ) as answer,
    ):
        cookie = answer.cookies[SESSION_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert not cookie["max-age"]


@pytest.mark.parametrize("forged", ["none", "wrong", "another session's", "foreign origin"])
async def test_a_forged_request_changes_nothing(served: Served, forged: str) -> None:
    """CSRF: a browser's change carries its own session's token, from our own origin."""
    chief = await served.add("chief", Role.SECURITY_ADMIN)
    signed_in, other = await served.sign_in(chief), await served.sign_in(chief)
    headers = {
        "none": {},
        "wrong": {"X-CSRF-Token": "0" * 64},
        "another session's": {"X-CSRF-Token": other.session.csrf},
        "foreign origin": {
            "X-CSRF-Token": signed_in.session.csrf,
            "Origin": "https://evil.example",
        },
    }[forged]
    new = {"login": "eve", "name": "某人", "role": "operations"}
    async with served.browser(signed_in) as browser:
        async with browser.post("/api/v1/users", json=new, headers=headers) as answer:
            assert answer.status == 403
        good = {"X-CSRF-Token": signed_in.session.csrf, "Origin": served.url}
        assert count(served, "SELECT count(*) FROM user") == 1
        async with browser.post("/api/v1/users", json=new, headers=good) as answer:
            assert answer.status == 201


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (FORM, b"name=\xff\xfe&password=x"),
        (FORM, b"&".join(b"name=x" for _ in range(1000))),
        ("text/plain", b"name=x&password=y"),
        ("multipart/form-data", b"name=x"),
        ("multipart/form-data; boundary=x", b"--x\r\nno head\r\n\r\nx\r\n--x--\r\n"),
    ],
)
async def test_a_form_that_is_none(served: Served, form: str, body: bytes) -> None:
    """Refused for its form, and no bug of ours."""
    headers = {"Origin": served.url, "Content-Type": form}
    async with (
        served.browser() as browser,
        browser.post("/console/sign-in", data=body, headers=headers) as answer,
    ):
        assert answer.status == 422


async def test_a_form_that_does_not_come(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds its connection for seconds, not for ever."""
    monkeypatch.setattr(visitors, "FORM_SECONDS", 0.2)
    at = urlsplit(served.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    head = (
        "POST /console/sign-in HTTP/1.1",
        f"Host: {at.netloc}",
        f"Content-Type: {FORM}",
        "Content-Length: 100",
    )
    writer.write("\r\n".join((*head, "", "name=")).encode())
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_ten_thousand_tries_at_the_form(served: Served) -> None:
    """Refused and counted, not listed; others sign in and work meanwhile, from the same address
    too, and the boxes' side of the writer is not kept busy by it."""
    await served.add("victim", Role.OPERATIONS)
    await served.add("other", Role.OPERATIONS)
    token = await served.issue(NewToken("HIS"))
    statuses = []
    async with served.browser() as attacker, served.machine(token) as machine:
        for number in range(10_000):
            statuses.append(await served.try_form(attacker, "victim", f"guess {number}"))
            if number % 2_500 == 0:
                async with served.browser() as browser:
                    assert await served.try_form(browser, "other", PASSWORD) == 303
                    assert await status(browser) == 200
                assert await status(machine) == 200
    assert statuses.count(401) == 5
    assert statuses.count(429) == 9_995
    assert count(served, "SELECT count(*) FROM audit_row WHERE act LIKE 'user.sign-in-%'") < 20
    assert count(served, "SELECT count(*) FROM sign_in_guard") <= 2


async def test_a_token_does_what_its_scopes_say(served: Served) -> None:
    """And nothing else, whatever its role might."""
    token = await served.issue(NewToken("HIS", scopes=frozenset({Permission.CARDS_READ})))
    async with served.machine(token) as machine:
        assert await status(machine, "/api/v1/scans") == 403
        assert await status(machine, "/api/v1/users") == 403
        assert await status(machine, WHO) == 403
        assert await status(machine, "/api/v1/cards/0197b0f0-0000-7000-8000-000000000000") == 404


async def test_no_machine_sees_a_person_in_clear(served: Served) -> None:
    """Whatever its role: it cannot be asked why. Nobody issues such a token, either."""
    token = await served.issue(NewToken("report", Role.OPERATIONS))
    unmask = "/api/v1/persons/0197b0f0-0000-7000-8000-000000000000/unmask"
    async with (
        served.machine(token) as machine,
        machine.post(unmask, json={"why": "treatment"}) as answer,
    ):
        assert answer.status == 403
    scopes = frozenset({Permission.PERSONS_UNMASK})
    with pytest.raises(Malformed):
        await served.issue(NewToken("report", Role.OPERATIONS, scopes=scopes))


async def test_a_token_that_is_over_or_made_up(served: Served) -> None:
    """Opens nothing: expired, revoked, unknown, or in the wrong place."""
    token = await served.issue(NewToken("HIS", days=1))
    async with served.machine(token) as machine:
        assert await status(machine) == 200
    revoked = await served.issue(NewToken("lost"))
    (entry,) = [each for each in served.central.users.tokens.list() if each.name == "lost"]
    async with served.machine(revoked) as machine:
        assert await status(machine) == 200
        users = served.central.users
        revoke = partial(users.tokens.revoke, entry.id, served.clock.now(), ACTOR)
        await served.writer.run(revoke)
        assert await status(machine) == 401
    for text in ("oc_" + "0" * 43, "", "oc_' OR 1=1 --", "x" * 4_000):
        async with served.machine(text) as machine:
            assert await status(machine) == 401
    async with aiohttp.ClientSession(served.url) as nobody:
        assert await status(nobody) == 401
        assert await status(nobody, f"{WHO}?token={token}") == 401


@pytest.mark.parametrize("change", ["disabled", "moved", "password", "signed out"])
async def test_a_session_ends_with_its_reason(served: Served, change: str) -> None:
    """At once, though the web remembers who asked a moment ago."""
    bob = await served.add("bob", Role.OPERATIONS)
    users, at = served.central.users, served.clock.now()
    changes = {
        "disabled": lambda: users.set_state(bob.id, UserState.DISABLED, at, ACTOR),
        "moved": lambda: users.change(bob.id, Role.CLERK, "site1", at, ACTOR),
        "password": lambda: users.reset_password(bob.id, "x", at, ACTOR),
        "signed out": lambda: users.sessions.end_all(bob.id),
    }
    async with served.browser(await served.sign_in(bob)) as browser:
        assert await status(browser) == 200
        await served.writer.run(changes[change])
        assert await status(browser) == 401


async def test_another_sites_users_are_not_there(served: Served) -> None:
    """A site's own token sees its own site; another's things are absent, not refused."""
    scopes = frozenset({Permission.BOXES_READ, Permission.INSTITUTIONS_READ})
    new = NewToken("HIS", Role.SITE_OPERATOR, SITES[0], scopes)
    async with served.machine(await served.issue(new)) as machine:
        async with machine.get("/api/v1/sites") as answer:
            shown = json.dumps(await answer.json())
        assert answer.status == 200
        assert SITES[0] in shown
        assert SITES[1] not in shown
        assert await status(machine, f"/api/v1/sites/{SITES[0]}") == 200
        assert await status(machine, f"/api/v1/sites/{SITES[1]}") == 404


async def test_administrators_keep_to_their_own(served: Served) -> None:
    """Over HTTP as in the table: each sees its own part, none another's, nobody a patient."""
    paths = {
        Role.SECURITY_ADMIN: "/api/v1/users",
        Role.AUDIT_ADMIN: "/api/v1/audit",
        Role.SYSTEM_ADMIN: "/api/v1/boxes",
    }
    for role in paths:
        user = await served.add(role.value, role)
        async with served.browser(await served.sign_in(user)) as browser:
            for other, path in paths.items():
                assert await status(browser, path) == (200 if other is role else 403)
            assert await status(browser, "/api/v1/scans") == 403


async def test_over_the_api_nobody_becomes_an_administrator(served: Served) -> None:
    """Not oneself, not another, not as a machine."""
    chief = await served.add("chief", Role.SECURITY_ADMIN)
    bob = await served.add("bob", Role.OPERATIONS)
    system = await served.add("system", Role.SYSTEM_ADMIN)
    signed_in = await served.sign_in(chief)
    tries = (
        ("PUT", f"/users/{chief.id}/place", {"role": "operations"}, 403),
        ("PUT", f"/users/{bob.id}/place", {"role": "security-admin"}, 422),
        ("PUT", f"/users/{system.id}/place", {"role": "operations"}, 403),
        ("POST", "/users", {"login": "eve", "name": "某人", "role": "system-admin"}, 422),
        ("POST", "/tokens", {"name": "x", "role": "audit-admin"}, 422),
        ("POST", "/tokens", {"name": "x", "scopes": ["audit:read"]}, 409),
        ("POST", f"/users/{system.id}/password", None, 403),
        ("POST", f"/users/{system.id}/second-factor/reset", None, 403),
        ("POST", f"/users/{chief.id}/disable", None, 403),
    )
    headers = {"X-CSRF-Token": signed_in.session.csrf}
    async with served.browser(signed_in) as browser:
        for method, path, body, expected in tries:
            async with browser.request(
                method, f"/api/v1{path}", json=body, headers=headers
            ) as answer:
                assert answer.status == expected, (method, path, await answer.text())


async def test_the_audit_cannot_be_written(served: Served) -> None:
    """The act is refused and nothing of it is kept; reading goes on."""
    chief = await served.add("chief", Role.SECURITY_ADMIN)
    signed_in = await served.sign_in(chief)
    trigger = "BEFORE INSERT ON audit_row BEGIN SELECT RAISE(ABORT, 'x'); END"
    execute = served.central.database.execute
    await served.writer.run(lambda: execute(f"CREATE TRIGGER broken {trigger}").close())
    new = {"login": "eve", "name": "某人", "role": "operations"}
    headers = {"X-CSRF-Token": signed_in.session.csrf}
    async with served.browser(signed_in) as browser:
        async with browser.post("/api/v1/users", json=new, headers=headers) as answer:
            assert answer.status == 503
            assert (await answer.json())["reason"] == "audit-unavailable"
        async with browser.get("/api/v1/users") as answer:
            assert [user["login"] for user in (await answer.json())["items"]] == ["chief"]
        assert await served.try_form(browser, "chief", PASSWORD) in {200, 503}


async def test_a_page_left_open_goes_idle(served: Served) -> None:
    """What a live page asks by itself keeps nobody signed in; what a person does, does."""
    chief = await served.add("chief", Role.SYSTEM_ADMIN)
    async with served.browser(await served.sign_in(chief)) as browser:
        served.clock.advance(timedelta(minutes=10))
        assert await status(browser, "/console/boxes/live") == 200
        assert await status(browser, WHO) == 200
        served.clock.advance(timedelta(minutes=14))
        assert await status(browser, "/console/boxes/live") == 200
        served.clock.advance(timedelta(minutes=1))
        served.central.users.sessions.generation += 1  # nobody remembers who asked
        assert await status(browser, WHO) == 401


async def test_files_are_kept_and_asked_after(served: Served) -> None:
    """A script that has not changed is not sent again; what is personal is not kept at all."""
    async with served.browser() as browser:
        async with browser.get("/static/live.js") as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
            tag = answer.headers["ETag"]
        async with browser.get("/static/live.js", headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304
        async with browser.get("/console/sign-in") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
