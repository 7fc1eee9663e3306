"""Fault 23: a box with unsent records is not reset, not joined anew, not taken away; or they go
into a file first, and central gets every one of them.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.__main__ import main as agent
from central.__main__ import main as central
from shared.ledger import EPOCHS_A_MACHINE
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.world import BOX, SETTLE_SECONDS, World

SCANS = 20


def at_box(world: World, *arguments: str | Path) -> int:
    """Run ``onecode-agent``."""
    return agent(["--dir", str(world.box_directory), *map(str, arguments)])


def test_a_reset_with_unsent_records(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused in words, whoever asks; with a file the machine leaves, central has all, and the
    machine that joins under the name begins an epoch that nobody has used."""
    world.broker.kill()
    world.wait_offline()
    for number in range(SCANS):
        world.scanner.scan(other_static_text(number))
    world.wait_created(SCANS)
    assert at_box(world, "reset") == 3, "the agent runs"
    world.supervisor.stop("box")
    before = oracle.read_box(world.queue)
    invite = world.invite(BOX)
    for act in (["reset"], ["queue", "unsent"], ["enrol", "--again", invite]):
        capsys.readouterr()
        assert at_box(world, *act) == 1, act
        assert "queue-unsent" in capsys.readouterr().err, act
    assert oracle.read_box(world.queue) == before

    file = tmp_path / "along.queue"
    assert at_box(world, "reset", "--export", file) == 0
    left = {path.name for path in world.box_directory.iterdir()}
    assert "queue-site1-box7.db" in left
    assert not left & {"box.toml", "queue.db", "signing.key", "pair.key", "box.pem", "cache.db"}
    assert at_box(world, "reset") == 0, "done again, it is done"
    arguments = ["--dir", str(world.central_directory), "queue", "import", str(file)]
    assert central(arguments) == 0
    rows = oracle.read_box(world.box_directory / "queue-site1-box7.db")
    held = oracle.read_central(world.database, str(BOX))
    assert {(row.epoch, row.seq): (row.id, row.hash) for row in rows} == held

    world.broker.start()
    world.restart_central()  # it is there when the machine asks, not some seconds later
    device = f"serial:{world.scanner.path}"
    program = [sys.executable, "-m", "agent", "--dir", str(world.box_directory), "enrol"]
    machine = ["--api-port", str(world.api.port), "--scanner", device, "--printer", "none"]
    joined = subprocess.run(
        [*program, "--serial", "SN-1", *machine, invite],
        capture_output=True,
        text=True,
        timeout=SETTLE_SECONDS,
        check=False,
    )
    assert joined.returncode == 0, joined.stderr
    world.start_box()
    view = world.scan(world.static_code())
    assert view["verdict"] == "accepted"
    (row,) = [row for row in oracle.read_box(world.queue) if row.id.hex() == view["id"]]
    assert row.epoch == 1 + EPOCHS_A_MACHINE


def test_a_settled_box_leaves_at_once(world: World) -> None:
    """Nothing is unsent: no file, no question."""
    world.wait_link("up")
    world.supervisor.stop("box")
    assert at_box(world, "queue", "unsent") == 0
    assert at_box(world, "reset") == 0
    assert not (world.box_directory / "box.toml").exists()
