"""A stolen box tells nothing, and a cloned one gives itself away (fault 22)."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.config import BoxFiles, read_box_config
from agent.offline_queue.outbox import open_outbox
from agent.ports import Draft
from central.app import open_central
from central.fleet.states import BoxState
from shared.clock import SystemClock
from shared.crypto import STD
from shared.ids import new_record_id
from shared.ledger import Lane
from shared.messages import Origin, RepeatRecord, Verdict
from tests.factories import other_static_text
from tests.faults import oracle
from tests.faults.world import BOX, World


def test_fault_22_sealed_data_does_not_open_elsewhere(world: World, tmp_path: Path) -> None:
    """Somebody who has the disk, and not central's key: neither the code that was scanned nor who
    was registered stands in any file, and the bodies do not open with all the keys that lie
    there."""
    code = world.issue_code()
    world.scan(code)
    world.issue("110101199003078515", "张小六")
    world.prove()
    stolen = tmp_path / "stolen"
    shutil.copytree(world.box_directory, stolen)
    for path in stolen.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in (code.encode(), b"110101199003078515", "张小六".encode()):
                assert secret not in content, path.name


async def test_fault_22_a_cloned_box_is_found_out(world: World, tmp_path: Path) -> None:
    """Two lines under one name: as soon as the second reports, central holds a contradiction,
    believes neither, and a person has to look; what each had reported before stays."""
    world.scan(other_static_text(1))
    created = world.prove()
    clone = tmp_path / "clone"
    shutil.copytree(world.box_directory, clone)
    await _scan_alone(clone)
    world.scan(other_static_text(2))
    world.prove()
    _swap(world, clone)
    world.start_box(online=False)
    world.wait_central(lambda: _state(world) is BoxState.QUARANTINED)
    assert oracle.forks(world.database, str(BOX))
    with open_central(world.central_directory) as central:
        (report,) = central.ledger.verify(BOX)
        assert not report.holds
    assert len(oracle.read_central(world.database, str(BOX))) > created


async def _scan_alone(directory: Path) -> None:
    """What the clone did by itself: a record at the sequence that the first gives next."""
    files = BoxFiles(directory)
    config, now = read_box_config(files), SystemClock().now()
    public = bytes.fromhex(config.central_public)
    origin = Origin(config.box, config.counter, bytes(16), 0, 1)
    record = RepeatRecord(lane=Lane.USE, origin=origin, first=bytes(16), verdict=Verdict.REFUSED)
    async with open_outbox(files.queue, BOX, config.epoch, STD, public) as outbox:
        await outbox.commit(Draft(new_record_id(now), now, record))


def _swap(world: World, clone: Path) -> None:
    """The clone goes on in the first one's place."""
    world.supervisor.stop("box")
    for path in world.box_directory.glob("queue.db*"):
        path.unlink()
    for path in clone.glob("queue.db*"):
        shutil.copy(path, world.box_directory)
    with closing(sqlite3.connect(world.queue)) as queue:
        assert queue.execute('SELECT count(*) FROM "row" WHERE state = 0').fetchone()[0]


def _state(world: World) -> BoxState:
    with open_central(world.central_directory) as central:
        return central.fleet.box(BOX).state
