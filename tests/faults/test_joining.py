"""Joining and renewing against the real centre, killed at every edge: joined or not, never half.

The same command finishes what was cut off, with the same keys, and central knows one box.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from agent.config import BoxFiles, read_box_config
from agent.enrolment.states import Edge
from agent.enrolment.validity import read_validity
from central.app import open_central
from demo.box_api import BoxApi
from demo.scanner import PtyScanner
from demo.supervisor import Supervisor, wait_until
from shared.config import read_secret
from shared.crypto import STD
from shared.exits import Exit
from shared.ids import BoxId
from shared.joining import build_invite, parse_invite
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from shared.topics import REPLY
from tests.broker import free_ports
from tests.faults import oracle
from tests.faults.world import SETTLE_SECONDS, World

RENEWING = [edge for edge in Edge if edge.startswith("renewal")]
JOINING = [edge for edge in Edge if edge not in RENEWING]
MADE_A_BOX = {Edge.CONFIG_INSTALLED, Edge.JOINED_NOTED}
KILLED = -9
RENEWED = BoxId("site1", "renewed")


def run(directory: Path, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """One command of the agent, to its end."""
    program = [sys.executable, "-m", "agent", "--dir", str(directory), *command]
    return subprocess.run(
        program, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def enrol(directory: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Join by this invite."""
    machine = ("--serial", "SN-1", "--scanner", "none", "--printer", "none")
    return run(directory, "enrol", "-", *machine, *options, text=text)


