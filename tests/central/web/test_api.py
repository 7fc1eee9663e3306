"""The API as a machine uses it: what schemathesis cannot know is right."""

import asyncio
from functools import partial
from typing import Any

import msgspec

from central.patients.routes import DocumentCode
from central.users.roles import Permission, Role
from shared.joining import parse_invite
from shared.residents import DOCUMENT_TYPES
from tests.central.web.seeding import BOX, World
from tests.central.web.serving import Served, principal

ROOT = "/api/v1"
SAMPLE = {"document_type": "01", "document_number": "11010020171225006X", "name": "电子健康卡"}


async def ask(
    served: Served, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    """Status and JSON of one request with the token that may do everything."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with served.client.request(method, ROOT + path, json=body, headers=named) as response:
        return response.status, await response.json(content_type=None)


def audit(served: Served, act: str) -> list[tuple[str, str]]:
    """Actor and facts of an act's rows."""
    return served.central.database.execute(
        "SELECT actor, facts FROM audit_row WHERE act = ? ORDER BY seq", (act,)
    ).fetchall()


def test_document_types_are_the_national_table() -> None:
    """The schema's list of document types is the one that residents are judged by."""
    schema = msgspec.json.schema(DocumentCode)
    assert set(schema["enum"]) == set(DOCUMENT_TYPES)


async def test_a_person_is_masked_until_unmasked(served: Served, world: World) -> None:
    """Reading masks; unmasking shows, and the audit keeps who and why but not what."""
    person = world.persons[0]
    status, read = await ask(served, "GET", f"/persons/{person}")
    assert (status, read["name"], read["documents"][0]["number"]) == (
        200,
        "电***卡",
        "110***********006X",
    )
    status, clear = await ask(served, "POST", f"/persons/{person}/unmask", {"why": "treatment"})
    assert (status, clear["name"], clear["birth_date"]) == (200, "电子健康卡", "2017-12-25")
    ((actor, facts),) = audit(served, "person.unmask")
    assert actor.startswith("token ")
    assert facts == '{"why":"treatment"}'


async def test_a_person_is_found_by_what_they_say(served: Served, world: World) -> None:
    """Document number or name in the body; nobody else, and nobody for nonsense."""
    for text, expected in (
        ("11010020171225006x", [world.persons[0]]),
        ("虚构1", [world.persons[1]]),
        ("nobody", []),
    ):
        status, found = await ask(served, "POST", "/persons/search", {"text": text})
        assert status == 200
        assert [each["id"] for each in found["items"]] == expected


async def test_registering_finds_whom_it_knows(served: Served, world: World) -> None:
    """The same document and name are the same person and card; another name is refused."""
    status, first = await ask(served, "POST", "/persons", SAMPLE)
    assert (status, first["found"], first["person"]["id"]) == (200, True, world.persons[0])
    assert first["card"] == world.cards[0]
    status, problem = await ask(served, "POST", "/persons", SAMPLE | {"name": "别人"})
    assert (status, problem["reason"]) == (409, "person-mismatch")
    assert problem["title_zh"]
    assert problem["next"]
    assert problem["request_id"]


async def test_a_card_goes_through_its_states(served: Served, world: World) -> None:
    """Suspend, resume, cancel, each with its reason in the audit; a step that is none is 409."""
    card = f"/cards/{world.cards[1]}"
    for act, state in (("suspend", "suspended"), ("resume", "active"), ("cancel", "cancelled")):
        status, view = await ask(served, "POST", f"{card}/{act}", {"why": "lost"})
        assert (status, view["state"]) == (200, state)
        assert '"why":"lost"' in audit(served, f"card.{act}")[-1][1]
    status, problem = await ask(served, "POST", f"{card}/resume", {"why": "found"})
    assert (status, problem["reason"]) == (409, "state-step")
    status, problem = await ask(served, "POST", f"{card}/codes", {"kind": "static"})
    assert (status, problem["reason"]) == (409, "card-cancelled")


async def test_codes_are_issued_and_noted(served: Served, world: World) -> None:
    """A dynamic code is new each time and ends; the audit keeps that, never the text."""
    card = f"/cards/{world.cards[0]}/codes"
    texts = set()
    for _ in range(2):
        status, code = await ask(served, "POST", card, {"kind": "dynamic", "ttl_seconds": 30})
        assert status == 201
        assert code["expires_at"]
        texts.add(code["code"])
    status, static = await ask(served, "POST", card, {"kind": "static"})
    assert static["code"].endswith(":1")
    assert len(texts) == 2
    rows = audit(served, "code.issue")
    assert [facts for _, facts in rows] == ['{"kind":"dynamic"}'] * 2 + ['{"kind":"static"}']


async def test_a_write_repeated_under_its_key_is_done_once(served: Served, world: World) -> None:
    """The same key and body get the same answer; another body is refused, another key acts."""
    card, key = f"/cards/{world.cards[0]}/codes", "key-00000001"
    body = {"kind": "dynamic"}
    first = await ask(served, "POST", card, body, Idempotency_Key=key)
    assert await ask(served, "POST", card, body, Idempotency_Key=key) == first
    assert len(audit(served, "code.issue")) == 1
    status, problem = await ask(
        served, "POST", card, body | {"ttl_seconds": 5}, Idempotency_Key=key
    )
    assert (status, problem["reason"]) == (409, "idempotency-key-used")
    again = await ask(served, "POST", card, body, Idempotency_Key="key-00000002")
    assert again[1] != first[1]
    # What is kept is sealed: it holds a code.
    kept = served.central.database.execute("SELECT answer FROM kept_answer").fetchall()
    assert not any(first[1]["code"].encode() in answer for (answer,) in kept)


async def test_keys_belong_to_whoever_sends_them(served: Served, world: World) -> None:
    """Another token's same key is its own."""
    other = principal(name="01a20000-0000-7000-8000-000000000002")
    served.users.tokens["oc_other"] = other
    card, body = f"/cards/{world.cards[0]}/codes", {"kind": "dynamic"}
    key = {"Idempotency_Key": "key-00000001"}
    mine = await ask(served, "POST", card, body, **key)
    theirs = await ask(served, "POST", card, body, **key, Authorization="Bearer oc_other")
    assert theirs[0] == 201
    assert mine[1] != theirs[1]


async def test_a_tag_says_what_has_not_changed(served: Served, world: World) -> None:
    """If-None-Match: 304 while nothing changed; If-Match: 412 after somebody else was first."""
    path = f"{ROOT}/cards/{world.cards[0]}"
    async with served.client.get(path) as response:
        tag = response.headers["ETag"]
    async with served.client.get(path, headers={"If-None-Match": f'"x", W/{tag}'}) as response:
        assert response.status == 304
        assert await response.read() == b""
        assert response.headers["ETag"] == tag
    why, match = {"why": "lost"}, {"If-Match": tag}
    async with served.client.post(f"{path}/suspend", json=why, headers=match) as response:
        assert response.status == 200
    async with served.client.post(f"{path}/resume", json=why, headers=match) as response:
        assert response.status == 412
        assert (await response.json(content_type=None))["reason"] == "changed-meanwhile"
    async with served.client.get(path, headers={"If-None-Match": tag}) as response:
        assert response.status == 200


async def test_lists_come_in_parts(served: Served, world: World) -> None:
    """Cursors lead through everything once, newest first, and end."""
    seen, cursor = [], None
    while True:
        query = "?limit=1" + (f"&cursor={cursor}" if cursor else "")
        status, page = await ask(served, "GET", f"/scans{query}")
        assert status == 200
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(world.scans)
    assert seen == sorted(seen, reverse=True)


async def test_scans_are_filtered(served: Served, world: World) -> None:
    """By box, verdict and time of birth; one scan is read by its box and id."""
    for query, count in (
        (f"box={BOX}", 2),
        ("box=renmin/box9", 0),
        ("verdict=accepted", 2),
        ("verdict=refused", 0),
        ("until=2026-01-01T00:00:00Z", 0),
        ("since=2026-01-01T00:00:00Z", 2),
    ):
        _, page = await ask(served, "GET", f"/scans?{query}")
        assert len(page["items"]) == count, query
    status, scan = await ask(served, "GET", f"/boxes/{BOX}/scans/{world.scans[0]}")
    assert (status, scan["person"], scan["verdict"]) == (200, world.persons[0], "accepted")


async def test_institutions_and_sites(served: Served) -> None:
    """Made once, renamed, listed; a reserved id and an unknown institution are refused."""
    new = {"id": "shili", "name": "市立医院"}
    assert (await ask(served, "POST", "/institutions", new))[0] == 201
    assert (await ask(served, "POST", "/institutions", new))[0] == 409
    site = {"id": "shili-east", "institution": "shili", "name": "东院区"}
    assert (await ask(served, "POST", "/sites", site)) == (201, site)
    for wrong, status in (({"id": "central"}, 409), ({"institution": "none"}, 404)):
        assert (await ask(served, "POST", "/sites", site | {"id": "other"} | wrong))[0] == status
    _, renamed = await ask(served, "POST", "/sites/shili-east/rename", {"name": "新院区"})
    assert renamed["name"] == "新院区"
    _, page = await ask(served, "GET", "/sites")
    assert [each["id"] for each in page["items"]] == ["renmin", "shili-east"]


async def test_boxes_are_filtered(served: Served, world: World) -> None:
    """By site, by where they stand, and by whether they are there; what is no state is refused."""
    site, _, _ = str(BOX).partition("/")
    for query, expected in (
        (f"site={site}", [str(BOX)]),
        ("site=elsewhere", []),
        ("state=active&online=false", [str(BOX)]),
        ("online=true", []),
        ("state=revoked", []),
    ):
        status, page = await ask(served, "GET", f"/boxes?{query}")
        assert (status, [each["id"] for each in page["items"]]) == (200, expected), query
    status, _ = await ask(served, "GET", "/boxes?state=gone")
    assert status == 422


async def test_a_box_with_its_account(served: Served) -> None:
    """A box that has sent nothing holds; its proof says the same."""
    _, page = await ask(served, "GET", "/boxes")
    assert [each["id"] for each in page["items"]] == [str(BOX)]
    status, box = await ask(served, "GET", f"/boxes/{BOX}")
    assert (status, box["account"]["holds"], box["account"]["created"]) == (200, True, 0)
    status, proof = await ask(served, "GET", f"/boxes/{BOX}/account/proof")
    assert (status, proof["holds"], proof["findings"]) == (200, True, [])
    status, accounts = await ask(served, "GET", "/account")
    assert (status, accounts["total"]["pending"]) == (200, 0)


async def test_a_box_is_invited_and_revoked(served: Served) -> None:
    """The invite's text is one that a box reads; a revoked box cannot be revoked again."""
    asked = {"site": "renmin", "box": "box2", "counter": "收费1"}
    status, invite = await ask(served, "POST", "/boxes/invites", asked)
    assert (status, parse_invite(invite["text"]).box) == (201, "renmin/box2")
    status, problem = await ask(served, "POST", "/boxes/invites", asked | {"counter": None})
    assert (status, problem["reason"]) == (409, "request-malformed")
    status, box = await ask(served, "POST", f"/boxes/{BOX}/revoke", {"why": "stolen"})
    assert (status, box["state"]) == (200, "revoked")
    status, problem = await ask(served, "POST", f"/boxes/{BOX}/revoke", {"why": "stolen"})
    assert (status, problem["reason"]) == (409, "state-step")


async def test_settings_are_replaced_whole(served: Served) -> None:
    """PUT gives what GET reads; an impossible setting changes nothing."""
    path = f"/boxes/{BOX}/settings"
    _, before = await ask(served, "GET", path)
    status, after = await ask(served, "PUT", path, before | {"again_seconds": 5})
    assert (status, after["again_seconds"]) == (200, 5)
    status, _ = await ask(served, "PUT", path, {"scanner": "parrot:/dev/x"})
    assert status == 409
    assert (await ask(served, "GET", path))[1] == after


async def test_the_terms_of_a_lease_are_replaced_whole(served: Served) -> None:
    """PUT gives what GET reads; terms whose later step begins earlier change nothing."""
    path = f"/sites/{BOX.site}/lease"
    _, before = await ask(served, "GET", path)
    first = before["verify_only"] | {"seconds": 7200}
    status, after = await ask(served, "PUT", path, before | {"verify_only": first})
    assert (status, after["verify_only"]["seconds"]) == (200, 7200)
    last = before["stop"] | {"seconds": 60}
    status, problem = await ask(served, "PUT", path, after | {"stop": last})
    assert (status, problem["reason"]) == (409, "setting-impossible")
    assert (await ask(served, "GET", path))[1] == after
    _, page = await ask(served, "GET", "/audit?act=lease.policy&limit=5")
    assert [each["subject"] for each in page["items"]] == [BOX.site]


async def test_the_audit_is_read_and_proved(served: Served) -> None:
    """Rows newest first by filter; the chain holds."""
    _, page = await ask(served, "GET", "/audit?act=card.*&limit=1")
    assert [each["act"] for each in page["items"]] == ["card.open"]
    await served.writer.run(served.central.audit.seal_pending)
    status, proof = await ask(served, "GET", "/audit/proof")
    assert (status, proof["holds"], proof["findings"]) == (200, True, [])
    _, state = await ask(served, "GET", "/audit/state")
    assert (state["sealed"], state["unsealed"]) == (proof["sealed"], 0)


async def test_without_the_audit_nothing_is_done(served: Served, world: World) -> None:
    """An act that cannot be audited is refused, and reading goes on."""
    trigger = (
        "CREATE TRIGGER no_audit BEFORE INSERT ON audit_row BEGIN SELECT RAISE(ABORT, 'x'); END"
    )
    await served.writer.run(partial(served.central.database.execute, trigger))
    card = f"/cards/{world.cards[0]}"
    status, problem = await ask(served, "POST", f"{card}/suspend", {"why": "lost"})
    assert (status, problem["reason"]) == (503, "audit-unavailable")
    status, _ = await ask(
        served, "POST", f"/persons/{world.persons[0]}/unmask", {"why": "treatment"}
    )
    assert status == 503
    assert (await ask(served, "GET", card))[1]["state"] == "active"


async def test_whoever_has_a_site_sees_it_alone(served: Served, world: World) -> None:
    """Another site's person, card, box, scan and settings do not exist for them."""
    served.users.tokens["oc_far"] = principal(Role.SITE_OPERATOR, site="far")
    served.users.tokens["oc_near"] = principal(Role.SITE_OPERATOR, site=BOX.site)
    paths = (
        f"/persons/{world.persons[0]}",
        f"/cards/{world.cards[0]}",
        f"/boxes/{BOX}",
        f"/boxes/{BOX}/account",
        f"/boxes/{BOX}/settings",
        f"/boxes/{BOX}/scans/{world.scans[0]}",
        f"/sites/{BOX.site}",
        f"/sites/{BOX.site}/lease",
    )
    for path in paths:
        assert (await ask(served, "GET", path, Authorization="Bearer oc_near"))[0] == 200, path
        assert (await ask(served, "GET", path, Authorization="Bearer oc_far"))[0] == 404, path
    for path in ("/boxes", "/scans", "/sites"):
        _, page = await ask(served, "GET", path, Authorization="Bearer oc_far")
        assert page["items"] == [], path


async def test_each_operation_has_its_permission(served: Served, world: World) -> None:
    """A principal with nothing is refused everywhere with one reason."""
    served.users.tokens["oc_nothing"] = principal(permissions=frozenset())
    async with served.client.get("/api/openapi.json") as response:
        document = await response.json()
    known = {"person": world.persons[0], "card": world.cards[0], "scan": world.scans[0]}
    known["case"] = str(world.cases[0])
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            names = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            some = dict.fromkeys(names, "01a20000-0000-7000-8000-000000000001")
            url = path.format(**(some | {"site": "renmin", "box": "box1"} | known))
            async with served.client.request(
                method, url, headers={"Authorization": "Bearer oc_nothing"}
            ) as response:
                problem = await response.json(content_type=None)
                assert (response.status, problem["reason"]) == (403, "permission-missing"), path


async def test_a_token_is_remembered_for_a_moment(served: Served, world: World) -> None:
    """Many requests ask the users once; what was revoked is gone when they are told to forget."""
    for _ in range(20):
        assert (await ask(served, "GET", f"/cards/{world.cards[0]}"))[0] == 200
    assert served.users.asked == 1
    served.users.tokens.clear()
    served.sign_ins.forget()
    assert (await ask(served, "GET", f"/cards/{world.cards[0]}"))[0] == 401


async def test_permission_comes_from_the_role(served: Served, world: World) -> None:
    """An integration may read a card and not change it."""
    served.users.tokens["oc_his"] = principal(Role.INTEGRATION)
    bearer = {"Authorization": "Bearer oc_his"}
    card = f"/cards/{world.cards[0]}"
    assert (await ask(served, "GET", card, **bearer))[0] == 200
    status, problem = await ask(served, "POST", f"{card}/suspend", {"why": "lost"}, **bearer)
    assert (status, problem["detail"]) == (403, Permission.CARDS_WRITE)


async def test_many_at_once(served: Served, world: World) -> None:
    """Writes and reads side by side are all answered."""
    card = f"/cards/{world.cards[0]}"
    answers = await asyncio.gather(
        *(ask(served, "POST", f"{card}/codes", {"kind": "dynamic"}) for _ in range(20)),
        *(ask(served, "GET", card) for _ in range(20)),
        *(ask(served, "GET", "/scans") for _ in range(5)),
    )
    assert {status for status, _ in answers} == {200, 201}
