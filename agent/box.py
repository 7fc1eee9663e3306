"""The running box: its scanner's events become scans, the line's events reach the counter, and
the local API finds everything in one place. Made by ``agent.app``.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from agent.api.views import DeviceView, LinkView, StateView, view_account
from agent.counter.display import Display
from agent.counter.issuing import IssueRequest, Issuing
from agent.counter.service import Counter
from agent.counter.views import IssueView, ScanView, advise
from agent.ports import (
    DeviceChanged,
    FrameDropped,
    FrameScanned,
    LabelPrinter,
    Outbox,
    PrinterStatus,
    Scanner,
)
from agent.transport.downlink import LateReply
from agent.transport.uplink import CentralUplink
from shared.devices import DeviceState
from shared.ids import BoxId
from shared.ledger import Account
from shared.reasons import Reason

log = logging.getLogger(__name__)

T = TypeVar("T")


class RunningBox:
    """What goes on at one counter. Scans run beside each other; each keeps its own answer."""

    def __init__(  # noqa: PLR0913 - the parts of a box
        self,
        *,
        box: BoxId,
        counter_name: str,
        counter: Counter,
        issuing: Issuing,
        display: Display,
        outbox: Outbox,
        uplink: CentralUplink,
        scanner: Scanner | None,
        printer: LabelPrinter | None,
    ) -> None:
        self._box = box
        self._counter_name = counter_name
        self._counter = counter
        self._issuing = issuing
        self._display = display
        self._outbox = outbox
        self._uplink = uplink
        self._scanner = scanner
        self._printer = printer
        self._scanner_state = DeviceState.OPENING if scanner else DeviceState.ABSENT
        self._scanner_reason: Reason | None = None
        self._opened = asyncio.Event()
        self._at_work: set[asyncio.Task[Any]] = set()

    async def read_scanner(self, work: asyncio.TaskGroup) -> None:
        """Take the scanner's events for ever; each scan is a task of its own in ``work``."""
        if self._scanner is None:
            self._opened.set()
            return
        async for event in self._scanner.events():
            match event:
                case FrameScanned():
                    self._track(work.create_task(self._counter.scan(event), name="scan"))
                case FrameDropped():
                    self._track(work.create_task(self._counter.refuse_dropped(event)))
                case DeviceChanged(state=state, reason=reason):
                    self._scanner_state, self._scanner_reason = state, reason
                    log.info("scanner %s %s", state, reason or "")
                    if state is not DeviceState.OPENING:
                        self._opened.set()

    async def wait_opened(self) -> None:
        """Return once the scanner is ready, or known not to be."""
        await self._opened.wait()

    async def wait_online(self) -> None:
        """Return once the line to central is up."""
        await self._uplink.wait_up()

    async def listen_to_central(self) -> None:
        """Take what the line tells, for ever."""
        async for event in self._uplink.downlink.events():
            if isinstance(event, LateReply):
                await self._counter.take_late_reply(event.reply)

    async def finish_work(self, seconds: float) -> None:
        """Wait for scans and labels already begun, but no longer than this."""
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=seconds)

    async def scan(self, frame: FrameScanned) -> ScanView:
        """A scan that did not come from the scanner."""
        return await self._do(self._counter.scan(frame))

    async def issue(self, request: IssueRequest) -> IssueView:
        """Register and print; goes on to its end when whoever asked has gone."""
        return await self._do(self._issuing.issue(request))

    async def read_account(self) -> Account:
        """The queue's account."""
        return await self._outbox.read_account()

    def recent(self) -> list[ScanView]:
        """The last scans shown, newest first."""
        return list(self._display.recent)

    async def read_state(self) -> StateView:
        """Everything at a glance."""
        link = self._uplink.link
        printer = PrinterStatus(DeviceState.ABSENT)
        if self._printer is not None:
            printer = await self._printer.read_status()
        return StateView(
            box=str(self._box),
            counter=self._counter_name,
            link=LinkView(link.state, link.since),
            account=view_account(await self.read_account()),
            scanner=DeviceView(
                _name(self._scanner), self._scanner_state, advice=advise(self._scanner_reason)
            ),
            printer=DeviceView(
                _name(self._printer),
                printer.state,
                tuple(sorted(printer.conditions)),
                advise(printer.reason),
            ),
            main=self._display.main,
        )

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._track(task)
        return await asyncio.shield(task)

    def _track(self, task: asyncio.Task[Any]) -> None:
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)


def _name(device: Scanner | LabelPrinter | None) -> str:
    return device.descriptor.name if device else ""