def kill_at(side: str, directory: Path, edge: Edge, text: str = "") -> None:
    """Do it, and be killed there."""
    program = [sys.executable, "-m", "tests.faults.mortal", side, str(directory)]
    done = subprocess.run(
        [*program, f"{side}:{edge}", "1"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == KILLED, done.stderr


def certificates(world: World, box: BoxId) -> list[str]:
    """Serials of the box's certificates that are good."""
    with closing(sqlite3.connect(world.database)) as database:
        found = database.execute(
            "SELECT serial FROM certificate WHERE box_id = ? AND revoked_at IS NULL", (str(box),)
        )
        return [serial for (serial,) in found]


def assert_trusted(world: World, files: BoxFiles, box: BoxId) -> None:
    """Central knows this box by what lies in its directory: certificate, pair key, signing key."""
    serial = read_validity(read_secret(files.certificate)).serial
    assert serial in certificates(world, box)
    config = read_box_config(files)
    assert config.box_id == box
    signed = STD.signing_key(read_secret(files.signing_key)).sign(b"rows")
    with open_central(world.central_directory) as central, central.unit():
        sealed = central.fleet.pair_key(box).seal(Direction.DOWN, box, REPLY, b"hello")
        central.fleet.verify_key(box, config.signing_key_id).verify(signed, b"rows")
    assert PairKey(read_secret(files.pair_key)).open(Direction.DOWN, box, REPLY, sealed) == b"hello"


@pytest.mark.parametrize("edge", JOINING)
def test_joining_is_killed(world: World, tmp_path: Path, edge: Edge) -> None:
    """There is a box or there is none; the same command finishes, and once more changes nothing."""
    box, files = BoxId("site1", f"cut-at-{edge}"), BoxFiles(tmp_path / "box")
    invite = world.invite(box, "SN-1")
    kill_at("join", files.directory, edge, invite)
    assert files.config.exists() == (edge in MADE_A_BOX)
    for _ in "ab":
        done = enrol(files.directory, invite)
        assert done.returncode == Exit.HELD, done.stderr
        assert str(box) in done.stdout
        assert_trusted(world, files, box)
        assert len(certificates(world, box)) == 1
    assert [path.name for path in files.enrolment.iterdir()] == ["joined"]


@pytest.fixture(scope="module")
def joined(world: World, tmp_path_factory: pytest.TempPathFactory) -> BoxFiles:
    """A box that has joined."""
    files = BoxFiles(tmp_path_factory.mktemp("joined") / "box")
    assert enrol(files.directory, world.invite(RENEWED)).returncode == Exit.HELD
    return files


@pytest.mark.parametrize("edge", RENEWING)
def test_renewing_is_killed(world: World, joined: BoxFiles, edge: Edge) -> None:
    """The old certificate or the new one is there, and central believes it; the command goes on."""
    kill_at("renew", joined.directory, edge)
    assert_trusted(world, joined, RENEWED)
    before = read_secret(joined.certificate)
    done = run(joined.directory, "renew")
    assert done.returncode == Exit.HELD, done.stderr
    assert read_secret(joined.certificate) != before
    assert_trusted(world, joined, RENEWED)
    assert [path.name for path in joined.enrolment.iterdir()] == ["joined"]


def test_refusals_end_in_one_next_step(world: World, tmp_path: Path) -> None:
    """Used by another box, for another machine, mistyped, of another centre: nothing is kept."""
    other = BoxId("site1", "refused")
    mine, theirs = BoxFiles(tmp_path / "mine"), BoxFiles(tmp_path / "theirs")
    used = world.invite(other)
    assert enrol(theirs.directory, used).returncode == Exit.HELD
    invite = parse_invite(used)
    stranger = msgspec.structs.replace(invite, ca_fingerprint=b"?" * 32)
    for text, reason in (
        (used, Reason.INVITE_USED),
        (world.invite(other, "SN-2"), Reason.INVITE_OTHER_MACHINE),
        (used[:-1] + ("A" if used[-1] != "A" else "B"), Reason.INVITE_MALFORMED),
        (build_invite(msgspec.structs.replace(invite, secret=b"?" * 16)), Reason.INVITE_UNKNOWN),
        (build_invite(stranger), Reason.CENTRE_NOT_EXPECTED),
    ):
        done = enrol(mine.directory, text)
        assert done.returncode == Exit.CHECK_FAILED
        assert reason in done.stderr
        assert reason.words.next_zh in done.stderr
        assert reason.words.next_en in done.stderr
        assert not mine.config.exists()
        assert not mine.enrolment.exists() or not list(mine.enrolment.iterdir())


def test_a_box_joins_at_its_scanner_and_works(world: World, tmp_path: Path) -> None:
    """No keyboard, no screen, one process: invite scanned, slip printed, then a patient's code."""
    box, files = BoxId("site1", "scanned"), BoxFiles(tmp_path / "box")
    slips = tmp_path / "slips"
    (port,) = free_ports(1)
    api = BoxApi(port, files.api_token)
    with PtyScanner(tmp_path / "scanner") as scanner, Supervisor(tmp_path / "logs") as supervisor:
        machine = ["--serial", "SN-1", "--api-port", port, "--scanner", f"serial:{scanner.path}"]
        machine += ["--printer", f"simulated:{slips}"]
        program = [sys.executable, "-m", "agent", "--dir", files.directory, "run", *machine]
        supervisor.start("box", [str(part) for part in program])
        log = supervisor.log_file("box")
        supervisor.wait_ready("box", lambda: "ready" in log.read_text() or None)
        scanner.scan(world.invite(box))
        supervisor.wait_ready("box", api.is_ready)
        assert len(list(slips.glob("*.png"))) == 1
        wait_until(lambda: is_up(api), SETTLE_SECONDS, "the line is up")
        scanner.scan(world.issue_code())
        (view,) = wait_until(lambda: api.fetch("verdicts") or None, SETTLE_SECONDS, "a verdict")
        assert (view["verdict"], view["decided_by"]) == ("accepted", "central")
        wait_until(lambda: is_settled(api), SETTLE_SECONDS, "its row is settled")
    assert oracle.prove(files.queue, world.database, str(box)) == 1


def test_a_revoked_box_says_so_once_and_keeps_its_queue(world: World, tmp_path: Path) -> None:
    """In words, with the next step; it goes on scanning, and nothing it holds is lost."""
    box, files = BoxId("site1", "revoked"), BoxFiles(tmp_path / "box")
    (port,) = free_ports(1)
    api = BoxApi(port, files.api_token)
    assert enrol(files.directory, world.invite(box), "--api-port", str(port)).returncode == 0
    with Supervisor(tmp_path / "logs") as supervisor:
        program = [sys.executable, "-m", "agent", "--dir", str(files.directory), "run"]
        supervisor.start("box", program)
        log = supervisor.log_file("box")
        supervisor.wait_ready("box", api.is_ready)
        wait_until(lambda: is_up(api), SETTLE_SECONDS, "the line is up")
        command = ["--dir", str(world.central_directory), "box", "revoke", str(box)]
        done = subprocess.run(
            [sys.executable, "-m", "central", *command, "--why", "lost"],
            capture_output=True,
            check=False,
        )
        assert done.returncode == Exit.HELD, done.stderr
        next_step = Reason.CERTIFICATE_REVOKED.words.next_zh
        wait_until(lambda: next_step in log.read_text() or None, SETTLE_SECONDS, "it says so")
        api.send("scan", {"text": world.static_code()})
        assert api.fetch("account")["pending"] == 1
    assert log.read_text().count(next_step) == 1
    assert len(oracle.read_box(files.queue)) == 1


def is_up(api: BoxApi) -> bool | None:
    """Whether the line is."""
    return True if api.fetch("state")["link"]["state"] == "up" else None


def is_settled(api: BoxApi) -> bool | None:
    """Whether nothing waits."""
    return True if api.fetch("account")["pending"] == 0 else None
