"""The proof from central's tables: whoever changes them is named; the command says so."""

import json
from pathlib import Path

import pytest

from central.__main__ import main
from central.app import open_central
from central.ingest import store
from central.ingest.model import Standing
from shared.crypto import STD
from shared.ledger import Account, Lane, append, genesis_head, hash_of
from shared.reasons import Reason
from tests.central.ingest.boxes import BOX, OTHER, PaperBox, add_box, future_record
from tests.central.ingest.centre import AT, Centre


def fill(centre: Centre, box: PaperBox) -> None:
    """Ten rows, the last of them parked."""
    for _ in range(9):
        box.scan()
    box.append_plaintext(future_record(box.id))
    with centre.database.unit():
        centre.ingest.inbox.take(box.id, box.encode(), AT)


@pytest.mark.parametrize(
    ("statement", "reason", "places"),
    [
        ("DELETE FROM ledger_position WHERE seq = 4", Reason.LEDGER_GAP, {4}),
        ("DELETE FROM ledger_position WHERE seq = 10", Reason.LEDGER_GAP, {10}),
        ("UPDATE ledger_position SET id = zeroblob(16) WHERE seq = 4", Reason.LEDGER_HASH, {4}),
        ("UPDATE ledger_position SET born = 1 WHERE seq = 4", Reason.LEDGER_HASH, {4}),
        ("UPDATE ledger_position SET hash = zeroblob(32) WHERE seq = 4", Reason.LEDGER_LINK, {5}),
        ("UPDATE ledger_position SET hash = zeroblob(32) WHERE seq = 10", Reason.LEDGER_FORK, {10}),
        ("UPDATE ledger_position SET seq = 40 WHERE seq = 4", Reason.LEDGER_FORK, {11}),
        ("UPDATE ledger_head SET seq = 9", Reason.SIGNATURE_WRONG, {9}),
        ("UPDATE ledger_head SET hash = zeroblob(32)", Reason.SIGNATURE_WRONG, {10}),
        ("DELETE FROM ledger_head", Reason.LEDGER_STATE, {0}),
        ("DELETE FROM ledger_parked", Reason.LEDGER_STATE, {10}),
        ("UPDATE ledger_parked SET body = x'00'", Reason.LEDGER_HASH, {10}),
        ("UPDATE ledger_parked SET seq = 3", Reason.LEDGER_STATE, {3, 10}),
        ("UPDATE ledger_position SET standing = 1 WHERE seq = 10", Reason.LEDGER_STATE, {10}),
        ("UPDATE ledger_position SET standing = 3 WHERE seq = 4", Reason.LEDGER_GAP, {0}),
    ],
)
def test_whatever_is_changed_is_named(
    centre: Centre, box: PaperBox, statement: str, reason: Reason, places: set[int]
) -> None:
    """A row taken away, moved or altered, a head cut short: each is found, with its place."""
    fill(centre, box)
    assert centre.ingest.ledger.verify(BOX)[0].holds
    centre.database.execute(statement)
    (report,) = centre.ingest.ledger.verify(BOX)
    assert not report.holds
    assert places == {each.first for each in report.findings if each.reason is reason}


@pytest.mark.parametrize("seq", [2, 40])
def test_a_tombstone_is_held_against_the_signed_head(
    centre: Centre, box: PaperBox, seq: int
) -> None:
    """Rows given up where the head says otherwise, or beyond it, are named."""
    rows = [box.scan(), box.scan()]
    grave = box.bury([rows[1]], [hash_of(STD, rows[1])])
    with centre.database.unit():
        centre.ingest.inbox.take(box.id, box.encode([rows[0], grave]), AT)
        assert centre.ingest.ledger.verify(BOX)[0].holds
    centre.database.execute("DELETE FROM ledger_position WHERE seq = 3")
    signed = box.sign(box.head._replace(seq=2, hash=bytes(32)), ())
    values = (signed.head.seq, signed.head.hash, signed.signature)
    centre.database.execute(
        "UPDATE ledger_head SET seq = ?, hash = ?, signature = ?, hashes = x'', received = 1",
        values,
    )
    centre.database.execute("UPDATE ledger_position SET seq = ? WHERE seq = 2", (seq,))
    findings = centre.ingest.ledger.verify(BOX)[0].findings
    assert [(each.reason, each.first) for each in findings] == [(Reason.LEDGER_FORK, seq)]


