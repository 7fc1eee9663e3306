"""Power cuts of the whole agent under load (fault 2), without a guest: every flush is a cut's edge.

The real process runs with its writes and syncs logged (``write_log.c``), scans, issues, prints,
sends and settles; then its files are built as a cut would leave them, at many points. What the box
had said it had taken is there; what is settled, central has; the account and the chain hold. The
same with a queue that syncs less must lose rows, or nothing here sees what it should. On a real
file system of a real kernel the same is shown by ``tests/hil/test_4_power_cut.py``.
"""

import os
import random
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from demo.residents import SAMPLE
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.world import BOX, World
from tests.power.replay import Replay, read_entries

SCANS = 400
WORKERS = 4
ASKING_EVERY = 40
ISSUES = 5
FULL, NORMAL = "agent", "tests.power.control"


class Known(NamedTuple):
    """A record that the box said it had taken, and how long the log then was."""

    id: bytes
    position: int


class Run(NamedTuple):
    """A box that worked and was killed: its log, its files of before, what was heard."""

    log: Path
    base: Path
    heard: list[Known]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``write_log.c``, compiled."""
    library: Path = tmp_path_factory.mktemp("library") / "write_log.so"
    source = Path(__file__).with_name("write_log.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
    return library


def work_until_killed(world: World, program: str, library: Path, directory: Path) -> Run:
    """Scan from several threads and issue, with everything logged, then kill -9."""
    world.supervisor.stop("box")
    log, base = directory / "writes.log", directory / "base"
    shutil.copytree(world.box_directory, base)
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "POWER_DIRECTORY": str(world.box_directory),
        "POWER_LOG": str(log),
    }
    command = [sys.executable, "-m", program, "--dir", str(world.box_directory), "run"]
    world.supervisor.start("box", command, environment)
    world.supervisor.wait_ready("box", world.api.is_ready)
    world.wait_link("up")
    heard: list[Known] = []
    lock = threading.Lock()

    def scan(number: int) -> None:
        text = other_static_text(number) if number % ASKING_EVERY == 0 else f"AE{number:08d}:1"
        view = world.api.send("scan", {"text": text})
        assert view["state"] == "shown", view
        with lock:  # the length is read after the answer: never earlier than what it stands for
            heard.append(Known(bytes.fromhex(view["id"].replace("-", "")), log.stat().st_size))

    with ThreadPoolExecutor(WORKERS) as workers:
        scanning = [workers.submit(scan, number) for number in range(1, SCANS + 1)]
        for _ in range(ISSUES):
            world.issue(SAMPLE.number, SAMPLE.name)
        for each in scanning:
            each.result()
    world.supervisor.kill("box")
    return Run(log, base, heard)


def count_lost(
    world: World, run: Run, cuts: int, directory: Path, chance: random.Random | None
) -> list[int]:
    """At each of so many cuts, how many records that had been said to be taken are not there; the
    account and the chain are right at all of them."""
    entries = read_entries(run.log)
    first = next(n for n, entry in enumerate(entries) if entry.end >= run.heard[0].position)
    points = sorted({first + (len(entries) - first) * n // cuts for n in range(1, cuts + 1)})
    replay = Replay(world.box_directory, run.base, entries)
    held = oracle.read_central(world.database, str(BOX))
    lost = []
    for count in points:
        disk = directory / f"cut-{count}"
        replay.cut_after(count, disk, chance)
        rows = oracle.read_box(disk / "queue.db")
        for row in rows:
            if row.state == oracle.SETTLED:
                assert held[row.epoch, row.seq] == (row.id, row.hash)
        here = {row.id for row in rows}
        position = entries[count - 1].end
        known = [each for each in run.heard if each.position <= position]
        lost.append(sum(each.id not in here for each in known))
    return lost


def start_again(world: World, disk: Path) -> None:
    """The box on what a cut left: it scans, and everything reaches central once."""
    shutil.rmtree(world.box_directory)
    shutil.copytree(disk, world.box_directory)
    world.start_box()
    assert world.scan(world.issue_code())["verdict"] == "accepted"
    world.prove()


def test_fault_02_nothing_said_is_lost_by_a_power_cut(
    world: World, library: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """In the worst case, and where any of what was not synced has reached the disk."""
    cuts = pytestconfig.getoption("cuts")
    run = work_until_killed(world, FULL, library, tmp_path)
    assert len(run.heard) == SCANS
    seed = pytestconfig.getoption("seed")
    for name, chance in (("worst", None), ("torn", random.Random(seed))):
        lost = count_lost(world, run, cuts, tmp_path / name, chance)
        assert len(lost) == cuts
        assert not any(lost), f"{name}, seed {seed}: {lost}"
    last = max((tmp_path / "worst").iterdir(), key=lambda disk: int(disk.name.split("-")[1]))
    start_again(world, last)


def test_a_queue_that_syncs_less_is_seen_to_lose(
    world: World, library: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """The control: ``synchronous=NORMAL`` loses at most cuts; with it these tests would fail."""
    cuts = pytestconfig.getoption("cuts")
    run = work_until_killed(world, NORMAL, library, tmp_path)
    lost = count_lost(world, run, cuts, tmp_path / "worst", None)
    assert sum(count > 0 for count in lost) > cuts // 2, lost
    world.start_box()
    world.prove()
