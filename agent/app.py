"""The box put together: builds every part, owns the task group and the order of stopping.

Scanning starts first; the line and the API, whose libraries load slowly, follow. Stopping: refuse
input, finish what is begun, drain once more, say offline, close the queue — each with its limit.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import NamedTuple

from agent.box import RunningBox
from agent.cache.answers import open_cache
from agent.cache.labels import open_labels
from agent.cache.notices import SealedNotices
from agent.config import BoxConfig, BoxFiles
from agent.counter.again import AgainWindow
from agent.counter.birth import Registrar
from agent.counter.display import Display
from agent.counter.documents import Documents
from agent.counter.issuing import Issuing
from agent.counter.issuing_alone import IssuingAlone
from agent.counter.judge import Judge
from agent.counter.operators import Operators
from agent.counter.pin_locks import PinLocks
from agent.counter.print_edges import Edge as PrintEdge
from agent.counter.printing import Printing
from agent.counter.service import Counter
from agent.counter.states import ScanState
from agent.counter.temporary import TemporaryCodes
from agent.counter.tokens import CodeTokens
from agent.drivers.catalog import open_document_reader, open_printer, open_scanner
from agent.drivers.slots import PrinterSlot, ScannerSlot
from agent.enrolment.renewal import Renewing
from agent.enrolment.validity import read_validity
from agent.handover.door import Door
from agent.lease.service import OfflineLease
from agent.lease_parts import BestClock, build_keeper, open_lease
from agent.lists.fetching import Fetching
from agent.lists.service import SiteLists, open_lists
from agent.memory import keep_small
from agent.notices.service import Notices
from agent.offline_queue.bounds import build_bounds
from agent.offline_queue.keeping import Keeping
from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from agent.offline_queue.salvage import Salvage
from agent.offline_queue.states import Edge as QueueEdge
from agent.offline_queue.states import FileEdge
from agent.ports import Cache, LabelJournal
from agent.settings.edges import Edge as SettingsEdge
from agent.settings.reporting import Reporter
from agent.settings.service import Settings
from agent.settings.wrong_pins import keep_wrong_pins, load_wrong_pins
from agent.transport.edges import Edge as LineEdge
from agent.transport.uplink import CentralUplink, open_uplink
from agent.workplace import Workplace, check_workplace
from shared.clock import Clock, SystemClock, read_boot_id
from shared.config import read_secret
from shared.crypto import STD
from shared.errors import OneCodeError, Refused, Unavailable
from shared.systemd import ServiceManager
from shared.watchdog import keep_fed

log = logging.getLogger(__name__)

_FINISH_SECONDS = 3.0
"""Beyond a registration's own deadline: long enough for its label."""
_DRAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Observers:
    """Who watches the states and edges of a box: debug logs, and faults put there by tests."""

    scan: Callable[[ScanState], None] = lambda _: None
    queue: Callable[[QueueEdge], None] = lambda _: None
    line: Callable[[LineEdge], None] = lambda _: None
    settings: Callable[[SettingsEdge], None] = lambda _: None
    printing: Callable[[PrintEdge], None] = lambda _: None
    file: Callable[[FileEdge], None] = lambda _: None


WATCHED_BY_NOBODY = Observers()


async def run_box(
    config: BoxConfig, files: BoxFiles, observers: Observers = WATCHED_BY_NOBODY
) -> None:
    """Run until SIGTERM or SIGINT. Raises errors of our tree when it cannot even start."""
    keep_small()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    manager = ServiceManager()
    async with open_box(config, files, observers, manager) as box, _open_api(config, files, box):
        manager.ready()
        await stop.wait()
        manager.stopping()
        log.info("box %s is stopping", config.box)
    log.info("box %s has stopped", config.box)


