"""A box that has not joined: waits for an invite at its scanner, joins, and says so on paper.

No keyboard and no screen are needed. Every scan of an invite ends in a slip, and in a line of the
log where there is no printer. While central cannot be reached it is tried again by itself.
"""

import asyncio
import logging
import signal
from dataclasses import dataclass, field

from agent.config import BoxFiles
from agent.drivers.catalog import open_printer, open_scanner
from agent.enrolment.drafts import Drafts
from agent.enrolment.found import Machine
from agent.enrolment.joining import Joining
from agent.enrolment.slips import build_joined_slip, build_refused_slip
from agent.ports import DeviceChanged, FrameScanned, LabelPrinter, Scanner, Slip
from shared.backoff import Backoff
from shared.clock import Clock, SystemClock
from shared.devices import PrintState
from shared.errors import OneCodeError, Unavailable
from shared.exits import describe
from shared.joining import build_invite, is_invite
from shared.reasons import Reason
from shared.systemd import ServiceManager

log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS = 5.0
_MOST_RETRY_SECONDS = 60.0
_FEED_SECONDS = 10.0
_LOOK_SECONDS = 2.0
"""How soon it is seen that the command line has joined this box meanwhile."""


async def wait_to_join(files: BoxFiles, machine: Machine, serial: str) -> bool:
    """Return True once there is a box to run, False when SIGTERM or SIGINT came before.

    Raises Malformed for kinds of devices that are none, Unavailable (disk), Refused for files that
    are not private.
    """
    clock = SystemClock()
    waiting = Waiting(
        joining=Joining(files, serial, clock, machine),
        scanner=open_scanner(machine.scanner, files.directory, clock),
        printer=open_printer(machine.printer, files.directory),
        clock=clock,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        stopped = group.create_task(stop.wait())
        joined = group.create_task(waiting.run())
        fed = group.create_task(_feed(ServiceManager()))
        await asyncio.wait([stopped, joined], return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, joined, fed):
            task.cancel()
    return files.config.exists()


async def _feed(manager: ServiceManager) -> None:
    """Tell the service manager that we are at work, as long as this loop turns."""
    manager.ready()
    manager.say("waits for an invite: this box has not joined")
    while True:
        manager.feed()
        await asyncio.sleep((manager.watchdog_seconds or 3 * _FEED_SECONDS) / 3)


@dataclass
class Waiting:
    """One unenrolled box, its scanner and its printer."""

    joining: Joining
    scanner: Scanner | None
    printer: LabelPrinter | None
    clock: Clock
    _texts: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _told: Reason | None = None

    async def run(self) -> None:
        """Until the box has joined."""
        log.warning("this box has not joined: scan the invite of central, or run enrol")
        reading = asyncio.create_task(self._read_scanner(), name="invites")
        joining = asyncio.create_task(self._join(), name="joining")
        try:
            await asyncio.wait((reading, joining), return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and self.scanner is not None:
                reading.result()  # a bug of a driver's: nobody would hear an invite any more
            await joining
        finally:
            joining.cancel()
            # Scanner and printer are the running box's next.
            reading.cancel()
            await asyncio.wait([reading, joining])
            if self.printer is not None:
                await self.printer.aclose()

    async def _join(self) -> None:
        retry = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS)
        text = await asyncio.to_thread(self._kept_invite)
        while not self.joining.files.config.exists():
            if not text:
                text = await self._next_invite(_LOOK_SECONDS)
                continue
            try:
                joined = await asyncio.to_thread(self.joining.join, text)
            except Unavailable as error:
                await self._say_refused(error)
                text = await self._next_invite(retry.next_seconds()) or text
            except OneCodeError as error:
                await self._say_refused(error)
                text = ""
                retry.reset()
            else:
                await self._print(build_joined_slip(joined, self.clock.now()))

    async def _next_invite(self, seconds: float) -> str:
        """The next invite that is scanned; the empty text when none is within this time."""
        try:
            async with asyncio.timeout(seconds):
                text = await self._texts.get()
        except TimeoutError:
            return ""
        self._told = None  # whoever scans again wants an answer again
        return text

    async def _read_scanner(self) -> None:
        if self.scanner is None:
            log.warning("no scanner was found: join by the command line")
            return
        async for event in self.scanner.events():
            match event:
                case FrameScanned(data=data):
                    text = data.decode("ascii", errors="replace")
                    if is_invite(text):
                        self._texts.put_nowait(text)
                    else:
                        log.warning("what was scanned is no invite: this box has not joined")
                case DeviceChanged(state=state):
                    log.info("scanner %s %s", self.scanner.descriptor.location, state)

    async def _say_refused(self, error: OneCodeError) -> None:
        log.warning("not joined\n%s", describe(error))
        if self._told is not error.reason:
            self._told = error.reason
            await self._print(build_refused_slip(error, self.clock.now()))

    async def _print(self, slip: Slip) -> None:
        """Say it on paper; no paper is no reason not to go on."""
        if self.printer is None:
            return
        try:
            outcome = await self.printer.print_slip(slip)
        except OneCodeError as error:
            log.warning("no slip\n%s", describe(error))
            return
        if outcome.state not in {PrintState.SENT, PrintState.CONFIRMED}:
            log.warning("no slip: %s %s", outcome.reason, " ".join(sorted(outcome.conditions)))

    def _kept_invite(self) -> str:
        """The invite that a cut left; the empty text when none did."""
        invite = Drafts(self.joining.files.enrolment).invite()
        return build_invite(invite) if invite else ""
