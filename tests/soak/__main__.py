"""``make soak``: three boxes, central and a broker under random faults, and a witness's verdict.

``ARGS="--seconds 600 --records 100000 --seed 7"``. Everything is drawn from the seed; the folder
with all files and logs is kept where the verdict is bad.
"""

import argparse
import asyncio
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from demo.supervisor import StepError
from tests.soak.drivers import Drivers
from tests.soak.mischief import Mischief
from tests.soak.site import Site

ROOT = Path("build/soak")
SPARE = 1.25
"""Patients come faster than the goal needs, for boxes are away now and then."""
SHOW_SECONDS = 5.0
SETTLE_SECONDS = 300.0


def read_pending(site: Site) -> dict[str, int | None]:
    """What waits at each box; None where it does not answer."""
    pending: dict[str, int | None] = {}
    for box in site.boxes:
        try:
            pending[box.name] = box.api.fetch("account")["pending"]
        except (OSError, StepError, ValueError):
            pending[box.name] = None
    return pending


async def soak(site: Site, seconds: float, rate: float, seed: int, tell: IO[str]) -> Mischief:
    """Patients and faults for so long; then until all is settled."""
    drivers = Drivers(site, rate, lambda box, record: print(box, record, file=tell, flush=True))
    mischief = Mischief(site, seed)
    begun = time.monotonic()

    def show(pending: dict[str, int | None]) -> None:
        waits = " ".join(f"{name} {'away' if n is None else n}" for name, n in pending.items())
        struck = sum(mischief.struck.values())
        print(
            f"{time.monotonic() - begun:6.0f} s  {drivers.taken.total():7} taken"
            f"  waiting: {waits}  {struck} faults, last: {mischief.last}",
            flush=True,
        )

    async with asyncio.TaskGroup() as group:
        group.create_task(drivers.run())
        striking = group.create_task(mischief.run())
        while time.monotonic() - begun < seconds:
            await asyncio.sleep(min(SHOW_SECONDS, seconds))
            show(await asyncio.to_thread(read_pending, site))
        mischief.stop()
        await striking
        drivers.stop()
    await settle(site, show)
    print(f"\nunanswered: {drivers.unanswered}; not kept, and said so: {dict(drivers.refused)}")
    print(f"taken: {drivers.taken.total()} in {time.monotonic() - begun:.0f} s")
    return mischief


async def settle(site: Site, show: Callable[[dict[str, int | None]], None]) -> None:
    """Everything runs; wait until nothing waits at any box."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        pending = await asyncio.to_thread(read_pending, site)
        show(pending)
        if not any(count is None or count for count in pending.values()):
            return
        site.ensure_running()
        await asyncio.sleep(2.0)
    print("not everything is settled in time")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--records", type=int, default=100_000, help="at least so many")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    site = Site(ROOT.resolve(), options.seed)
    queues = [f"{box.id}={box.queue}" for box in site.boxes]
    command = [sys.executable, "-m", "tests.soak.witness", str(site.database), *queues]
    with site:
        if site.small_disk is None:
            print("no disk is filled: nothing can be mounted here (that takes root)")
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as witness:
            assert witness.stdin is not None
            rate = SPARE * options.records / options.seconds
            work = soak(site, options.seconds, rate, options.seed, witness.stdin)
            mischief = asyncio.run(work)
            for name in (*(box.name for box in site.boxes), "central"):
                site.supervisor.stop(name)
            witness.stdin.close()
            code = witness.wait()
    for what, count in sorted(mischief.struck.items()):
        print(f"{count:5}  {what}")
    for name, count in mischief.ended_by_itself.items():
        print(f"{count:5}  {name} ended by itself (see {site.supervisor.log_file(name)})")
    return code or int(bool(mischief.ended_by_itself))  # only a bug ends a process by itself


if __name__ == "__main__":
    sys.exit(main())