@asynccontextmanager
async def open_box(
    config: BoxConfig,
    files: BoxFiles,
    observers: Observers = WATCHED_BY_NOBODY,
    manager: ServiceManager | None = None,
) -> AsyncIterator[RunningBox]:
    """A box at work, its scanner read and its line kept up; leaving the block stops it in order."""
    clock, bounds = SystemClock(), build_bounds(config.queue)
    async with AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(
            open_outbox(
                files.queue,
                config.box_id,
                config.epoch,
                STD,
                bytes.fromhex(config.central_public),
                clock,
                observers.queue,
                bounds,
                observe_file=observers.file,
            )
        )
        lease = open_lease(config, files, clock)
        used_before = (await outbox.read_account()).created > 0
        await asyncio.to_thread(partial(lease.load, used_before=used_before))
        best_clock = BestClock(clock, lease)
        cache = await stack.enter_async_context(
            open_cache(files.cache, files.cache_key, best_clock)
        )
        labels = await stack.enter_async_context(open_labels(files.labels, files.cache_key))
        uplink = open_uplink(
            config,
            files,
            outbox,
            clock,
            observers.line,
            central_now=lambda: lease.central_now,
            known_offset=lambda: lease.time,
        )
        check = partial(check_workplace, config, files.directory, clock)
        settings = Settings(config, files.desired, check, observers.settings)
        settings.load()
        lists = await stack.enter_async_context(
            open_lists(files.lists, files.cache_key, config, best_clock.now)
        )
        lease.heed_lists(lists.heed)
        door = Door(config.lan, files, clock)
        parts = Parts(clock, settings, outbox, cache, labels, lists, uplink, door, lease)
        shelf = SealedNotices(files.notices, files.cache_key)
        notices = Notices(config.box_id, clock, shelf, uplink)
        notices.absence.begin(await _read_oldest_pending(outbox))
        box = _build_box(config, files, parts, observers, notices)
        await box.take_up_labels()
        async with asyncio.TaskGroup() as group:
            scanner = group.create_task(box.read_scanner(group), name="scanner")
            await box.wait_opened()
            log.info("box %s is ready to scan", config.box)
            await notices.load()
            renewing = Renewing(files, config, best_clock, uplink.open_anew)
            keeper = build_keeper(config, files, clock, lease, uplink, renewing, box.tell_changed)
            keeping = Keeping(outbox, bounds, clock, box.origin)
            salvage = Salvage(
                outbox, files.queue, config.box_id, STD, clock, box.origin, observers.file
            )
            moving = {"queue": outbox.wait_moving, "line": uplink.wait_moving}
            background = {
                "line": uplink.run(),
                "listener": box.listen_to_central(),
                "renewal": renewing.run(),
                "watch": box.watch(),
                "bounds": keeping.run(),
                "lease": keeper.run(),
                "lists": Fetching(lists, config.box_id, uplink).run(),
                "salvage": salvage.run(),
                "document reader": box.documents.run(),
                "reporter": _report(config, files, parts, box),
                "watchdog": keep_fed(manager or ServiceManager(), moving),
            }
            tasks = [group.create_task(work, name=name) for name, work in background.items()]
            # What was loaded stays out of every later garbage collection: 20 ms each (measured).
            gc.collect()
            gc.freeze()
            yield box
            scanner.cancel()
            deadline = settings.effective.register_deadline.total_seconds()
            await box.finish_work(deadline + _FINISH_SECONDS)
            with suppress(TimeoutError, OneCodeError):
                async with asyncio.timeout(_DRAIN_SECONDS):
                    await uplink.wait_drained()
            for task in tasks:
                task.cancel()


class Parts(NamedTuple):
    """What outlives any single scan."""

    clock: Clock
    settings: Settings
    outbox: SqliteOutbox
    cache: Cache
    labels: LabelJournal
    lists: SiteLists
    uplink: CentralUplink
    door: Door
    lease: OfflineLease


