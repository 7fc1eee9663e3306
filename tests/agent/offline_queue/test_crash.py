"""kill -9 of a box at every edge of the writer's work: the account holds, promises are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.states import Edge
from shared.ledger import RowState
from tests.agent.offline_queue.box import opened, scan_draft, tampering

PROMISED = {
    "committed": {RowState.PENDING, RowState.SETTLED, RowState.TOMBSTONED},
    "settled": {RowState.SETTLED},
    "tombstoned": {RowState.TOMBSTONED},
}

KILLED_EDGES = list(Edge)


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("edge", KILLED_EDGES)
async def test_a_killed_box_has_kept_every_promise(tmp_path: Path, edge: Edge, times: int) -> None:
    """What was heard is in the file, in its state; the next start goes on without a gap."""
    path = tmp_path / "queue.db"
    if edge == Edge.OPENED:
        times = 1
    heard = _run_until_killed(path, edge, times)
    report = verify_queue(path)
    assert report.holds
    states = _states(path)
    pruned = report.account.created - len(states)
    assert pruned >= sum(int(said) for word, said in heard if word == "pruned")
    gone = {said for word, said in heard if word == "committed"} - states.keys()
    assert len(gone) <= pruned
    for word, said in heard:
        if word != "pruned" and said not in gone:
            assert states[said] in PROMISED[word]
    async with opened(path) as outbox:
        assert (await outbox.commit(scan_draft())).seq == report.account.created + 1
    assert verify_queue(path).holds


def _run_until_killed(path: Path, edge: Edge, times: int) -> list[tuple[str, str]]:
    """What the box had promised when it died."""
    box = subprocess.run(
        [sys.executable, "-m", "tests.agent.offline_queue.crashing_box", path, edge, str(times)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert box.returncode == -9, box.stderr
    return [(word, said) for word, said in map(str.split, box.stdout.splitlines())]


def _states(path: Path) -> dict[str, RowState]:
    with tampering(path) as connection:
        found = connection.execute('SELECT id, state FROM "row"').fetchall()
    return {bytes(id).hex(): RowState(state) for id, state in found}
