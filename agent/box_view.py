"""What a page is shown of a box at a glance, persons masked as whoever is there may see.

Reads the parts of a running box and changes none. Made by ``agent.box``.
"""

from datetime import timedelta

from agent.api.lease_view import view_lease
from agent.api.views import DeviceView, LinkView, ListsView, StateView, UnsentView, view_account
from agent.counter.display import Display
from agent.counter.documents import Documents
from agent.counter.masking import hide_label, hide_scan
from agent.counter.operators import Operators
from agent.counter.policy import Policy
from agent.counter.printer_watch import PrinterWatch
from agent.counter.printing import Printing
from agent.counter.scanner_states import ScannerStates
from agent.counter.views import Advice, LabelView, ScanView, advise
from agent.handover.door import Door
from agent.lists.service import SiteLists
from agent.notices.service import Notices
from agent.ports import DeviceChanged, LabelPrinter, Outbox, Scanner
from agent.ports_alone import Lease
from agent.transport.uplink import CentralUplink
from shared.clock import Clock
from shared.devices import DeviceState
from shared.errors import OneCodeError
from shared.ids import BoxId
from shared.messages import ListName
from shared.reasons import Reason

_LABELS_ON_A_PAGE = 10
_SECOND = timedelta(seconds=1)


class BoxView:
    """The page's view of one box."""

    def __init__(  # noqa: PLR0913 - the parts that are shown
        self,
        *,
        box: BoxId,
        policy: Policy,
        clock: Clock,
        uplink: CentralUplink,
        outbox: Outbox,
        operators: Operators,
        documents: Documents,
        printing: Printing,
        display: Display,
        scanners: ScannerStates,
        scanner: Scanner | None,
        printer: LabelPrinter | None,
        printer_watch: PrinterWatch,
        door: Door | None,
        lists: SiteLists | None,
        notices: Notices | None,
        lease: Lease,
    ) -> None:
        """``scanners`` and ``printer_watch`` are kept by the box."""
        self._box = box
        self._policy = policy
        self._clock = clock
        self._uplink = uplink
        self._outbox = outbox
        self._operators = operators
        self._documents = documents
        self._printing = printing
        self._display = display
        self._scanners = scanners
        self._scanner = scanner
        self._printer = printer
        self._printer_watch = printer_watch
        self._door = door
        self._lists = lists
        self._notices = notices
        self._lease = lease
        self.note_link()

    def note_link(self) -> None:
        """The line to central has changed its state now."""
        self._link_since_ms = self._clock.monotonic_ns() // 1_000_000

    async def read(self) -> StateView:
        """Everything at a glance."""
        if self._printer_watch.read_ms is None:
            await self._printer_watch.read()
        # Later readings are the box's own: no page waits for a printer that is slow or at work.
        printer = self._printer_watch.status
        account = await self._outbox.read_account()
        main = self._display.main
        return StateView(
            box=str(self._box),
            counter=self._policy.counter,
            site=self._policy.site_name,
            language=self._policy.language,
            at=self._clock.now(),
            link=self._view_link(),
            account=view_account(account),
            unsent=await self._view_unsent(account.pending),
            scanner=self._view_scanner(self._scanners.together),
            scanners=tuple(map(self._view_scanner, self._scanners.each)),
            reports=tuple(
                DeviceView(device.name, DeviceState.FAULTY, advice=advise(reason))
                for device, reason in self._scanners.reports
            ),
            printer=DeviceView(
                self._printer.descriptor.name if self._printer else "",
                printer.state,
                tuple(sorted(printer.conditions)),
                advise(printer.reason),
                self._printer_watch.read_ms,
            ),
            document_reader=self._view_document_reader(),
            workstations=len(self._door.list_workstations()) if self._door else 0,
            operator=self._operators.view(),
            main=self.scan(main) if main else None,
            recent=tuple(map(self.scan, self._display.recent)),
            unacknowledged=tuple(map(self.scan, self._display.unacknowledged)),
            labels=tuple(self.labels(self._printing.recent(_LABELS_ON_A_PAGE))),
            questions=tuple(self.labels(self._printing.questions())),
            lists=self._view_lists(),
            labels_advice=advise(self._printing.trouble),
            away=self._notices.view() if self._notices else None,
            lease=view_lease(self._lease.view()),
        )

    def scan(self, view: ScanView) -> ScanView:
        """A scan as whoever is signed in may see it."""
        return view if self._operators.may_see_names else hide_scan(view)

    def labels(self, views: list[LabelView]) -> list[LabelView]:
        """Labels as whoever is signed in may see them."""
        return views if self._operators.may_see_names else [hide_label(view) for view in views]

    def _view_lists(self) -> ListsView:
        lists = self._lists
        if lists is None:
            return ListsView()
        age = lists.age()
        return ListsView(
            None if age is None else age // _SECOND,
            lists.count(ListName.REVOKED),
            lists.count(ListName.PERSONS),
            advise(lists.trouble),
        )

    def _view_link(self) -> LinkView:
        link = self._uplink.link
        advice = _advise_on_line(self._uplink.trouble)
        return LinkView(link.state, link.since, self._link_since_ms, advice)

    async def _view_unsent(self, pending: int) -> UnsentView:
        """The oldest has no age when the file cannot say."""
        try:
            oldest = await self._outbox.read_oldest_pending()
        except OneCodeError:
            oldest = None
        seconds = None if oldest is None else max(0, (self._clock.now() - oldest) // _SECOND)
        fill = self._outbox.fill
        return UnsentView(pending, seconds, fill.percent, advise(fill.reason), fill.lost)

    def _view_scanner(self, changed: DeviceChanged) -> DeviceView:
        name = changed.device.name or (self._scanner.descriptor.name if self._scanner else "")
        return DeviceView(name, changed.state, advice=advise(changed.reason))

    def _view_document_reader(self) -> DeviceView | None:
        documents = self._documents
        if documents.name is None:
            return None
        return DeviceView(documents.name, documents.state, advice=advise(documents.reason))


def _advise_on_line(trouble: Reason | None) -> Advice | None:
    """That a network is away needs no words of its own: it comes back without anybody here."""
    return None if trouble is Reason.BROKER_UNAVAILABLE else advise(trouble)