def _build_box(
    config: BoxConfig, files: BoxFiles, parts: Parts, observers: Observers, notices: Notices
) -> RunningBox:
    settings, now = parts.settings, parts.settings.effective
    wrong, keep = load_wrong_pins(files.wrong_pins), partial(keep_wrong_pins, files.wrong_pins)
    operators = Operators(settings, parts.clock, _verify_pin, PinLocks(parts.clock, wrong, keep))
    registrar = Registrar(
        config.box_id,
        now.counter,
        read_boot_id(),
        parts.clock,
        parts.uplink,
        lambda: operators.current_id,
    )
    tokens = CodeTokens(read_secret(files.pair_key))
    codes = TemporaryCodes(
        STD.signing_key(read_secret(files.signing_key)), config.signing_key_id, settings
    )
    judge = Judge(
        deadline=now.ask_deadline,
        medical_step=now.medical_step,
        registrar=registrar,
        uplink=parts.uplink,
        cache=parts.cache,
        tokens=tokens,
        lists=parts.lists,
        find_key=codes.find_key,
        lease=parts.lease,
    )
    display = Display()
    again = AgainWindow(now.again, registrar)
    counter = Counter(
        registrar=registrar,
        judge=judge,
        outbox=parts.outbox,
        again=again,
        tokens=tokens,
        display=display,
        medical_step=now.medical_step,
        observe=observers.scan,
        hand_over=parts.door,
    )
    scanner = ScannerSlot(open_scanner(now.scanner, files.directory, parts.clock))
    printer = PrinterSlot(open_printer(now.printer, files.directory, config.font, now.label))
    printing = Printing(
        registrar=registrar,
        outbox=parts.outbox,
        journal=parts.labels,
        printer=printer,
        policy=settings,
        observe=observers.printing,
    )
    issuing = Issuing(
        registrar=registrar,
        outbox=parts.outbox,
        uplink=parts.uplink,
        printing=printing,
        deadline=now.register_deadline,
        alone=IssuingAlone(
            registrar=registrar,
            outbox=parts.outbox,
            printing=printing,
            codes=codes,
            tokens=tokens,
            cache=parts.cache,
            lease=parts.lease,
        ),
    )
    workplace = Workplace(
        arranged=now,
        directory=files.directory,
        font=config.font,
        clock=parts.clock,
        registrar=registrar,
        judge=judge,
        again=again,
        counter=counter,
        issuing=issuing,
        scanner=scanner,
        printer=printer,
    )
    settings.subscribe(workplace.arrange)
    return RunningBox(
        box=config.box_id,
        policy=settings,
        operators=operators,
        clock=parts.clock,
        counter=counter,
        issuing=issuing,
        printing=printing,
        display=display,
        outbox=parts.outbox,
        uplink=parts.uplink,
        scanner=scanner,
        printer=printer,
        settings=settings,
        documents=Documents(
            open_document_reader(config.document_reader, files.directory, parts.clock),
            operators,
            parts.clock,
        ),
        lists=parts.lists,
        door=parts.door,
        notices=notices,
        lease=parts.lease,
    )


async def _read_oldest_pending(outbox: SqliteOutbox) -> datetime | None:
    """Since when records wait; None too where the file cannot say now: nothing waits for that."""
    try:
        return await outbox.read_oldest_pending()
    except OneCodeError:
        return None


async def _report(config: BoxConfig, files: BoxFiles, parts: Parts, box: RunningBox) -> None:
    """Say how the box is, for ever."""
    reporter = Reporter(
        box=config.box_id,
        epoch=lambda: parts.outbox.epoch,
        clock=parts.clock,
        line=parts.uplink,
        facts=box,
        settings=parts.settings,
        read_certificate_until=partial(_read_certificate_until, files),
    )
    await reporter.run()


def _read_certificate_until(files: BoxFiles) -> datetime | None:
    """When the certificate ends; None for one that cannot be read, with which no line stands."""
    try:
        return read_validity(read_secret(files.certificate)).not_after
    except (Unavailable, Refused):
        return None


def _verify_pin(pin: str, phc: str) -> bool:
    from shared.passwords import verify_password

    return verify_password(pin, phc)


@asynccontextmanager
async def _open_api(config: BoxConfig, files: BoxFiles, box: RunningBox) -> AsyncIterator[None]:
    await asyncio.to_thread(import_module, "agent.api.server")  # 0.3 s, and scanning has begun
    from agent.api.access import open_token
    from agent.api.server import LocalAccess, serve_api

    token = await asyncio.to_thread(open_token, files.api_token)
    access = LocalAccess(token.text, config.api_port, config.frame_ancestors, lambda: token.trouble)
    async with (
        serve_api(box, SystemClock(), access, None, box.door, box.take_receipt) as port,
        asyncio.TaskGroup() as group,
    ):
        log.info("local API on http://127.0.0.1:%d/api/v1", port)
        assert box.door is not None
        workstations = group.create_task(box.door.run(box), name="workstations")
        keeping = group.create_task(token.keep(), name="token")
        yield
        workstations.cancel()
        keeping.cancel()
