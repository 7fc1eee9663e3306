"""``onecode-central settings`` as a person types it."""

from pathlib import Path

import pytest

from shared.exits import Exit
from tests.central.commands import CommandLine


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """A centre with one box."""
    commands = CommandLine(tmp_path / "central", monkeypatch, capsys)
    out = str(tmp_path / "box")
    place = ("--counter", "挂号1", "--site-name", "示范医院", "--out", out)
    code, _, err = commands.run("box", "add", "site1/box1", *place)
    assert code == Exit.HELD, err
    return commands


def test_some_is_set_and_the_rest_stays(commands: CommandLine) -> None:
    """By site and by box; words and numbers as typed; an empty value takes a setting back."""
    code, out, _ = commands.run("settings", "set", "site1", "language=en", "again_seconds=20")
    assert code == Exit.HELD
    assert "site1" in out
    commands.run("settings", "set", "site1", "again_seconds=", "operators_required=true")
    shown = commands.read("settings", "show", "site1")
    assert (shown["language"], shown["again_seconds"]) == ("en", None)
    assert shown["operators_required"] is True
    commands.run("settings", "set", "site1/box1", "printer=usb:0a5f:00d1")
    assert commands.read("settings", "show", "site1/box1")["printer"] == "usb:0a5f:00d1"
    assert commands.read("settings", "show", "site1/box1")["language"] is None


@pytest.mark.parametrize(
    ("subject", "value", "said"),
    [
        ("site1/box1", "volume=11", "setting-unknown (volume"),
        ("site1/box1", "again_seconds=601", "setting-impossible (again_seconds"),
        ("site1/box1", "again_seconds=soon", "setting-impossible (again_seconds"),
        ("site1/box1", "scanner=camera:/dev/video0", "setting-impossible (scanner"),
        ("site1/box1", "label=90x90", "setting-impossible (label"),
        ("site1", "counter=挂号1", "setting-impossible (counter"),
        ("site1", "language", "request-malformed"),
        ("site9", "language=en", "not-found"),
        ("site1/box9", "language=en", "not-admitted"),
    ],
)
def test_what_cannot_be_is_not_stored(
    commands: CommandLine, subject: str, value: str, said: str
) -> None:
    """Checked by the box's own rule before anything is kept; the reason names the setting."""
    code, out, err = commands.run("settings", "set", subject, "idle_seconds=60", value)
    assert (code, out) == (Exit.CHECK_FAILED, "")
    assert said in err
    for known in ("site1", "site1/box1"):
        assert commands.read("settings", "show", known)["idle_seconds"] is None
