"""``onecode-central card``: a card is named by its own number, and its codes are printed."""

import re
from pathlib import Path

import pytest

from shared.ehc import DynamicCode, StaticCode, parse_code
from shared.exits import Exit
from tests.central.commands import CommandLine
from tests.central.people import SAMPLE


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path / "central", monkeypatch, capsys)


@pytest.fixture
def card(commands: CommandLine) -> str:
    """The sample person's card number."""
    request = {
        "document_type": SAMPLE.document_type,
        "document_number": SAMPLE.document_number,
        "name": SAMPLE.name,
    }
    return str(commands.read("person", "add", stdin=request)["card"])


def test_codes_are_printed_alone(commands: CommandLine, card: str) -> None:
    """The text and nothing else, so that it can be piped into a scanner or a symbol."""
    _, static, _ = commands.run("card", "code", card, "--static")
    _, dynamic, _ = commands.run("card", "code", card)
    _, bare, _ = commands.run("card", "code", card, "--unsigned", "--ttl", "30")
    assert isinstance(parse_code(static.strip()), StaticCode)
    for text, signed in ((dynamic, True), (bare, False)):
        code = parse_code(text.strip())
        assert isinstance(code, DynamicCode)
        assert (code.extension is not None) is signed
    assert commands.read("card", "code", card)["expires_at"]


def test_states_by_command(commands: CommandLine, card: str) -> None:
    """Suspend, resume, cancel; a card that does not stand gives no code and says why."""
    assert commands.read("card", "suspend", card)["state"] == "suspended"
    code, out, err = commands.run("card", "code", card)
    assert (code, out) == (Exit.CHECK_FAILED, "")
    assert "card-suspended" in err
    assert commands.read("card", "resume", card)["state"] == "active"
    assert commands.read("card", "cancel", card)["state"] == "cancelled"
    code, _, err = commands.run("card", "resume", card)
    assert code == Exit.CHECK_FAILED
    assert "state-step" in err
    assert commands.read("card", "show", card)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("card", "show", "nothing"), "id-malformed"),
        (("card", "show", "018f0000-0000-7000-8000-000000000000"), "not-found"),
    ],
)
def test_a_card_that_is_none(
    commands: CommandLine, arguments: tuple[str, ...], reason: str
) -> None:
    """A number that is none, or nobody's, says so."""
    code, _, err = commands.run(*arguments)
    assert code == Exit.CHECK_FAILED
    assert reason in err


@pytest.mark.parametrize("ttl", ["0", "256", "-1"])
def test_a_life_that_does_not_fit(commands: CommandLine, card: str, ttl: str) -> None:
    """A code lives 1 to 255 seconds."""
    code, _, err = commands.run("card", "code", card, "--ttl", ttl)
    assert code == Exit.CHECK_FAILED
    assert "request-malformed" in err


def test_a_link_is_printed_for_a_card_or_its_person(commands: CommandLine, card: str) -> None:
    """An address that a patient's phone opens, and until when; a stranger's number has none."""
    person = commands.read("card", "show", card)["person"]
    for named in (card, str(person)):
        link = commands.read("card", "link", named, "--minutes", "5")
        assert re.fullmatch(r"http://127\.0\.0\.1:8080/me/[\w-]{22}", str(link["link"]))
    code, out, err = commands.run("card", "link", "01890a5d-ac96-774b-bcce-b302099a8057")
    assert (code, out) == (Exit.CHECK_FAILED, "")
    assert "not-found" in err
