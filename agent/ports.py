"""What the counter needs from the world, as Protocols. The counter knows these and nothing else.

Drivers, queue, cache and transport implement them; ``agent.app`` puts them together; simulators
and fakes have the same signatures.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.clock import ClockOffset
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.ids import RecordId
from shared.ledger import Account, Head, Row
from shared.messages import Ask, Identity, Record, Reply, Settled, Verdict
from shared.reasons import Reason
from shared.sealing import Encapsulation


@dataclass(frozen=True, slots=True)
class DeviceDescriptor:
    """What is plugged in: read from the system, never by opening the device."""

    name: str  # as a technician would say it: "Newland NLS-FR20"
    location: str  # a path such as /dev/ttyACM0, or bus and port
    serial: str = ""
    vendor_id: int | None = None
    product_id: int | None = None
    port: str = ""  # the USB port it hangs on, "1-1.2"; empty where that is not known
    place: str = ""  # which of a box's scanners it is, wherever it is plugged in; empty: the one


@dataclass(frozen=True, slots=True)
class FrameScanned:
    """One complete frame, terminator taken off; ``at`` is when its last byte came."""

    data: bytes = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class FrameDropped:
    """Bytes that cannot be one code (events lost, too long, half a frame): nothing is guessed."""

    reason: Reason
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device's state changed. READY with a reason: it works, and something about it needs a
    cure."""

    device: DeviceDescriptor
    state: DeviceState
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class DeviceReported:
    """A device that is not used, or not as it should be, for somebody to look at; told once. A
    reason of None: it has left."""

    device: DeviceDescriptor
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class ScannerExchanged:
    """Another driver reads from now on: what was told of devices before is over."""


ScannerEvent = FrameScanned | FrameDropped | DeviceChanged | DeviceReported | ScannerExchanged


class Scanner(Protocol):
    """A source of frames that outlives being unplugged."""

    @property
    def descriptor(self) -> DeviceDescriptor: ...

    def events(self) -> AsyncIterator[ScannerEvent]:
        """Frames and state changes, for ever; the device is opened, watched and reopened inside."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """A card was laid on the reader and read; ``sex`` by GB/T 2261.1. Kept in memory only."""

    document_type: str
    number: str = field(repr=False)
    name: str = field(repr=False)
    sex: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DocumentNotRead:
    """A card was there and could not be read; nothing of it is guessed."""

    reason: Reason
    at: datetime


DocumentEvent = DocumentRead | DocumentNotRead | DeviceChanged


class DocumentReader(Protocol):
    """A reader of identity cards that outlives being unplugged: a first visit needs no typing."""

    @property
    def descriptor(self) -> DeviceDescriptor: ...

    def events(self) -> AsyncIterator[DocumentEvent]:
        """Cards and state changes, for ever; a card that stays is read once."""
        ...


@dataclass(frozen=True, slots=True)
class Label:
    """A label as data: what is on it, not how a printer says it."""

    id: RecordId
    code: str = field(repr=False)  # the text of the QR
    name: str = field(repr=False)  # masked
    record_number: str = field(repr=False)
    site: str  # the hospital's name
    date: str  # YYYY-MM-DD
    copy: int = 1
    template: str = "50x30"  # the paper, one of ``agent.drivers.templates``
    language: str = "zh"  # of the label's own words
    temporary: bool = False  # a box's own code: the label says so


@dataclass(frozen=True, slots=True)
class Slip:
    """What a technician reads once, on the paper of a label: texts below each other, a heading
    first."""

    id: RecordId
    lines: tuple[str, ...]
    template: str = "50x30"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A technician's label: its edges, a ruler, lines to judge by."""

    id: RecordId
    template: str = "50x30"


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """How far a label got. FAILED only when no byte has left."""

    state: PrintState
    reason: Reason | None = None
    conditions: frozenset[PrinterCondition] = frozenset()


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What a printer says of itself; silence is SILENT, never READY."""

    state: DeviceState
    conditions: frozenset[PrinterCondition] = frozenset()
    reason: Reason | None = None  # where the state alone does not say what to do


class LabelPrinter(Protocol):
    """A label printer with one writer. A device failing is an outcome, not an exception."""

    @property
    def descriptor(self) -> DeviceDescriptor: ...

    async def read_status(self) -> PrinterStatus: ...

    async def prepare(self, label: Label) -> None:
        """Draw a label ahead of its turn, so that its printing need not wait for that.

        Raises Malformed (GLYPH_MISSING), Unavailable (FONT_MISSING), as ``print`` would.
        """
        ...

    async def print(self, label: Label, sent: Callable[[], None] = lambda: None) -> PrintOutcome:
        """Send one label once; ``sent`` is called in the loop when its last byte has left, the
        outcome follows when the printer's counter has proved it, or cannot.

        CONFIRMED: proved. SENT: nothing is wrong, and this printer has no proof to give. UNKNOWN:
        bytes have left, and a person must look. FAILED: no byte has left.
        Raises Malformed (GLYPH_MISSING) before any byte leaves.
        """
        ...

    async def print_slip(self, slip: Slip | Calibration) -> PrintOutcome:
        """Send one slip once. Raises Unavailable (FONT_MISSING) before any byte leaves."""
        ...

    async def aclose(self) -> None:
        """Let go of the device, after the job at work; another may then take it."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A record ready to be committed. ``consumed`` is the keyed token of a code it used up."""

    id: RecordId
    born_at: datetime
    record: Record
    consumed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Consumption:
    """A code used up at this box: by which scan record, born when, with which verdict."""

    id: RecordId
    born_at: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Fill:
    """How full the queue is, in per cent of what may wait, and what is wrong with it or its disk,
    the gravest."""

    percent: int = 0
    reason: Reason | None = None
    keeps: bool = True  # whether new work is taken on
    lost: tuple[str, ...] = ()  # epoch/first–last: what went with a damaged file of late


