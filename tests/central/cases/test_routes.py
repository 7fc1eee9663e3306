"""Cases over HTTP and by command: who sees which, who decides what, and what is told."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from central.app import open_central
from central.cases.case import Evidence
from central.cases.kinds import CaseKind
from central.users.roles import Permission, Role
from shared.clock import SystemClock
from shared.exits import Exit
from shared.ids import BoxId
from tests.central.commands import CommandLine
from tests.central.web.conftest import made, served, world
from tests.central.web.seeding import BOX, World
from tests.central.web.serving import Served, principal
from tests.central.web.test_api import ask, audit

__all__ = ["made", "served", "world"]

FAR = BoxId("far", "box1")


async def open_case(served: Served, kind: CaseKind, *boxes: BoxId) -> int:
    """A case as records open one; its number."""
    at, cases = SystemClock().now(), served.central.cases
    said = [Evidence(at, "放行", "let through", box) for box in boxes]
    id = await served.writer.run(partial(cases.open, kind, f"{kind} of a test", said, at))
    return next(case.number for case in cases.list_all(None, None, 99) if case.id == id)


async def test_a_case_is_read_taken_and_decided(served: Served, world: World) -> None:
    """Ranked by deadline; evidence, choices with consequences, the outcome, and who was told."""
    fork = await open_case(served, CaseKind.LEDGER_FORK, BOX)
    status, page = await ask(served, "GET", "/cases")
    assert status == 200
    assert [each["number"] for each in page["items"]] == [fork, *world.cases]
    one = f"/cases/{world.cases[0]}"
    status, case = await ask(served, "GET", one)
    assert (status, case["state"], case["overdue"]) == (200, "open", False)
    assert [said["box"] for said in case["evidence"]] == [str(BOX)]
    assert {each["outcome"] for each in case["choices"]} >= {"both-stand", "misuse"}
    assert all(each["consequence_zh"] for each in case["choices"])
    status, case = await ask(served, "POST", f"{one}/assign", {"owner": "王主任"})
    assert (status, case["state"], case["owner"]) == (200, "assigned", "王主任")
    decision = {"outcome": "both-stand", "note": "同一人"}
    status, case = await ask(served, "POST", f"{one}/decide", decision)
    assert (status, case["outcome"], case["note"]) == (200, "both-stand", "同一人")
    assert [told["box"] for told in case["told"]] == [str(BOX)] * 2
    assert (await ask(served, "POST", f"{one}/decide", decision))[0] == 409
    acts = [audit(served, f"case.{act}") for act in ("open", "assign", "decide")]
    assert [len(rows) for rows in acts] == [len(world.cases) + 1, 1, 1]
    assert "同一人" not in str(acts)


async def test_a_page_goes_on_behind_the_last(served: Served, world: World) -> None:
    """Also the decided ones, the newest first."""
    for every in ("false", "true"):
        numbers: list[int] = []
        behind = ""
        for _ in range(len(world.cases) + 1):
            _, page = await ask(served, "GET", f"/cases?every={every}&limit=1{behind}")
            numbers += [each["number"] for each in page["items"]]
            behind = f"&cursor={page['next']}"
        assert sorted(numbers) == world.cases


async def test_a_site_sees_its_own_cases_and_decides_those_alone(
    served: Served, world: World
) -> None:
    """What concerns two sites is seen by both and decided above them."""
    far = principal(Role.SITE_OPERATOR, site=FAR.site)
    near = principal(Role.SITE_OPERATOR, site=BOX.site)
    served.users.tokens |= {"oc_far": far, "oc_near": near}
    both = await open_case(served, CaseKind.LATE_RECORD, BOX, FAR)
    one, decision = f"/cases/{both}", {"outcome": "in-time", "note": "checked"}
    for token in ("oc_far", "oc_near"):
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await ask(served, "GET", one, **bearer))[0] == 200
        assert (await ask(served, "POST", f"{one}/decide", decision, **bearer))[0] == 403
    bearer = {"Authorization": "Bearer oc_far"}
    assert (await ask(served, "GET", f"/cases/{world.cases[0]}", **bearer))[0] == 404
    _, page = await ask(served, "GET", "/cases", **bearer)
    assert [each["number"] for each in page["items"]] == [both]


async def test_an_outcome_needs_what_its_act_needs(served: Served, world: World) -> None:
    """The administrator of the system sees forks and no patients; misuse needs leave for cards."""
    served.users.tokens["oc_system"] = principal(Role.SYSTEM_ADMIN)
    permissions = frozenset({Permission.CASES_READ, Permission.CASES_DECIDE, Permission.SCANS_READ})
    served.users.tokens["oc_reader"] = principal(permissions=permissions)
    one = f"/cases/{world.cases[0]}"
    assert (await ask(served, "GET", one, Authorization="Bearer oc_system"))[0] == 404
    fork = await open_case(served, CaseKind.LEDGER_FORK, BOX)
    _, seen = await ask(served, "GET", f"/cases/{fork}", Authorization="Bearer oc_system")
    assert [each["allowed"] for each in seen["choices"]] == [True, True]
    misuse = {"outcome": "misuse", "note": "x"}
    bearer = {"Authorization": "Bearer oc_reader"}
    assert (await ask(served, "POST", f"{one}/decide", misuse, **bearer))[0] == 403
    assert (await ask(served, "GET", f"/cases/{fork}", **bearer))[0] == 404


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path / "central", monkeypatch, capsys)


def test_cases_by_command(commands: CommandLine, tmp_path: Path) -> None:
    """Listed, shown with their choices, given to somebody, decided with a note."""
    at = SystemClock().now()
    said = Evidence(at, "放行", "let through", BOX)
    with open_central(tmp_path / "central") as central, central.unit():
        central.cases.open(CaseKind.LATE_RECORD, "box1 boot", [said], at)
    assert commands.read("cases", "list")["kind"] == "late-record"
    code, out, _ = commands.run("cases", "show", "1")
    assert code == Exit.HELD
    assert "let through" in out
    assert "--outcome in-time" in out
    assert commands.run("cases", "assign", "1", "--to", "王主任")[0] == Exit.HELD
    assert commands.read("cases", "show", "1")["owner"] == "王主任"
    decide = ("cases", "decide", "1", "--note", "clock checked", "--outcome")
    code, _, err = commands.run(*decide, "nonsense")
    assert (code, "request-malformed" in err) == (Exit.CHECK_FAILED, True)
    assert commands.run(*decide, "misuse")[0] == Exit.CHECK_FAILED
    assert commands.run(*decide, "in-time")[0] == Exit.HELD
    assert commands.read("cases", "list", "--all")["outcome"] == "in-time"
    code, out, _ = commands.run("cases", "list", "--json")
    assert (code, out.strip()) == (Exit.HELD, "[]")


def test_overdue_cases_fail_the_list(commands: CommandLine, tmp_path: Path) -> None:
    """Marked, counted by owner, what is nobody's first; a scheduled job sees it by the code."""
    now = SystemClock().now()
    with open_central(tmp_path / "central") as central, central.unit():
        for days, what in ((30, "a"), (20, "b"), (0, "c")):
            at = now - timedelta(days=days)
            central.cases.open(CaseKind.LATE_RECORD, what, [Evidence(at, "放行", "let", BOX)], at)
        central.cases.assign(1, "王主任", now, "t")
    code, out, _ = commands.run("cases", "list")
    assert code == Exit.CHECK_FAILED
    assert "✗ 2 overdue: nobody 1, 王主任 1" in out
    code, out, _ = commands.run("cases", "list", "--json")
    assert code == Exit.CHECK_FAILED
    assert [each["overdue"] for each in json.loads(out)] == [True, True, False]
    for number in (1, 2):
        decide = ("cases", "decide", str(number), "--note", "x", "--outcome", "in-time")
        assert commands.run(*decide)[0] == Exit.HELD
    assert commands.run("cases", "list")[0] == Exit.HELD
    assert commands.run("cases", "list", "--all")[0] == Exit.HELD
