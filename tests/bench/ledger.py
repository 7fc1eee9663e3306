"""A million rows: proving the account from the box's file and from central's tables, and opening a
queue that holds a million unsent.

The rows are the journal's own, written in groups of ten thousand; central's positions are copied
from them. Each proof is a process of its own, whose memory is measured too.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.outbox import open_outbox
from central.ingest.model import Standing
from shared.crypto import STD
from shared.ledger import Account, Head, signed_bytes
from tests.backlog import build_backlog
from tests.bench.enqueue import BOX, BUILD
from tests.bench.table import Figure, run, shown, value_at_most
from tests.central.ingest.boxes import add_box
from tests.central.ingest.centre import open_centre

ROWS = 1_000_000
CENTRAL = STD.recipient_key(bytes(range(32)))


def measure() -> list[Figure]:
    """Build once, measure each in a child."""
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=BUILD, prefix="bench-ledger-") as name:
        directory = Path(name)
        build_backlog(directory / "queue.db", BOX, 1, CENTRAL.public_bytes, ROWS)
        _build_centre(directory)
        opening, box, centre = (_child(what, directory) for what in ("open", "box", "central"))
    return [
        value_at_most("a million unsent rows: opening", opening[0], "s", 2),
        value_at_most("a million unsent rows: memory", opening[1], "MiB", 80),
        value_at_most("ledger verify at the box, a million rows", box[0], "s", 10),
        shown("memory", box[1], "MiB"),
        value_at_most("ledger verify at central, a million rows", centre[0], "s", 10),
        shown("memory", centre[1], "MiB"),
    ]


def _build_centre(directory: Path) -> None:
    with open_centre(directory) as centre:
        box = add_box(centre, BOX)
        connection = centre.database.connection
        connection.execute("ATTACH ? AS queue", (str(directory / "queue.db"),))
        connection.execute(
            "INSERT INTO ledger_position SELECT ?, epoch, seq, ?, id, hash, prev, lane, born,"
            ' body_hash, born FROM queue."row"',
            (str(BOX), Standing.INTERPRETED.value),
        )
        last = 'SELECT epoch, seq, hash FROM queue."row" ORDER BY seq DESC LIMIT 1'
        head = Head(*connection.execute(last).fetchone())
        signature = box.signing_key.sign(signed_bytes(STD, BOX, 1, head, []))
        values = (str(BOX), *head, STD.id.value, 1, signature, b"", ROWS)
        connection.execute("INSERT INTO ledger_head VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def _child(what: str, directory: Path) -> tuple[float, float]:
    """Seconds and MiB of one proof."""
    command = [sys.executable, "-m", "tests.bench.ledger", "--child", what, str(directory)]
    done = subprocess.run(command, capture_output=True, check=True)
    seconds, mebibytes = json.loads(done.stdout)
    return seconds, mebibytes


def _do(what: str, directory: Path) -> Account:
    if what == "box":
        report = verify_queue(directory / "queue.db")
        assert report.holds
        return report.account
    if what == "central":
        with open_centre(directory) as centre:
            (proof,) = centre.ingest.ledger.verify(BOX)
            assert proof.holds, proof.findings
            return proof.account
    return asyncio.run(_open(directory))


async def _open(directory: Path) -> Account:
    queue = directory / "queue.db"
    async with open_outbox(queue, BOX, 1, STD, CENTRAL.public_bytes) as outbox:
        assert await outbox.read_pending(100) is not None
        return await outbox.read_account()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        begun = time.perf_counter()
        assert _do(sys.argv[2], Path(sys.argv[3])).created == ROWS
        taken = time.perf_counter() - begun
        peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        assert peak is not None
        print(json.dumps([taken, int(peak[1]) / 1024]))
    else:
        sys.exit(run(measure, __doc__))
