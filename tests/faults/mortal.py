"""A box or a central with a fault of its own: ``SIDE DIRECTORY EDGE COUNT [STALL_SECONDS]``.

The real program with observers. At the ``COUNT``-th passing of ``EDGE`` (such as ``scan:asked``,
``queue:committed``, ``line:batch-sent``, ``ingest:after-commit``) it kills itself with SIGKILL,
as a power cut would; with ``STALL_SECONDS`` it stands still there for so long instead.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path


class Fault:
    """Waits for the edge, then strikes once."""

    def __init__(self, edge: str, count: int, stall_seconds: float) -> None:
        self._edge = edge
        self._left = count
        self._stall_seconds = stall_seconds

    def of(self, part: str) -> Callable[[StrEnum], None]:
        """The observer of one part; the same name may be an edge of two parts."""

        def observe(edge: StrEnum) -> None:
            if f"{part}:{edge}" == self._edge:
                self._pass()

        return observe

    def _pass(self) -> None:
        self._left -= 1
        if self._left == 0 and self._stall_seconds:
            time.sleep(self._stall_seconds)
        elif self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def run_box(directory: Path, fault: Fault) -> None:
    """The agent, watched."""
    from agent.app import Observers
    from agent.app import run_box as run
    from agent.config import BoxFiles, read_box_config

    files = BoxFiles(directory)
    observers = Observers(
        fault.of("scan"),
        fault.of("queue"),
        fault.of("line"),
        fault.of("settings"),
        fault.of("printing"),
        fault.of("file"),
    )
    asyncio.run(run(read_box_config(files), files, observers))


def join_box(directory: Path, fault: Fault) -> None:
    """``onecode-agent enrol``, watched; the invite comes on standard input."""
    from agent.config import BoxFiles
    from agent.enrolment.found import Machine
    from agent.enrolment.joining import Joining
    from shared.clock import SystemClock

    joining = Joining(
        BoxFiles(directory), "SN-1", SystemClock(), Machine(), observe=fault.of("join")
    )
    joining.join(sys.stdin.read())


def renew_box(directory: Path, fault: Fault) -> None:
    """``onecode-agent renew``, watched."""
    from agent.config import BoxFiles, read_box_config
    from agent.enrolment.renewal import renew

    files = BoxFiles(directory)
    config = read_box_config(files)
    renew(files, config, even_if_not_due=True, observe=fault.of("renew"))


def run_central(directory: Path, fault: Fault) -> None:
    """Central's ingest, watched."""
    from central.app import open_central
    from central.serving import serve

    with open_central(directory) as central:
        asyncio.run(serve(central, fault.of("ingest")))


def main() -> None:
    """Run until the edge, or until stopped."""
    side, directory, edge, count, *stall = sys.argv[1:]
    logging.basicConfig(level="DEBUG")
    sides = {"box": run_box, "central": run_central, "join": join_box, "renew": renew_box}
    run = sides[side]
    run(Path(directory), Fault(edge, int(count), float(stall[0]) if stall else 0.0))


if __name__ == "__main__":
    main()
