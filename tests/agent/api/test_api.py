"""The local API over a real socket: who may speak, what is answered, how a refusal looks."""

import asyncio

import msgspec
import pytest

from agent.api.server import LocalAccess, serve_api
from shared.ids import new_record_id
from tests.agent.api.one_box import TOKEN, OneBox, serving
from tests.fakes import NOON, noon_clock

FORM = {"document_type": "01", "number": "11010020171225006X", "name": "电子健康卡"}


async def test_state_account_and_verdicts() -> None:
    """The account's equation is there as numbers and as a line to read."""
    async with serving(OneBox()) as session:
        state = await (await session.get("state")).json()
        assert state["link"]["state"] == "up"
        assert state["account"]["text"].startswith("created 3 = acknowledged 2 + pending 1")
        assert (await (await session.get("account")).json())["holds"] is True
        assert await (await session.get("verdicts")).json() == []


async def test_issue_and_scan_reach_the_counter() -> None:
    """The form is checked and normalised on the way; a code is taken as it is."""
    box = OneBox()
    async with serving(box) as session:
        answer = await session.post("issue", json=FORM)
        assert (await answer.json())["outcome"] == "new"
        await session.post("scan", json={"text": "134567890123456789"})
    assert box.requests[0].document.number == FORM["number"]
    assert box.frames == [b"134567890123456789"]


async def test_notices_are_seen_by_their_ids() -> None:
    """Those that a page has shown, or none where only an absence was; what is no id is refused."""
    box = OneBox()
    async with serving(box) as session:
        for ids in ([new_record_id(NOON).hex], []):
            answer = await session.post("notices/seen", json={"ids": ids})
            assert (answer.status, (await answer.json())["box"]) == (200, "site1/box7")
            assert box.seen_notices[-1:] == ids or not ids
        for wrong in ({"ids": ["../x"]}, {"ids": ["0" * 32] * 101}, {"all": True}):
            assert (await session.post("notices/seen", json=wrong)).status == 422
    assert len(box.seen_notices) == 1


@pytest.mark.parametrize(
    ("form", "status", "reason"),
    [
        (FORM | {"number": "110100201712250061"}, 422, "document-check-character"),
        (FORM | {"phone": "13800000000"}, 503, "issue-needs-central"),
        (FORM | {"surprise": 1}, 422, "request-malformed"),
        ({}, 422, "request-malformed"),
    ],
)
async def test_a_refusal_is_a_reason_in_words(
    form: dict[str, object], status: int, reason: str
) -> None:
    """problem+json, Chinese and English, with the next step; nothing typed comes back in it."""
    async with serving(OneBox()) as session:
        answer = await session.post("issue", json=form)
        problem = await answer.json()
        assert (answer.status, problem["reason"]) == (status, reason)
        assert answer.content_type == "application/problem+json"
        assert all(problem[key] for key in ("title", "title_zh", "next", "next_zh"))
        assert str(FORM["number"]) not in msgspec.json.encode(problem).decode()


@pytest.mark.parametrize(
    ("token", "host"), [("wrong", None), ("", None), (TOKEN, "evil.example"), (TOKEN, "[")]
)
async def test_strangers_are_refused(token: str, host: str | None) -> None:
    """No token, a wrong one, or a web page that made its name point at loopback."""
    async with serving(OneBox(), token, host) as session:
        answer = await session.get("state")
        assert answer.status == 403
        assert (await answer.json())["reason"] == "request-not-allowed"


@pytest.mark.parametrize(
    "headers",
    [
        b"Host: localhost\r\nAuthorization: Bearer \xff\xfe\r\n",
        b"Authorization: Bearer a-token-for-tests\r\n",
    ],
    ids=["no text", "no host"],
)
async def test_hostile_headers_are_refused_like_any_stranger(headers: bytes) -> None:
    """Bytes that are no text, and a request of HTTP/1.0 that names no host."""
    async with serve_api(OneBox(), noon_clock(), LocalAccess(TOKEN)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/v1/state HTTP/1.0\r\n" + headers + b"\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.split()[1] == b"403"
    assert b"request-not-allowed" in answer


@pytest.mark.parametrize(
    ("method", "path", "text", "status", "reason"),
    [
        ("POST", "scan", "A" * 100_000, 413, "request-malformed"),
        ("GET", "nothing", "", 404, "not-found"),
        ("DELETE", "scan", "", 405, "request-malformed"),
    ],
)
async def test_what_the_library_refuses_is_a_reason_in_words_too(
    method: str, path: str, text: str, status: int, reason: str
) -> None:
    """The body limit, routes and methods: one shape of answer for whoever reads it."""
    async with serving(OneBox()) as session:
        answer = await session.request(method, path, json={"text": text})
        problem = await answer.json()
        assert (answer.status, problem["reason"]) == (status, reason)
        assert answer.content_type == "application/problem+json"
