"""The running box: its scanner's events become scans, the line's events reach the counter, and
the local API finds everything in one place. Made by ``agent.app``.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from agent.api.lease_view import report_lease
from agent.api.views import StateView
from agent.box_view import BoxView
from agent.counter.changes import Listeners, Undo
from agent.counter.display import Display
from agent.counter.documents import Documents
from agent.counter.form import IssueRequest
from agent.counter.issuing import Issuing
from agent.counter.masking import hide_issue, hide_label
from agent.counter.operators import Operators, is_like_badge
from agent.counter.policy import Policy
from agent.counter.printer_watch import PrinterWatch
from agent.counter.printing import Printing, ReprintReason
from agent.counter.scanner_states import ScannerStates
from agent.counter.service import Counter
from agent.counter.states import ScanState
from agent.counter.unlimited import UNLIMITED
from agent.counter.views import IssueView, LabelView, OperatorView, ScanView
from agent.handover.door import Door
from agent.lists.service import SiteLists
from agent.notices.service import Notices
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    DeviceReported,
    FrameDropped,
    FrameScanned,
    LabelPrinter,
    Outbox,
    Scanner,
    ScannerExchanged,
)
from agent.ports_alone import Lease
from agent.settings.reporting import Devices
from agent.settings.service import Settings
from agent.transport.downlink import (
    CommandCame,
    DesiredCame,
    Discarded,
    LateReply,
    LinkChanged,
    ListHeadCame,
    RowsSettled,
)
from agent.transport.link_states import LinkState
from agent.transport.uplink import CentralUplink
from shared.clock import Clock
from shared.desired import DeviceReport, LeaseReport
from shared.devices import DeviceState
from shared.errors import Refused
from shared.ids import BoxId
from shared.ledger import Account
from shared.messages import Origin
from shared.reasons import Reason
from shared.topics import DESIRED

log = logging.getLogger(__name__)

_WATCH_SECONDS = 1.0
_LABELS_ON_A_PAGE = 10
_PRINTER_REPORT_SECONDS = 30.0

T = TypeVar("T")


class RunningBox:
    """What goes on at one counter. Scans run beside each other; each keeps its own answer."""

    def __init__(  # noqa: PLR0913 - the parts of a box
        self,
        *,
        box: BoxId,
        policy: Policy,
        operators: Operators,
        clock: Clock,
        counter: Counter,
        issuing: Issuing,
        printing: Printing,
        display: Display,
        outbox: Outbox,
        uplink: CentralUplink,
        scanner: Scanner | None,
        printer: LabelPrinter | None,
        settings: Settings | None = None,
        documents: Documents | None = None,
        door: Door | None = None,
        lists: SiteLists | None = None,
        notices: Notices | None = None,
        lease: Lease = UNLIMITED,
    ) -> None:
        """``settings`` takes what central wants; without it the box is as it was made."""
        self._documents = documents or Documents(None, operators, clock)
        self._door = door
        self._lists = lists
        if lists is not None:
            lists.on_change = self.tell_changed
        self._notices = notices
        self._box = box
        self._lease = lease
        self._policy = policy
        self._operators = operators
        self._clock = clock
        self._counter = counter
        self._issuing = issuing
        self._printing = printing
        self._display = display
        self._outbox = outbox
        self._uplink = uplink
        self._scanner = scanner
        self._printer = printer
        self._printer_watch = PrinterWatch(printer, clock)
        self._changes: Listeners[None] = Listeners()
        printing.changes.subscribe(lambda _: self._changes.tell(None))
        operators.changes.subscribe(lambda _: self._changes.tell(None))
        self._settings = settings
        if settings is not None:
            settings.subscribe(lambda _: self._changes.tell(None))
        self._documents.state_changes.subscribe(lambda _: self._changes.tell(None))
        first = DeviceState.OPENING if scanner else DeviceState.ABSENT
        name = scanner.descriptor if scanner else DeviceDescriptor("", "")
        self._scanners = ScannerStates(DeviceChanged(name, first))
        self._opened = asyncio.Event()
        self._at_work: set[asyncio.Task[Any]] = set()
        self._view = BoxView(
            box=box,
            policy=policy,
            clock=clock,
            uplink=uplink,
            outbox=outbox,
            operators=operators,
            documents=self._documents,
            printing=printing,
            display=display,
            scanners=self._scanners,
            scanner=scanner,
            printer=printer,
            printer_watch=self._printer_watch,
            door=door,
            lists=lists,
            notices=notices,
            lease=lease,
        )

    async def take_up_labels(self) -> None:
        """Before anything is printed: end what a restart has interrupted, and ask about it."""
        await self._printing.recover()

    async def read_scanner(self, work: asyncio.TaskGroup) -> None:
        """Take the scanner's events for ever; each scan is a task of its own in ``work``."""
        if self._scanner is None:
            self._opened.set()
            return
        async for event in self._scanner.events():
            match event:
                case FrameScanned() if is_like_badge(event.data):
                    self._operators.take_badge(event.data.decode(errors="replace"))
                case FrameScanned():
                    self._operators.act()  # a clerk at work is not idle
                    self._track(work.create_task(self._counter.scan(event), name="scan"))
                    proving = self._printing.scanned_back(event.data)
                    self._track(work.create_task(proving, name="label scanned back"))
                case FrameDropped():
                    self._track(work.create_task(self._counter.refuse_dropped(event)))
                case DeviceChanged(device=device, state=state, reason=reason):
                    self._scanners.take(event)
                    log.info("%s %s %s", device.name or "scanner", state, reason or "")
                    self._changes.tell(None)
                    if state is not DeviceState.OPENING:
                        self._opened.set()
                case ScannerExchanged():
                    self._scanners.take(event)
                case DeviceReported(device=device, reason=reason):
                    self._scanners.take(event)
                    log.warning("%s at %s: %s", device.name, device.port, reason or "has left")
                    self._changes.tell(None)

    async def wait_opened(self) -> None:
        """Return once the scanner is ready, or known not to be."""
        await self._opened.wait()

    async def wait_online(self) -> None:
        """Return once the line to central is up."""
        await self._uplink.wait_up()

    async def listen_to_central(self) -> None:
        """Take what the line tells, for ever."""
        async for event in self._uplink.downlink.events():
            match event:
                case LateReply(reply=reply):
                    await self._counter.take_late_reply(reply)
                case LinkChanged(state=state):
                    self._view.note_link()
                    if self._notices is not None:
                        self._notices.absence.note_link(up=state is LinkState.UP)
                    self._changes.tell(None)
                case RowsSettled(count=count):
                    if self._notices is not None:
                        self._notices.absence.note_delivered(count)
                    self._changes.tell(None)
                case ListHeadCame(payload=payload) if self._lists is not None:
                    await self._lists.take_head(payload)
                case CommandCame(plaintext=plaintext) if self._notices is not None:
                    if await self._notices.take(plaintext):
                        self._changes.tell(None)
                case DesiredCame(plaintext=plaintext) if self._settings is not None:
                    await self._settings.take(plaintext)
                case Discarded(kind=kind, reason=reason) if kind == DESIRED and self._settings:
                    self._settings.note_forged(reason)

    async def watch(self) -> None:
        """Keep the printer's state fresh; end idle sign-ins; for ever."""
        async with asyncio.TaskGroup() as group:
            changed = partial(self._changes.tell, None)
            group.create_task(self._printer_watch.run(changed), name="printer watch")
            while True:
                await asyncio.sleep(_WATCH_SECONDS)
                self._operators.tell()
                self._documents.drop_old()
                self._printing.forget_yesterday()

    def subscribe(self, callback: Callable[[None], None]) -> Undo:
        """Tell when anything of the state has changed; until the returned undo is called."""
        return self._changes.subscribe(callback)

    def tell_changed(self) -> None:
        """Something that pages show has changed elsewhere: a setting, a workstation."""
        self._changes.tell(None)

    def subscribe_scans(self, callback: Callable[[ScanView], None]) -> Undo:
        """Tell each scan that is begun, shown or amended, as the page may show it."""
        return self._display.changes.subscribe(lambda view: callback(self._view.scan(view)))

    def subscribe_operator(self, callback: Callable[[OperatorView], None]) -> Undo:
        """Tell who comes and goes."""
        return self._operators.changes.subscribe(callback)

    async def finish_work(self, seconds: float) -> None:
        """Wait for scans and labels already begun, but no longer than this."""
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=seconds)

    async def scan(self, frame: FrameScanned) -> ScanView:
        """A scan that did not come from the scanner."""
        if is_like_badge(frame.data):
            self._operators.take_badge(frame.data.decode(errors="replace"))
            return ScanView(id="", at=frame.at.isoformat(), state=ScanState.HANDED_ON)
        return self._view.scan(await self._do(self._counter.scan(frame)))

    async def issue(self, request: IssueRequest) -> IssueView:
        """Register and print; goes on to its end when whoever asked has gone.

        Raises Refused: OPERATOR_NEEDED, PERMISSION_MISSING; what ``Issuing.issue`` raises.
        """
        self._operators.check_may_issue()
        try:
            view = await self._do(self._issuing.issue(request))
        finally:
            self._look_after_printing()
        return view if self._operators.may_see_names else hide_issue(view)

    async def reprint(self, label_id: str, reason: ReprintReason, text: str) -> LabelView:
        """Print a label once more; as ``issue`` and ``Printing.reprint``."""
        self._operators.check_may_issue()
        try:
            view = await self._do(self._printing.reprint(label_id, reason, text))
        finally:
            self._look_after_printing()
        return view if self._operators.may_see_names else hide_label(view)

    async def answer_label(self, label_id: str, out: bool) -> LabelView:
        """A person has looked at the printer; as ``Printing.answer``. Raises Refused
        (OPERATOR_NEEDED) besides."""
        self._operators.check_signed_in()
        view = await self._do(self._printing.answer(label_id, out))
        return view if self._operators.may_see_names else hide_label(view)

    def labels(self) -> list[LabelView]:
        """Today's labels, the latest first."""
        return self._view.labels(self._printing.recent())

    @property
    def operators(self) -> Operators:
        """Who works here."""
        return self._operators

    @property
    def door(self) -> Door | None:
        """The hand-over to workstations."""
        return self._door

    @property
    def documents(self) -> Documents:
        """Identity cards laid on the reader."""
        return self._documents

    def origin(self) -> Origin:
        """What a record says that the box itself makes now."""
        return self._counter.origin()

    async def take_receipt(self, sealed: bytes) -> int:
        """A receipt that came by hand; as ``CentralUplink.take_receipt``."""
        return await self._uplink.take_receipt(sealed)

    async def read_account(self) -> Account:
        """The queue's account."""
        return await self._outbox.read_account()

    async def read_oldest_pending(self) -> datetime | None:
        """When the oldest record was born that central lacks. Raises Unavailable, Damaged."""
        return await self._outbox.read_oldest_pending()

    async def read_devices(self) -> Devices:
        """The devices as central is told of them; the printer is not asked at each look."""
        await self._printer_watch.read(_PRINTER_REPORT_SECONDS)
        printer = self._printer_watch.status
        return Devices(
            DeviceReport(_name(self._scanner), self._scanners.together.state),
            DeviceReport(_name(self._printer), printer.state, tuple(sorted(printer.conditions))),
        )

    def read_lease(self) -> LeaseReport:
        """How far the box may still go alone, as central is told of it."""
        return report_lease(self._lease.view())

    def acknowledge(self, scan_id: str) -> None:
        """A person has seen a refusal. Raises Refused (NOT_FOUND) for a scan not shown here."""
        self._operators.act()
        if not self._display.acknowledge(scan_id):
            raise Refused(Reason.NOT_FOUND, "no such scan")
        self._changes.tell(None)

    async def see_notices(self, ids: Sequence[str]) -> None:
        """A clerk has seen what happened while the box was away. Raises Refused (OPERATOR_NEEDED)
        besides what ``Notices.see`` raises."""
        self._operators.check_signed_in()
        if self._notices is not None:
            await self._notices.see(ids)
        self._changes.tell(None)

    def recent(self) -> list[ScanView]:
        """The last scans shown, newest first."""
        return [self._view.scan(view) for view in self._display.recent]

    async def read_state(self) -> StateView:
        """Everything at a glance."""
        return await self._view.read()

    def _look_after_printing(self) -> None:
        self._track(asyncio.create_task(self._look_at_printer(), name="printer status"))
        self._changes.tell(None)

    async def _look_at_printer(self) -> None:
        if await self._printer_watch.read():
            self._changes.tell(None)

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._track(task)
        return await asyncio.shield(task)

    def _track(self, task: asyncio.Task[Any]) -> None:
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)


def _name(device: Scanner | LabelPrinter | None) -> str:
    return device.descriptor.name if device else ""
