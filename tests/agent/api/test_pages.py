"""How a browser gets in and what it may do: tickets, sessions, origins, headers, paths."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from yarl import URL

from agent.api.access import PAGE_HEADER
from agent.api.sessions import SESSION_DAYS, TICKET_SECONDS, Sessions
from tests.agent.api.one_box import TOKEN, OneBox, serving
from tests.fakes import noon_clock, seconds

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {PAGE_HEADER: "1"}


async def give_ticket(session: aiohttp.ClientSession) -> str:
    answer = await session.post("tickets", headers=BEARER)
    url: str = (await answer.json())["url"]
    return url


async def enter(session: aiohttp.ClientSession) -> None:
    answer = await session.get(await give_ticket(session), allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def status(answer: aiohttp.ClientResponse) -> tuple[int, Any]:
    return answer.status, (await answer.json())["reason"]


async def test_a_ticket_opens_a_session_once() -> None:
    """The second use is refused in words; the session goes on."""
    async with serving(OneBox(), token=None) as session:
        assert await status(await session.get("state")) == (403, "page-link-needed")
        url = await give_ticket(session)
        first = await session.get(url, allow_redirects=False)
        (cookie,) = first.cookies.values()
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        again = await session.get(url, allow_redirects=False)
        assert again.status == 403
        assert "onecode-agent page" in await again.text()
        assert (await session.get("state")).status == 200


async def test_a_ticket_ends_after_a_minute() -> None:
    """Measured by the monotonic clock: a wall clock set back keeps no ticket alive."""
    clock = noon_clock()
    async with serving(OneBox(), token=None, clock=clock) as session:
        url = await give_ticket(session)
        clock.advance(seconds(TICKET_SECONDS))
        assert (await session.get(url, allow_redirects=False)).status == 403


async def test_a_wrong_ticket_harms_nobody() -> None:
    """Guessing uses nothing up."""
    async with serving(OneBox(), token=None) as session:
        url = await give_ticket(session)
        for guess in ("", "?ticket=", "?ticket=guess", "?ticket=%ff%fe", "?other=1"):
            assert (await session.get(f"/enter{guess}", allow_redirects=False)).status == 403
        assert (await session.get(url, allow_redirects=False)).status == 303


async def test_a_session_outlives_the_agent_and_ends_after_its_days() -> None:
    """Signed with the box's token: no restart sends a page away, a new token or a month does."""
    clock = noon_clock()
    cookie = Sessions(TOKEN, clock).issue()
    assert Sessions(TOKEN, clock).is_valid(cookie)
    assert not Sessions("another token", clock).is_valid(cookie)
    clock.advance(seconds(SESSION_DAYS * 86_400))
    assert not Sessions(TOKEN, clock).is_valid(cookie)


@pytest.mark.parametrize("cookie", ["", ".", "..", "1.2.3", "9999999999.aa.bb", "x.y.\udcff", "é"])
def test_a_made_up_cookie_is_no_session(cookie: str) -> None:
    """Whatever its shape."""
    assert not Sessions(TOKEN, noon_clock()).is_valid(cookie)


async def test_entering_never_takes_over_a_session_that_was_brought() -> None:
    """Session fixation: a cookie planted before is replaced, not adopted."""
    async with serving(OneBox(), token=None) as session:
        name = Sessions(TOKEN, noon_clock()).cookie
        url = URL(await give_ticket(session))
        session.cookie_jar.update_cookies({name: "planted"}, url)
        await enter(session)
        values = {cookie.value for cookie in session.cookie_jar if cookie.key == name}
        assert values
        assert "planted" not in values


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        (PAGE | {"Origin": "http://evil.example"}, 403),
        (PAGE | {"Origin": "null"}, 403),
        (PAGE, 200),
    ],
    ids=["no page header", "foreign form", "foreign origin", "sandboxed origin", "our page"],
)
async def test_a_foreign_page_changes_nothing(headers: Mapping[str, str], expected: int) -> None:
    """CSRF: the browser would send the cookie, but no header of ours and not our origin."""
    box = OneBox()
    async with serving(box, token=None) as session:
        await enter(session)
        answer = await session.post("scan", json={"text": "x"}, headers=headers)
        assert answer.status == expected
    assert len(box.frames) == (1 if expected == 200 else 0)


@pytest.mark.parametrize(
    "path",
    [
        "/page/../access.py",
        "/page/..%2faccess.py",
        "/page/%2e%2e/access.py",
        "/page//etc/passwd",
        "/page/....//access.py",
        "/page/",
        "/page/%00",
    ],
)
async def test_no_path_leads_out_of_the_page(path: str) -> None:
    """Only names that lie in the folder are served."""
    async with serving(OneBox(), token=None) as session:
        origin = URL(await give_ticket(session)).origin()
        assert (await session.get(URL(f"{origin}{path}", encoded=True))).status == 404


async def test_every_answer_is_protected() -> None:
    """No inline script, no sniffing, no frame, and no data kept by a browser."""
    async with serving(OneBox()) as session:
        for path in ("state", "nothing", "/enter"):
            headers = (await session.get(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Cache-Control"] == "no-store"


async def test_a_configured_page_may_show_ours_in_a_frame() -> None:
    """The demo's page, by its origin."""
    demo = "http://127.0.0.1:9000"
    async with serving(OneBox(), frame_ancestors=(demo,)) as session:
        headers = (await session.get("state")).headers
    assert f"frame-ancestors {demo}" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers


async def test_a_refusal_is_acknowledged() -> None:
    """Once more is no error; a scan that is not shown is not found."""
    box = OneBox()
    async with serving(box) as session:
        assert (await session.post("verdicts/1/acknowledge")).status == 200
        assert await status(await session.post("verdicts/2/acknowledge")) == (404, "not-found")
    assert box.acknowledged == ["1"]
