"""``onecode-central``: what is made, what is printed, and how it ends."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO, TextIOWrapper
from pathlib import Path

import msgspec
import pytest

from central.__main__ import COMMANDS, main
from central.app import open_central
from central.config import CentralFiles
from central.keys.selftest import GOLDEN
from shared.exits import Exit
from shared.ids import BoxId
from tests.broker import Broker, free_ports

VECTOR = json.dumps(
    {
        "id_type": GOLDEN.id_type,
        "id_number": GOLDEN.id_number,
        "name": GOLDEN.name,
        "root_key": GOLDEN.root_key,
    }
)
COMMAND = [sys.executable, "-m", "central"]
ADD = ("box", "add", "renmin/box1", "--counter", "counter-1", "--site-name", "虚构市人民医院")


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A directory that ``init`` has made, on ports of its own."""
    directory = tmp_path / "centre"
    boxes, central = free_ports(2)
    ports = ["--box-port", str(boxes), "--central-port", str(central)]
    ports += ["--web-port", "0", "--join-port", "0"]
    assert main(["--dir", str(directory), "init", *ports]) == Exit.HELD
    return directory


def run(directory: Path, *words: str) -> int:
    return main(["--dir", str(directory), *words])


def test_init_names_all_it_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is named, secrets have mode 0600, and the directory is the user's alone."""
    directory = tmp_path / "deep" / "centre"
    assert main(["init", "--dir", str(directory), "--host", "broker.example"]) == Exit.HELD
    named = capsys.readouterr().out
    files = CentralFiles(directory)
    made = [path for path in directory.rglob("*") if path.is_file()]
    assert made
    for path in made:
        private = path.suffix in {".key", ".db", ".sealed", ".json"} or path == files.passphrase
        assert not private or stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert str(path) in named, path
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert 'host = "broker.example"' in files.config.read_text()


