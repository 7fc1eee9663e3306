"""``onecode-central box`` and ``broker``: inviting, withdrawing, revoking, as a person does it."""

import json
from pathlib import Path

import pytest

from shared.exits import Exit
from shared.joining import parse_invite
from tests.central.commands import CommandLine

PLACE = ("--site", "renmin", "--site-name", "虚构市人民医院", "--counter", "挂号 1")


@pytest.fixture
def line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path / "central", monkeypatch, capsys)


def test_an_invite_is_shown_whole(line: CommandLine, tmp_path: Path) -> None:
    """Text, symbol, fingerprint, end and what is expected; a picture if wanted, for its owner."""
    code, out, _ = line.run("box", "invite", *PLACE, "--serial", "SN-1")
    assert code == Exit.HELD
    assert "█" in out
    for word in ("ONECODE1-", "renmin/box1", "挂号 1", "SN-1", "ca_fingerprint", "expires"):
        assert word in out
    png = tmp_path / "invite.png"
    shown = line.read("box", "invite", *PLACE, "--box", "kiosk", "--hours", "2", "--png", str(png))
    invite = parse_invite(shown["invite"])
    assert (invite.box, invite.counter, invite.port) == ("renmin/kiosk", "挂号 1", 8443)
    assert shown["ca_fingerprint"].replace(" ", "") == invite.ca_fingerprint.hex().upper()
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_mode & 0o777 == 0o600


def test_invites_are_listed_and_withdrawn(line: CommandLine) -> None:
    """The list never shows a secret again; a withdrawn one says so, a second time is no error."""
    text = line.read("box", "invite", "renmin/box1", *PLACE[2:])["invite"]
    assert line.run("box", "withdraw", "1")[0] == Exit.HELD
    assert line.run("box", "withdraw", "1")[0] == Exit.HELD
    assert line.run("box", "withdraw", "2")[0] == Exit.CHECK_FAILED
    code, out, _ = line.run("box", "invites", "--json")
    assert code == Exit.HELD
    (row,) = json.loads(out)
    assert (row["number"], row["box"], row["state"]) == (1, "renmin/box1", "withdrawn")
    assert text not in out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("renmin/box1", "--site", "renmin"),
        ("renmin/box1", "--box", "box1"),
        ("--box", "box1"),
    ],
)
def test_a_box_is_named_one_way(line: CommandLine, words: tuple[str, ...]) -> None:
    """Neither or both ways is a usage error."""
    with pytest.raises(SystemExit) as caught:
        line.run("box", "invite", *words, "--counter", "x")
    assert caught.value.code == Exit.USAGE


def test_a_box_is_revoked_and_its_certificates_tell(line: CommandLine, tmp_path: Path) -> None:
    """State, reason and time are shown; the broker's list has it; twice is refused."""
    add = ("box", "add", "renmin/box1", *PLACE[2:], "--out", str(tmp_path / "box"))
    assert line.run(*add)[0] == Exit.HELD
    code, out, _ = line.run("box", "revoke", "renmin/box1", "--why", "丢失 lost")
    assert code == Exit.HELD
    assert "broker refresh" in out  # none runs here
    certificate = line.read("box", "certificates", "renmin/box1")
    assert certificate["why"] == "丢失 lost"
    assert certificate["revoked_at"]
    assert line.read("box", "list")["state"] == "revoked"
    assert line.run("box", "revoke", "renmin/box1", "--why", "x")[0] == Exit.CHECK_FAILED
    assert line.run("box", "revoke", "renmin/box9", "--why", "x")[0] == Exit.CHECK_FAILED
    roles = (tmp_path / "central/broker/dynamic-security.json").read_text()
    assert "renmin/box1" not in roles


def test_refresh_says_whether_a_broker_was_told(line: CommandLine, tmp_path: Path) -> None:
    """The list is written in any case; without a broker the exit code says unavailable."""
    revoked = tmp_path / "central/broker/revoked.pem"
    revoked.unlink()
    code, out, _ = line.run("broker", "refresh")
    assert code == Exit.UNAVAILABLE
    assert "revoked.pem" in out
    assert b"X509 CRL" in revoked.read_bytes()
