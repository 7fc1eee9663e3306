"""``onecode-central lease`` as a person types it."""

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


def test_some_terms_are_set_and_the_rest_stays(commands: CommandLine) -> None:
    """By name and number."""
    code, _, err = commands.run("lease", "set", "site1", "verify_only.seconds=3600")
    assert code == Exit.HELD, err
    commands.run("lease", "set", "site1", "boot_seconds=300", "verify_only.scans=50")
    shown = commands.read("lease", "show", "site1")
    assert shown["verify_only"] == {"seconds": 3600, "scans": 50, "issues": 1000}
    assert shown["boot_seconds"] == 300
    code, out, _ = commands.run("lease", "show", "site1")
    assert code == Exit.HELD
    assert "verify_only.seconds" in out


@pytest.mark.parametrize(
    "value",
    ["verify_only.seconds", "colour=red", "verify_only.scans=none", "stop.seconds=10", "boot=1"],
)
def test_what_cannot_be_set_is_said(commands: CommandLine, value: str) -> None:
    """And nothing is changed."""
    before = commands.read("lease", "show", "site1")
    code, _, err = commands.run("lease", "set", "site1", value)
    assert code != Exit.HELD
    assert err
    assert commands.read("lease", "show", "site1") == before
