"""``onecode-central lists`` and ``keys renew code`` at a terminal."""

import json
from pathlib import Path

import pytest

from central.app import open_central
from shared.exits import Exit
from tests.central.commands import CommandLine
from tests.central.people import AT, BOX, CLERK, SAMPLE


@pytest.fixture
def line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path / "central", monkeypatch, capsys)


def test_how_far_the_lists_are(line: CommandLine, tmp_path: Path) -> None:
    """What is due, then what was composed; nobody is named."""
    with open_central(tmp_path / "central") as central, central.unit():
        person, _ = central.patients.register(SAMPLE, AT, CLERK)
        card = central.cards.open_account(person, AT, CLERK)
        central.hospital.admit(person.id, BOX.site, AT)
        central.cards.suspend(card.id, AT, CLERK)
        central.lists.compose(AT)
        central.cards.resume(card.id, AT, CLERK)
    code, out, _ = line.run("lists", "status", "--json")
    rows = {row["what"]: row for row in json.loads(out)}
    assert code == Exit.HELD
    assert {what: (row["count"], row["due"]) for what, row in rows.items()} == {
        "keys": (1, 0),
        "revoked": (1, 1),
        "persons": (1, 0),
    }
    assert rows["persons"]["site"] == BOX.site
    code, out, _ = line.run("lists", "status")
    assert code == Exit.HELD
    assert "revoked" in out


def test_a_code_key_is_renewed(line: CommandLine) -> None:
    """Known at once, at work later; a number that was used is refused."""
    code, out, _ = line.run("keys", "renew", "code")
    assert code == Exit.HELD
    assert "code version 2" in out
    assert line.run("keys", "renew", "code", "--kid", "2", "--ahead-days", "9")[0] != Exit.HELD
    assert line.run("keys", "renew", "code", "--kid", "9", "--ahead-days", "9")[0] == Exit.HELD
    _, out, _ = line.run("keys", "list", "--json")
    keys = {row["version"]: row["active"] for row in json.loads(out) if row["key"] == "code"}
    assert keys == {1: True, 2: False, 9: False}
