"""``onecode-central person``: JSON in, masked words out, and nothing personal beside."""

from pathlib import Path

import pytest

from shared.exits import Exit
from tests.central.commands import CommandLine
from tests.central.people import SAMPLE

SAMPLE_JSON = {
    "document_type": SAMPLE.document_type,
    "document_number": SAMPLE.document_number,
    "name": SAMPLE.name,
    "phone": "13800000000",
}


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path / "central", monkeypatch, capsys)


def test_add_show_rename_and_add_a_document(commands: CommandLine) -> None:
    """One resident from registration to a second document; each command shows them masked."""
    added = commands.read("person", "add", stdin=SAMPLE_JSON)
    again = commands.read("person", "add", stdin=SAMPLE_JSON)
    assert (added["found"], again["found"]) == (False, True)
    assert again["person"] == added["person"]
    assert (added["name"], added["documents"]) == ("电***卡", "01:110***********006X")
    commands.read("person", "rename", added["person"], stdin={"name": "电子健康码"})
    passport = {"document_type": "03", "document_number": "E12345678"}
    commands.read("person", "add-document", added["person"], stdin=passport)
    shown = commands.read("person", "show", added["person"])
    assert (shown["name"], shown["names"], shown["state"]) == ("电***码", 2, "active")
    assert shown["documents"] == "01:110***********006X 03:E1*****78"
    assert shown["card"] == added["card"]


def test_a_person_reads_a_line_a_field(commands: CommandLine) -> None:
    """Without --json nothing is cut and nothing is shown in clear."""
    code, out, _ = commands.run("person", "add", stdin=SAMPLE_JSON)
    assert code == Exit.HELD
    assert "name  电***卡\n" in out
    assert SAMPLE.name not in out
    assert SAMPLE.document_number not in out


@pytest.mark.parametrize(
    "stdin",
    [None, [], {}, {"name": SAMPLE.name}, {**SAMPLE_JSON, "age": 8}, {**SAMPLE_JSON, "name": 7}],
)
def test_a_request_that_is_none_is_refused_without_an_echo(
    commands: CommandLine, stdin: object
) -> None:
    """What is not the asked-for object names the fields, and repeats nothing of what it was."""
    code, out, err = commands.run("person", "add", stdin=stdin)
    assert (code, out) == (Exit.CHECK_FAILED, "")
    assert "request-malformed" in err
    assert SAMPLE.document_number not in err


def test_refusals_name_their_reason(commands: CommandLine) -> None:
    """A mismatch, an unknown person, an id that is none, a patient nobody has: words and exit 1."""
    commands.run("person", "add", stdin=SAMPLE_JSON)
    other = {**SAMPLE_JSON, "name": "张三"}
    for arguments, stdin, reason in (
        (("person", "add"), other, "person-mismatch"),
        (("person", "show", "018f0000-0000-7000-8000-000000000000"), None, "person-unknown"),
        (("person", "show", "nobody"), None, "id-malformed"),
        (("person", "show", "site1:P00000009"), None, "not-found"),
    ):
        code, _, err = commands.run(*arguments, stdin=stdin)
        assert code == Exit.CHECK_FAILED
        assert reason in err
        assert SAMPLE.document_number not in err
