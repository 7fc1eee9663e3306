"""The server: one writer, ingest, and the audit's sealer, until SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import signal

from central.app import Central
from central.ingest.edges import Observe, ignore
from central.ingest.runner import run_ingest
from central.storage.writer import Writer
from shared.errors import Unavailable
from shared.systemd import ServiceManager
from shared.watchdog import keep_fed

_log = logging.getLogger(__name__)

_SEAL_SECONDS = 1.0


async def serve(central: Central, observe: Observe = ignore) -> None:
    """Run until told to stop; then ingest ends first, the writer drains, the audit is sealed.

    An error that nobody expected ends everything: systemd starts it again.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # What was loaded stays out of every later garbage collection: 20 ms each (measured).
    gc.collect()
    gc.freeze()
    manager = ServiceManager()
    async with Writer(central.database) as writer:

        async def writer_moves() -> None:
            await writer.run(_nothing, patient=True)

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    run_ingest(central, writer, ready=_say_ready, observe=observe), name="ingest"
                ),
                group.create_task(_seal_audit(central, writer), name="audit sealer"),
                group.create_task(keep_fed(manager, {"writer": writer_moves}), name="watchdog"),
            ]
            manager.ready()  # the broker may come later; it is a pipe
            await stop.wait()
            manager.stopping()
            for task in tasks:
                task.cancel()
        await writer.run(central.audit.seal_pending)


def _say_ready() -> None:
    _log.info("central is ready: boxes are answered")


def _nothing() -> None:
    """A unit of work that proves the writer turns."""


async def _seal_audit(central: Central, writer: Writer) -> None:
    while True:
        try:
            await writer.run(central.audit.seal_pending, patient=True)
        except Unavailable as error:
            _log.warning("the audit waits for its seals: %s", error)
        await asyncio.sleep(_SEAL_SECONDS)