def test_init_never_writes_over(centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second init is refused in both languages with a next step, and changes nothing."""
    before = {path: path.read_bytes() for path in centre.rglob("*") if path.is_file()}
    assert run(centre, "init") == Exit.CHECK_FAILED
    error = capsys.readouterr().err
    assert "already-exists" in error
    assert "已经存在" in error
    assert "exists already" in error
    assert before == {path: path.read_bytes() for path in centre.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        ("--host", 'x"\nport = 1'),
        ("--host", ""),
        ("--bind", "everywhere"),
        ("--box-port", "0"),
        ("--central-port", "65536"),
        ("--kid", "208"),
        ("--dynamic-ttl", "3600"),
    ],
)
def test_init_checks_before_it_writes(tmp_path: Path, words: tuple[str, str]) -> None:
    """What could not be read back is refused, and nothing is left behind."""
    directory = tmp_path / "centre"
    assert run(directory, "init", *words) == Exit.CHECK_FAILED
    assert not directory.exists()


def test_two_centres_share_no_key(centre: Path, tmp_path: Path) -> None:
    """Development keys are drawn anew each time, never the specification's."""
    assert run(tmp_path / "other", "init") == Exit.HELD
    with open_central(centre) as central:
        first = central.keys.derive("01", GOLDEN.id_number, GOLDEN.name).ehc_id
    with open_central(tmp_path / "other") as central:
        second = central.keys.derive("01", GOLDEN.id_number, GOLDEN.name).ehc_id
    assert len({first, second, GOLDEN.ehc_id}) == 3


def test_a_box_is_added_and_listed(
    centre: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The fleet knows it, the broker's roles have it, the audit tells who did it and holds."""
    out = tmp_path / "box"
    assert run(centre, *ADD, "--out", str(out)) == Exit.HELD
    capsys.readouterr()
    assert run(centre, "box", "list", "--json") == Exit.HELD
    assert json.loads(capsys.readouterr().out) == [
        {
            "box": "renmin/box1",
            "number": 1,
            "site_name": "虚构市人民医院",
            "counter": "counter-1",
            "state": "active",
        }
    ]
    assert run(centre, "box", "list") == Exit.HELD
    assert "虚构市人民医院" in capsys.readouterr().out
    assert '"renmin/box1"' in CentralFiles(centre).broker_roles.read_text()
    assert stat.S_IMODE(CentralFiles(centre).broker_roles.stat().st_mode) == 0o600
    assert run(centre, "audit", "verify") == Exit.HELD
    # The founding, its first list of revoked certificates, and the box.
    assert "sealed 3, waiting 0" in capsys.readouterr().out
    assert run(centre, *ADD, "--out", str(tmp_path / "again")) == Exit.CHECK_FAILED
    assert run(centre, "box", "add", "central/box1", "--counter", "c", "--out", "x") == 1


def test_names_are_text_in_tables(
    centre: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name in brackets or colons is shown as it is, not taken for a colour or a picture."""
    words = ("box", "add", "renmin/box1", "--counter", ":hospital:", "--site-name", "[red]院[/red]")
    assert run(centre, *words, "--out", str(tmp_path / "box")) == Exit.HELD
    capsys.readouterr()
    assert run(centre, "box", "list") == Exit.HELD
    shown = capsys.readouterr().out
    assert "[red]院[/red]" in shown
    assert ":hospital:" in shown


def test_a_changed_audit_is_named(centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``audit verify`` ends with 1 and names the row."""
    with open_central(centre) as central:
        central.database.execute("DROP TRIGGER audit_row_update")
        central.database.execute("UPDATE audit_row SET actor = 'nobody' WHERE seq = 1")
    capsys.readouterr()
    assert run(centre, "audit", "verify", "--json") == Exit.CHECK_FAILED
    assert [finding["seq"] for finding in json.loads(capsys.readouterr().out)] == [1]
    assert run(centre, "audit", "verify") == Exit.CHECK_FAILED


def test_what_is_durable_is_not_called_a_failure(centre: Path) -> None:
    """The server may hold the database when a command's act is done: its seal can wait."""
    store = sqlite3.connect(centre / "central.db", isolation_level=None)
    with open_central(centre) as central, closing(store) as server:
        central.database.execute("PRAGMA busy_timeout = 0")
        begun: list[str] = []

        def hold(statement: str) -> None:
            if statement.startswith("BEGIN") and begun:
                server.execute("BEGIN IMMEDIATE")
            begun.append(statement)

        with central.unit():
            central.audit.write("test", "centre", "test", GOLDEN.at)
            central.database.connection.set_trace_callback(hold)
            begun.append("the unit's own")
        central.database.connection.set_trace_callback(None)
        assert server.in_transaction
        server.rollback()
        assert central.audit.read_state().unsealed == 1


def test_keys_are_listed_and_renewed(centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A renewed key has a version more; what it is stays hidden."""
    assert run(centre, "keys", "renew", "protect") == Exit.HELD
    capsys.readouterr()
    assert run(centre, "keys", "list", "--json") == Exit.HELD
    keys = [key for key in json.loads(capsys.readouterr().out) if key["key"] == "protect"]
    assert [(key["version"], key["active"]) for key in keys] == [(1, False), (2, True)]
    assert run(centre, "audit", "verify") == Exit.HELD


@pytest.mark.parametrize(
    ("break_it", "reason", "code"),
    [
        (lambda files: files.config.unlink(), "config-missing", Exit.UNAVAILABLE),
        (lambda files: files.config.write_text("host ="), "config-malformed", Exit.CHECK_FAILED),
        (lambda files: files.config.write_text("x = 1"), "config-malformed", Exit.CHECK_FAILED),
        (lambda files: files.passphrase.write_text("wrong"), "keys-locked", Exit.CHECK_FAILED),
        (lambda files: files.keys.write_text("x"), "store-damaged", Exit.CHECK_FAILED),
        (lambda files: files.passphrase.chmod(0o644), "config-malformed", Exit.CHECK_FAILED),
    ],
)
def test_what_is_wrong_is_said(
    centre: Path, capsys: pytest.CaptureFixture[str], break_it: object, reason: str, code: Exit
) -> None:
    """One reason with a next step, the right exit code, no traceback."""
    assert callable(break_it)
    break_it(CentralFiles(centre))
    assert run(centre, "box", "list") == code
    assert reason in capsys.readouterr().err


def test_usage_ends_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command or a missing option is usage."""
    for words in (["nothing"], [], ["box", "add", "renmin/box1"], ["ehc", "derive"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == Exit.USAGE
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == Exit.HELD
    named = capsys.readouterr().out
    assert all(command in named for command in COMMANDS)


def test_the_formula_needs_no_centre(tmp_path: Path) -> None:
    """JSON lines through the shipped command, in a directory where nothing is and nothing comes."""
    done = subprocess.run(
        [*COMMAND, "ehc", "derive", "--vectors"],
        input=f"{VECTOR}\nrubbish\n{VECTOR}",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=60,
        check=False,
    )
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == Exit.CHECK_FAILED
    assert first == third
    assert first["mindex_id"] == GOLDEN.mindex_id
    assert first["factor"] == GOLDEN.factor
    assert first["ehc_id"] == GOLDEN.ehc_id
    assert second["error"] == "request-malformed"
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_the_formula_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a bad line it ends with 0, in whatever directory central is said to be."""
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(VECTOR.encode())))
    out = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(out))
    assert run(tmp_path / "gone", "ehc", "derive", "--vectors") == Exit.HELD
    assert json.loads(out.getvalue())["ehc_id"] == GOLDEN.ehc_id


def test_the_formula_imports_little() -> None:
    """Deriving starts without database, server or tables: that is most of its time."""
    program = (
        "import sys\nfrom central.__main__ import main\nmain(['ehc', 'derive', '--vectors'])\n"
        "print(*sorted({'peewee', 'rich', 'aiomqtt', 'asyncio', 'sqlite3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == ""


@pytest.fixture
def broker(centre: Path, tmp_path: Path) -> Iterator[Broker]:
    files = CentralFiles(centre)
    with open_central(centre) as central:
        ports = [central.config.broker.box_port, central.config.broker.central_port]
    with Broker(files.broker_config, ports, tmp_path / "broker.log") as broker:
        yield broker


def test_serve_answers_and_stops_when_told(broker: Broker, centre: Path) -> None:
    """It says when it is ready, ends with 0 on SIGTERM, and leaves the audit sealed."""
    with subprocess.Popen(
        [*COMMAND, "--dir", str(centre), "serve"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            assert any("ready" in line for line in process.stderr)
            with open_central(centre) as central, central.database.unit():
                central.audit.write("test", "serve", "test", GOLDEN.at)
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(30) == Exit.HELD, rest
        finally:
            process.kill()
    with open_central(centre) as central:
        assert central.audit.read_state().unsealed == 0
        assert list(central.audit.verify()) == []


def test_personal_data_is_nowhere_in_clear(
    centre: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a registration neither database nor write-ahead log holds number, name, index or id."""
    assert run(centre, *ADD, "--out", str(tmp_path / "box")) == Exit.HELD
    request = {
        "document_type": "01",
        "document_number": GOLDEN.id_number,
        "name": GOLDEN.name,
        "phone": "13800138000",
    }
    with open_central(centre) as central:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(msgspec.json.encode(request))))
        assert run(centre, "person", "add", "--json") == Exit.HELD
        derived = central.keys.derive("01", GOLDEN.id_number, GOLDEN.name)
        pair_key = (tmp_path / "box" / "pair.key").read_bytes()
        stored = b"".join(path.read_bytes() for path in centre.glob("central.db*"))
        assert central.fleet.boxes() == [BoxId("renmin", "box1")]
    assert len(stored) > 100_000
    secrets = [GOLDEN.id_number, GOLDEN.name, "13800138000", derived.mindex_id, derived.ehc_id]
    for secret in secrets:
        assert secret.encode() not in stored
        assert secret.lower().encode() not in stored
    for binary in (pair_key, bytes.fromhex(derived.mindex_id), bytes.fromhex(derived.ehc_id)):
        assert binary not in stored