def test_one_boxs_rows_are_not_anothers(centre: Centre, box: PaperBox) -> None:
    """Accounts are kept apart, and a row moved to another box breaks both."""
    other = add_box(centre, OTHER)
    fill(centre, box)
    other.scan()
    with centre.database.unit():
        centre.ingest.inbox.take(OTHER, other.encode(), AT)
    accounts = {report.box: report.account for report in centre.ingest.ledger.verify()}
    assert accounts == {str(BOX): Account(10, 10, 0, 0), str(OTHER): Account(1, 1, 0, 0)}
    centre.database.execute("UPDATE ledger_position SET box_id = ? WHERE seq = 5", (str(OTHER),))
    assert not any(report.holds for report in centre.ingest.ledger.verify())


@pytest.fixture
def directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A centre made by its own command line, with one box."""
    central = tmp_path / "central"
    assert main(["--dir", str(central), "init"]) == 0
    place = ["--counter", "挂号1", "--site-name", "市人民医院", "--out", str(tmp_path / "box")]
    assert main(["--dir", str(central), "box", "add", str(BOX), *place]) == 0
    capsys.readouterr()
    return central


def test_the_command_prints_each_account(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a person the account's own line, for a program the same in fields; exit code 0."""
    assert main(["--dir", str(directory), "ledger", "verify"]) == 0
    line = "created 0 = acknowledged 0 + pending 0 + tombstoned 0 ✓"
    assert capsys.readouterr().out == f"box {BOX}\n{line}\n"
    assert main(["--dir", str(directory), "ledger", "verify", "--box", str(BOX), "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["account"] == {
        "created": 0,
        "acknowledged": 0,
        "pending": 0,
        "tombstoned": 0,
        "lost": 0,
    }


def test_the_command_fails_for_a_ledger_that_does_not_hold(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row that nobody received makes exit code 1, and its place is printed."""
    with open_central(directory) as central:
        central.database.execute(
            "INSERT INTO ledger_position VALUES (?, 1, 1, 1, ?, ?, ?, 2, 1, ?, 1)",
            (str(BOX), bytes(16), bytes(32), bytes(32), bytes(32)),
        )
    assert main(["--dir", str(directory), "ledger", "verify"]) == 1
    out = capsys.readouterr().out
    assert "✗ 1/1 ledger-hash" in out
    assert "created 0 = acknowledged 1 + pending 0 + tombstoned 0 ✗" in out


def test_the_commands_of_parked_rows(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is parked in a fresh centre, and replaying nothing holds; unknown boxes fail."""
    assert main(["--dir", str(directory), "ledger", "parked", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["--dir", str(directory), "ledger", "replay"]) == 0
    assert capsys.readouterr().out == "interpreted 0, still parked 0\n"
    assert main(["--dir", str(directory), "ledger", "verify", "--box", "site9/none"]) == 1


def test_the_commands_take_one_box(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--box`` proves, shows and replays one box's rows; an empty name does not mean all."""
    place = ["--counter", "挂号2", "--out", str(tmp_path / "other")]
    assert main(["--dir", str(directory), "box", "add", str(OTHER), *place]) == 0
    row, mark, _ = append(STD, genesis_head(STD, OTHER, 1), bytes(16), Lane.USE, 1, b"sealed")
    with open_central(directory) as central, central.unit():
        store.save_row(OTHER, 1, mark, Standing.PARKED, 1)
        store.insert_parked(OTHER, 1, row, Reason.SCHEMA_UNKNOWN, 1)

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["--dir", str(directory), "ledger", *words])
        return code, capsys.readouterr().out

    assert run("verify", "--box", str(BOX))[0] == 0
    assert run("verify", "--box", str(OTHER))[0] == 1
    assert json.loads(run("parked", "--box", str(BOX), "--json")[1]) == []
    (shown,) = json.loads(run("parked", "--box", str(OTHER), "--json")[1])
    assert (shown["box"], shown["reason"]) == (str(OTHER), "schema-unknown")
    assert run("replay", "--box", str(BOX)) == (0, "interpreted 0, still parked 0\n")
    assert run("replay", "--box", str(OTHER)) == (1, "interpreted 0, still parked 1\n")
    for act in ("verify", "parked", "replay"):
        assert run(act, "--box", "") == (1, "")
