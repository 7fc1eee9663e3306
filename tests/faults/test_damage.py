"""The queue's file damaged under a real box: it goes on by itself, and both sides name the gap.

Fault 3 of the list: noise, a flipped page, truncation, a file that is none. What is spoiled under
the open file is in ``tests/agent/offline_queue/test_damage.py``.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from central.app import open_central
from central.cases.kinds import CaseKind
from central.ingest.account import Accounts
from demo.supervisor import wait_until
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.world import BOX, SETTLE_SECONDS, World

PAGE = 4096


def root_of(path: Path, table: str) -> int:
    """Where in the file a table's tree begins."""
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = database.execute(query, (table,)).fetchone()
    return int(page - 1) * PAGE


def noise(path: Path) -> None:
    """The page that leads to all rows becomes noise."""
    at, content = root_of(path, "row"), bytearray(path.read_bytes())
    content[at : at + PAGE] = bytes(range(256)) * (PAGE // 256)
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Half of the file is gone."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 // PAGE * PAGE])


def swap(path: Path) -> None:
    """Two whole pages change places: nothing in them is wrong but where they lie."""
    one, other = root_of(path, "row"), root_of(path, "encapsulation")
    content = bytearray(path.read_bytes())
    content[one : one + PAGE], content[other : other + PAGE] = (
        content[other : other + PAGE],
        content[one : one + PAGE],
    )
    path.write_bytes(content)


def empty(path: Path) -> None:
    """Nothing is left."""
    path.write_bytes(b"")


def scan_offline(world: World, count: int) -> None:
    """Scans that central does not hear of; the file then has pending rows of many pages."""
    world.broker.kill()
    world.wait_offline()
    before = world.api.fetch("account")["created"]
    for number in range(count):
        world.scanner.scan(other_static_text(number))
    world.wait_created(before + count)


def wait_salvaged(world: World, least: int) -> None:
    """Wait until so many files at least were set aside, and all are dealt with."""

    def look() -> bool | None:
        folders = list(world.queue.parent.glob("quarantine/*"))
        done = all((folder / "salvaged.json").exists() for folder in folders)
        return True if len(folders) >= least and done else None

    wait_until(look, SETTLE_SECONDS, "the damaged file is salvaged")


def ended(world: World) -> dict[int, int]:
    """The last sequence that the box still knew of each epoch that went with a file."""
    folders = world.queue.with_name("quarantine").iterdir()
    read = (json.loads((folder / "salvaged.json").read_text()) for folder in folders)
    return {epoch: seq for salvaged in read for epoch, seq in salvaged["ended"]}


def central_account(world: World) -> set[tuple[int, int]]:
    """What central holds for lost, by epoch and sequence; it proves all else, and lacks nothing."""
    with open_central(world.central_directory) as central:
        (report,) = central.ledger.verify(BOX)
        counted = Accounts().read(BOX)
    assert not report.findings
    assert report.account.holds
    assert report.account.pending == 0
    assert (counted.lost, counted.pending) == (report.account.lost, 0)
    return {(each.epoch, seq) for each in report.lost for seq in range(each.first, each.last + 1)}


@pytest.mark.parametrize("spoil", [noise, cut, swap, empty])
def test_a_file_spoiled_at_rest(world: World, spoil: Callable[[Path], None]) -> None:
    """Pending rows that can be read arrive as they were born; the others are named, at both sides,
    by sequence; scanning goes on in a new epoch; nobody had to come."""
    scan_offline(world, 120)
    world.supervisor.stop("box")
    before = {row.id: row for row in oracle.read_box(world.queue)}
    held = set(oracle.read_central(world.database, str(BOX)))
    spoil(world.queue)
    folders = len(list(world.queue.parent.glob("quarantine/*")))
    world.start_box(online=False)
    wait_salvaged(world, folders + 1)
    assert world.scan(world.static_code())["verdict"] == "provisional"
    world.broker.start()
    world.wait_link("up")
    world.prove()
    rows = {row.id: row for row in oracle.read_box(world.queue)}
    for id, row in before.items():
        if id in rows:
            assert (rows[id].seq, rows[id].hash) == (row.seq, row.hash)
    assert max(row.epoch for row in rows.values()) == max(r.epoch for r in before.values()) + 1
    at_central = oracle.read_central(world.database, str(BOX))
    missing = {(r.epoch, r.seq) for r in before.values()} - set(at_central)
    named = central_account(world)
    assert all(at in named or at[1] > ended(world)[at[0]] for at in missing)
    assert held <= set(at_central), "what central had, it has"
    assert not (named & held)
    state = world.api.fetch("state")["unsent"]
    assert state["advice"]["reason"] in {"rows-lost", "queue-quarantined"}
    with open_central(world.central_directory) as central, central.unit():
        kinds = [case.kind for case in central.cases.list_undecided()]
    assert kinds.count(CaseKind.LEDGER_DAMAGED) == folders + 1, "a person is asked, once a file"
