"""``onecode-central user`` and ``token``: what an administrator at the server does."""

import json
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from shared.badges import is_badge
from shared.exits import Exit
from tests.central.commands import CommandLine

CLERK = {"login": "li.na", "name": "李娜", "role": "clerk", "site": "site1"}


@pytest.fixture
def line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    line = CommandLine(tmp_path / "centre", monkeypatch, capsys)
    box = ("box", "add", "site1/box1", "--counter", "挂号", "--site-name", "示范医院")
    code, _, err = line.run(*box, "--out", str(tmp_path / "box1"))
    assert code == Exit.HELD, err
    return line


def test_the_first_three_administrators(line: CommandLine) -> None:
    """Made once, each with a password of their own that is shown once."""
    code, out, _ = line.run("user", "bootstrap", "--json")
    rows = json.loads(out)
    assert code == Exit.HELD
    assert [row["role"] for row in rows] == ["system-admin", "security-admin", "audit-admin"]
    assert len({row["password"] for row in rows}) == 3
    code, out, err = line.run("user", "bootstrap", "--json")
    assert (code, out) == (Exit.CHECK_FAILED, "")
    assert "already-exists" in err


def test_a_clerk_is_made_and_kept_out(line: CommandLine) -> None:
    """Names come on standard input; each command shows the user as they are then."""
    added = line.read("user", "add", stdin=CLERK)
    assert added["state"] == "active"
    assert len(added["password"]) == 23
    assert line.read("user", "disable", "li.na")["state"] == "disabled"
    assert line.read("user", "enable", added["id"])["state"] == "active"
    assert line.read("user", "unlock", "LI.NA")["login"] == "li.na"
    assert line.read("user", "totp", "li.na")["second_factor"] is False
    assert line.read("user", "list", "--site", "site1")["name"] == "李娜"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"role": "king"}, "request-malformed"),
        ({"site": None}, "role-site"),
        ({"site": "site9"}, "not-found"),
        ({"role": "operations"}, "role-site"),
        ({"login": "李娜"}, "request-malformed"),
        ({"name": " "}, "name-empty"),
        ({"password": "short"}, "password-weak"),
        ({"password": "li.na-li.na-li.na"}, "password-weak"),
        ({"extra": 1}, "request-malformed"),
    ],
)
def test_who_cannot_be_made(line: CommandLine, change: dict[str, object], reason: str) -> None:
    """A role without its site, an unknown site, a name that nobody can type."""
    code, _, err = line.run("user", "add", stdin={**CLERK, **change})
    assert code == Exit.CHECK_FAILED
    assert reason in err


def test_a_badge_is_a_symbol_and_a_pin(line: CommandLine, tmp_path: Path) -> None:
    """As a file to print; the next badge replaces it."""
    line.read("user", "add", stdin=CLERK)
    file = tmp_path / "badge.png"
    shown = line.read("user", "badge", "li.na", "--png", str(file))
    assert is_badge(shown["badge_text"])
    assert len(shown["pin"]) == 6
    with Image.open(file) as image:
        (symbol,) = zxingcpp.read_barcodes(image.convert("L"))
    assert symbol.text == shown["badge_text"]
    assert line.read("user", "badge", "li.na")["badge_text"] != shown["badge_text"]
    assert line.read("user", "badge", "li.na", "--take")["badge"] is False


def test_a_pin_comes_on_standard_input(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that everyone tries first is refused."""
    line.read("user", "add", stdin=CLERK)
    code, _, err = line.run("user", "badge", "li.na", "--stdin", stdin=1234)
    assert code == Exit.CHECK_FAILED
    assert "pin-weak" in err
    assert "pin" not in line.read("user", "badge", "li.na", "--stdin", stdin=80632)


def test_an_operator_without_a_site_has_no_badge(line: CommandLine) -> None:
    """Badges are for who works at a box."""
    line.read("user", "add", stdin={"login": "ops", "name": "运营", "role": "operations"})
    code, _, err = line.run("user", "badge", "ops")
    assert code == Exit.CHECK_FAILED
    assert "request-not-allowed" in err


def test_a_given_password(line: CommandLine, tmp_path: Path) -> None:
    """Drawn, or read from standard input and then not shown; a weak one is refused."""
    line.read("user", "add", stdin=CLERK)
    assert len(line.read("user", "password", "li.na")["password"]) == 23
    assert "password" not in line.read(
        "user", "password", "li.na", "--stdin", stdin="a whole sentence of hers"
    )
    code, _, err = line.run("user", "password", "li.na", "--stdin", stdin="1234")
    assert code == Exit.CHECK_FAILED
    assert "password-weak" in err


def test_a_machines_token(line: CommandLine) -> None:
    """Its text is shown once; the list has what it may do, and that it was taken back."""
    added = line.read("token", "add", "HIS", "--scopes", "cards:read,scans:read", "--days", "30")
    assert added["token"].startswith("oc_")
    listed = line.read("token", "list")
    assert listed["scopes"] == "cards:read scans:read"
    assert "token" not in listed
    assert line.read("token", "revoke", added["id"])["revoked"] is True


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--scopes", "audit:read"), "token-scope"),
        (("--role", "audit-admin"), "request-malformed"),
        (("--role", "site-operator"), "role-site"),
        (("--days", "367"), "request-malformed"),
        (("--scopes", "everything"), "request-malformed"),
    ],
)
def test_a_token_is_no_more_than_its_role(
    line: CommandLine, arguments: tuple[str, ...], reason: str
) -> None:
    """No administrator, no scope beyond the role's, an end within a year."""
    code, _, err = line.run("token", "add", "HIS", *arguments)
    assert code == Exit.CHECK_FAILED
    assert reason in err


def test_nothing_of_them_is_stored_in_clear(
    line: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither names nor secrets are found in the database or its log."""
    added = line.read("user", "add", stdin=CLERK)
    badge = line.read("user", "badge", "li.na")
    token = line.read("token", "add", "HIS")["token"]
    secrets = ("李娜", "li.na", added["password"], badge["badge_text"], badge["pin"], token)
    for file in (tmp_path / "centre").glob("central.db*"):
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content]
    assert "$argon2id" not in (tmp_path / "centre" / "central.db").read_bytes().decode("latin-1")


def test_what_was_done_is_listed(line: CommandLine) -> None:
    """By act and by whom; a login or a name is never in it."""
    added = line.read("user", "add", stdin=CLERK)
    listed = line.read("audit", "list", "--act", "user.*")
    assert (listed["act"], listed["subject"]) == ("user.add", f"user {added['id']}")
    assert listed["actor"].startswith("command:")
    assert listed["sealed"] is True
    assert listed["facts"] == "role=clerk site=site1"