class Outbox(Protocol):
    """The durable queue. When ``commit`` returns, the record survives a power cut."""

    @property
    def fill(self) -> Fill:
        """How much room there is, and for whom."""
        ...

    async def commit(self, draft: Draft) -> Row:
        """Seal, sequence, link and store. Raises Unavailable (disk), Malformed (size)."""
        ...

    async def find_consumption(self, token: bytes) -> Consumption | None:
        """The record that used up a code at this box, also after a restart."""
        ...

    async def find_record(self, id: RecordId) -> bool:
        """Whether a record is in the queue. Looks at the newest first, and at all where it is not:
        a question for a restart. Raises Unavailable, Damaged."""
        ...

    async def read_account(self) -> Account: ...

    async def read_oldest_pending(self) -> datetime | None:
        """When the oldest record that central lacks was born. Raises Unavailable, Damaged."""
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """The oldest unsettled rows of one epoch, with all that central needs to open them."""

    head: Head
    rows: tuple[Row, ...]
    encapsulations: tuple[Encapsulation, ...]


class Custody(Protocol):
    """The queue as the uplink sees it: rows waiting for central's receipt."""

    async def wait_for_pending(self) -> None:
        """Return when at least one row is pending; at once if one already is."""
        ...

    async def read_pending(self, limit: int, after: tuple[int, int] = (0, 0)) -> Pending | None:
        """The oldest pending rows of one epoch behind (epoch, seq), at most ``limit``, or None."""
        ...

    async def read_account(self) -> Account: ...

    async def settle(self, epoch: int, rows: Sequence[Settled]) -> int:
        """Mark rows settled by central's receipt; how many changed.

        A sequence that is not pending, or whose hash is not the row's, is left as it is.
        """
        ...

    async def keep_anchor(self, head: Head, signature: bytes) -> bool:
        """Keep a head that central countersigned; whether it is one of ours and further."""
        ...


class HandOver(Protocol):
    """Where texts go that are no codes of ours: kept nowhere here, logged nowhere."""

    def hand_on(self, id: RecordId, at: datetime, text: str) -> int:
        """Give a text as it was read to the workstations that listen; how many these are."""
        ...


class Uplink(Protocol):
    """Questions to central."""

    async def ask(self, ask: Ask, deadline_seconds: float) -> Reply:
        """Raises Unavailable: LINK_DOWN at once (nothing sent), NO_ANSWER after the deadline."""
        ...

    @property
    def clock_offset(self) -> ClockOffset | None:
        """What the last replies told of central's clock; None before the first."""
        ...


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """What central last said of a card at this box: who it is, or why it was refused."""

    identity: Identity | None
    reason: Reason | None
    answered_at: datetime


class Cache(Protocol):
    """This box's own recent answers, sealed to the box. Losing it loses comfort, not records."""

    async def remember(self, token: bytes, answer: CachedAnswer) -> None: ...

    async def recall(self, token: bytes) -> CachedAnswer | None: ...


@dataclass(frozen=True, slots=True)
class KeptLabel:
    """A registration's latest label as a restart finds it: enough to show it, to ask about it and
    to print it again."""

    registration: RecordId
    label: Label
    born_at: datetime
    operator: str  # an id: whose act its state is
    outcome: PrintOutcome
    under_way: bool  # the printer may be at work on it
    record: RecordId  # tells central of this state; of QUEUED, will tell of SENDING
    recorded: bool = False  # known to be in the queue
    reprint_reason: str = ""
    copies: int = 0  # that may have come out
    earlier: tuple[RecordId, ...] = ()  # labels of the same registration
    resident: bytes = b""  # keyed token of whom a temporary code was given to


class LabelJournal(Protocol):
    """Today's labels on the disk, sealed to the box. Losing it loses comfort, not records: nothing
    here raises, and ``trouble`` says so."""

    @property
    def trouble(self) -> Reason | None:
        """LABELS_LOST while labels are not kept, or after those of before were lost."""
        ...

    async def load(self) -> Sequence[KeptLabel]:
        """All that is kept, the oldest first."""
        ...

    async def keep(self, kept: KeptLabel) -> None:
        """The registration's label from now on; when this returns it survives a power cut."""
        ...

    def keep_soon(self, kept: KeptLabel) -> None:
        """The same without waiting: before whatever is kept later."""
        ...

    def erase_soon(self, registrations: Sequence[RecordId]) -> None:
        """Forget them: nothing of them stays in the file."""
        ...
