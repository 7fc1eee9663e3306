"""How soon a box can scan after its start, and what memory it needs after a day's first work.

The shipped command line in the box's own environment, with a scanner (a pseudo-terminal), the
simulated printer, central and broker beside it. Beside each figure: a bare Python that imports
asyncio, sqlite3 and aiomqtt.
"""

import os
import pty
import re
import subprocess
import sys
import time
import tty
from pathlib import Path

from agent.api.client import LocalApi
from agent.counter.views import IssueView, ScanView
from shared.devices import PrintState
from shared.messages import Verdict
from tests.bench.site import Site, name_devices, open_site, running
from tests.bench.table import Figure, median, run, value_at_most

STARTS = 5
SCANS = 1000
LABELS = 20
BARE = "import asyncio, sqlite3, aiomqtt; print('ready', flush=True); input()"
READY = "is ready to scan"


def measure() -> list[Figure]:
    """All figures of one run."""
    with open_site(1, SCANS) as site:
        master, slave = pty.openpty()
        tty.setraw(slave)
        _configure(site, os.ttyname(slave))
        starts, bare_starts = [], []
        for _ in range(STARTS):
            starts.append(_start_box(site))
            bare_starts.append(_start_bare()[0])
        memory = _work(site)
        os.close(master)
        os.close(slave)
    bare_memory = _start_bare()[1]
    work = f"memory after {SCANS:,} scans and {LABELS} labels"
    return [
        value_at_most("start to ready to scan", median(starts), "s", 1.0, median(bare_starts)),
        value_at_most(work, memory, "MiB", 80, bare_memory),
    ]


def _configure(site: Site, scanner: str) -> None:
    """Give the box a scanner, a printer, a free port and no again-window."""
    (files,) = site.boxes
    name_devices(files, ("serial", scanner), ("simulated", "labels"))
    text = re.sub(r"(?m)^api_port.*", f"api_port = {site.api_port}", files.config.read_text())
    files.config.write_text(text)


def _command(site: Site) -> list[object]:
    return [sys.executable, "-m", "agent", "--dir", site.boxes[0].directory, "run"]


def _start_box(site: Site) -> float:
    log = site.directory / f"start{time.monotonic_ns()}.log"
    begun = time.perf_counter()
    with running(_command(site), log, READY):
        return time.perf_counter() - begun


def _start_bare() -> tuple[float, float]:
    """Seconds to ready, and MiB then."""
    begun = time.perf_counter()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", BARE], stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        taken = time.perf_counter() - begun
        memory = _resident_mib(child.pid)
        child.kill()
    return taken, memory


def _work(site: Site) -> float:
    """Scan and print through the local API; the box's resident memory afterwards, in MiB."""
    with running(_command(site), site.directory / "work.log", "local API on") as box:
        api = LocalApi(site.boxes[0])
        for code in site.codes:
            view = api.post("scan", {"text": code}, ScanView)
            if view.verdict is Verdict.REFUSED:
                raise RuntimeError(f"a scan was refused: {view.advice}")
        for number in range(LABELS):
            issued = api.post("issue", _resident(number), IssueView)
            if issued.label is None or issued.label.state is not PrintState.CONFIRMED:
                raise RuntimeError(f"a label was not printed: {issued}")
        return _resident_mib(box.pid)


def _resident(number: int) -> dict[str, str]:
    """A fictitious resident with a passport: no check character to compute."""
    return {"document_type": "03", "number": f"E{number:08}", "name": f"虚构居民{number}"}


def _resident_mib(pid: int) -> float:
    """VmRSS (proc(5), ``/proc/[pid]/status``)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    sys.exit(run(measure, __doc__))
