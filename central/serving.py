"""The server: one writer, ingest, and the audit's sealer, until SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import signal
from functools import partial

from central.app import Central
from central.fleet.certificates import read_authority
from central.fleet.enrolment import save_roles
from central.fleet.joining import Joins, Reception
from central.fleet.listener import BoxDesk, open_box_listener
from central.fleet.renewal import Renewals
from central.ingest.edges import Observe, ignore
from central.ingest.runner import run_ingest
from central.storage.reader import Reader
from central.storage.writer import Writer
from central.web.app import build_app
from central.web.places import add_pages
from central.web.server import open_listener
from shared.clock import Clock, SystemClock
from shared.errors import Unavailable
from shared.systemd import ServiceManager
from shared.watchdog import keep_fed

_log = logging.getLogger(__name__)

_SEAL_SECONDS = 1.0
_TIDY_SECONDS = 30.0


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
    manager, clock = ServiceManager(), SystemClock()
    line = _Line()
    config = central.config.web
    async with Writer(central.database) as writer, Reader(central.database) as reader:
        app = build_app(
            central,
            central.users,
            writer,
            reader,
            is_connected=line.is_up,
            add_pages=add_pages,
        )

        async def writer_moves() -> None:
            await writer.run(_nothing, patient=True)

        desk = _build_box_desk(central, writer, clock)
        async with (
            open_listener(app, config.host, config.port),
            open_box_listener(desk, clock, config, central.files),
            asyncio.TaskGroup() as group,
        ):
            tasks = [
                group.create_task(
                    run_ingest(central, writer, ready=line.came, lost=line.went, observe=observe),
                    name="ingest",
                ),
                group.create_task(_seal_audit(central, writer), name="audit sealer"),
                group.create_task(_tidy_users(central, writer, clock), name="users"),
                group.create_task(keep_fed(manager, {"writer": writer_moves}), name="watchdog"),
            ]
            manager.ready()  # the broker may come later; it is a pipe
            await stop.wait()
            manager.stopping()
            for task in tasks:
                task.cancel()
        await writer.run(partial(central.users.tidy, clock.now()))
        await writer.run(central.audit.seal_pending)


def _build_box_desk(central: Central, writer: Writer, clock: Clock) -> BoxDesk:
    files, fleet, audit = central.files, central.fleet, central.audit
    authority = read_authority(files.box_ca, files.box_ca_key)
    broker, configuration = central.config.broker, central.settings
    joins = Joins(Reception(fleet, authority), central.keys, audit, broker, configuration)
    renewals = Renewals(fleet, authority, audit)
    return BoxDesk(joins, renewals, partial(save_roles, files, fleet), writer, clock)


class _Line:
    """Whether the broker is there."""

    def __init__(self) -> None:
        self._up = False

    def is_up(self) -> bool:
        return self._up

    def came(self) -> None:
        self._up = True
        _log.info("central is ready: boxes are answered")

    def went(self) -> None:
        self._up = False


def _nothing() -> None:
    """A unit of work that proves the writer turns."""


async def _seal_audit(central: Central, writer: Writer) -> None:
    while True:
        try:
            await writer.run(central.audit.seal_pending, patient=True)
        except Unavailable as error:
            _log.warning("the audit waits for its seals: %s", error)
        await asyncio.sleep(_SEAL_SECONDS)


async def _tidy_users(central: Central, writer: Writer, clock: Clock) -> None:
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        try:
            await writer.run(partial(central.users.tidy, clock.now()), patient=True)
        except Unavailable as error:
            _log.warning("when users were last seen is not written down: %s", error)
