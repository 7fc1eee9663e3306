"""What the local API tells of the whole box, as plain data; free of the HTTP library, which loads
late."""

from datetime import datetime

import msgspec

from agent.counter.views import Advice, LabelView, OperatorView, ScanView
from agent.notices.views import AwayView
from shared.devices import DeviceState, PrinterCondition
from shared.lease import LeaseStep
from shared.ledger import Account


class LinkView(msgspec.Struct, frozen=True):
    """The line to central: its state and since when, by the wall clock and the monotonic one;
    ``advice`` where somebody at the box can or must do something about it."""

    state: str
    since: datetime
    since_ms: int = 0
    advice: Advice | None = None


class DeviceView(msgspec.Struct, frozen=True):
    """A device by name, how it is, and what to do about it."""

    name: str
    state: DeviceState
    conditions: tuple[PrinterCondition, ...] = ()
    advice: Advice | None = None
    read_ms: int | None = None  # when it was last asked; None: it tells changes by itself, or never


class AccountView(msgspec.Struct, frozen=True):
    """created = acknowledged + pending + tombstoned, and whether it holds."""

    created: int
    acknowledged: int
    pending: int
    tombstoned: int
    holds: bool
    text: str
    lost: int = 0  # with a damaged file


class UnsentView(msgspec.Struct, frozen=True):
    """What central does not have yet."""

    count: int = 0
    oldest_seconds: int | None = None  # None when there is none
    percent: int = 0  # of what may wait here
    advice: Advice | None = None  # what is wrong with the queue or its disk
    lost: tuple[str, ...] = ()  # epoch/first–last: what went with a damaged file of late


class ListsView(msgspec.Struct, frozen=True):
    """Central's lists: how old, how many entries central says they have, and what is wrong."""

    age_seconds: int | None = None  # of revoked cards and keys; None: not known, or never came
    revoked: int = 0
    persons: int = 0
    advice: Advice | None = None


class LeaseView(msgspec.Struct, frozen=True):
    """How far this box may still go alone: what holds now, what is left until the next step, and
    what changes then. Nothing is left to count at the last step."""

    step: LeaseStep = LeaseStep.FULL
    next_step: LeaseStep | None = None
    seconds: int | None = None
    scans: int | None = None
    issues: int | None = None
    revision: int = 0  # of the lease at work; 0: none has come yet
    issued_at: datetime | None = None  # by central's clock
    advice: Advice | None = None  # why less than everything is allowed


class StateView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a counter shows at a glance; persons masked as whoever is signed in may see."""

    box: str
    counter: str
    site: str = ""
    language: str = "zh"
    at: datetime  # this box's clock
    drill: bool = False
    link: LinkView
    account: AccountView
    unsent: UnsentView = UnsentView()
    scanner: DeviceView  # as the best of them is
    scanners: tuple[DeviceView, ...] = ()  # each by itself
    reports: tuple[DeviceView, ...] = ()  # devices that somebody should look at
    printer: DeviceView
    document_reader: DeviceView | None = None  # None: there is none
    workstations: int = 0  # how many are paired
    operator: OperatorView = OperatorView()
    main: ScanView | None
    recent: tuple[ScanView, ...] = ()  # the last ten, newest first
    unacknowledged: tuple[ScanView, ...] = ()  # refusals that nobody has seen yet, newest first
    labels: tuple[LabelView, ...] = ()  # the last ones, newest first
    questions: tuple[LabelView, ...] = ()  # of the day: a person must look, oldest first
    lists: ListsView = ListsView()
    labels_advice: Advice | None = None  # why labels are not kept over a restart
    lease: LeaseView = LeaseView()
    away: AwayView | None = None  # what happened while the box was away, until a clerk has seen it


class TicketView(msgspec.Struct, frozen=True):
    """A way for one browser, good once and for a minute."""

    ticket: str
    url: str


class SettledView(msgspec.Struct, frozen=True):
    """How many rows a receipt has settled: those that still waited."""

    settled: int


class PairingView(msgspec.Struct, frozen=True):
    """An open pairing window: what is typed at the workstation, and what is compared there."""

    code: str  # eight digits, good once
    address: str  # https://…/pair
    fingerprint: str  # SHA-256 of the certificate, colons between its bytes
    expires_in_seconds: int

    def __repr__(self) -> str:
        return "PairingView(…)"


class WorkstationView(msgspec.Struct, frozen=True):
    """A paired workstation."""

    id: str
    name: str
    paired_at: str  # ISO 8601, UTC


def view_account(account: Account) -> AccountView:
    """The account as it is shown."""
    return AccountView(
        account.created,
        account.acknowledged,
        account.pending,
        account.tombstoned,
        account.holds,
        str(account),
        account.lost,
    )
