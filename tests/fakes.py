"""Fakes of the counter's ports, with their signatures; a test decides what they answer and when."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from agent.listed import CodeKeys, KnownKey, Listed
from agent.ports import (
    CachedAnswer,
    Calibration,
    Consumption,
    DeviceDescriptor,
    Draft,
    Fill,
    KeptLabel,
    Label,
    PrinterStatus,
    PrintOutcome,
    Slip,
)
from agent.ports_alone import LeaseStanding
from shared.clock import ClockOffset, ManualClock, to_microseconds
from shared.crypto import VerifyKey
from shared.devices import DeviceState, PrintState
from shared.errors import OneCodeError, Unavailable
from shared.ids import RecordId
from shared.lease import LeaseStep, LeaseUse
from shared.ledger import Account, Row
from shared.messages import Ask, Reply, ScanRecord
from shared.reasons import Reason

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class ScriptedUplink:
    """Each ask waits until the test answers it by its id, in whatever order."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.up = True
        self.clock_offset: ClockOffset | None = ClockOffset(0, 5)
        self._waiting: dict[bytes, asyncio.Future[Reply]] = {}
        self._came = asyncio.Condition()

    async def ask(self, ask: Ask, deadline_seconds: float) -> Reply:
        assert deadline_seconds > 0
        if not self.up:
            raise Unavailable(Reason.LINK_DOWN)
        self._waiting[ask.id] = asyncio.get_running_loop().create_future()
        async with self._came:
            self.asks.append(ask)
            self._came.notify_all()
        return await self._waiting[ask.id]

    async def asked(self, count: int) -> Ask:
        """The ``count``-th ask, once it has come."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.asks) >= count)
        return self.asks[count - 1]

    def answer(self, reply: Reply) -> None:
        self._waiting[reply.id].set_result(reply)

    def stay_silent(self, ask: Ask) -> None:
        self._waiting[ask.id].set_exception(Unavailable(Reason.NO_ANSWER))


class MemoryOutbox:
    """Keeps drafts in order. ``fail_with`` makes commits fail, ``fail_finding_with`` reads;
    ``room`` is how many drafts the disk holds; ``gate`` makes commits wait."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.fail_with: OneCodeError | None = None
        self.fail_finding_with: OneCodeError | None = None
        self.room: int | None = None
        self.fill = Fill()
        self.gate = asyncio.Event()
        self.gate.set()

    async def commit(self, draft: Draft) -> Row:
        await self.gate.wait()
        if self.fail_with is not None:
            raise self.fail_with
        if self.room is not None and len(self.drafts) >= self.room:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "full")
        self.drafts.append(draft)
        born = to_microseconds(draft.born_at)
        return Row(len(self.drafts), draft.id.bytes, draft.record.lane, born, bytes(32), b"")

    async def find_consumption(self, token: bytes) -> Consumption | None:
        if self.fail_finding_with is not None:
            raise self.fail_finding_with
        for draft in self.drafts:
            if draft.consumed == token and isinstance(draft.record, ScanRecord):
                return Consumption(draft.id, draft.born_at, draft.record.verdict)
        return None

    async def find_record(self, id: RecordId) -> bool:
        if self.fail_finding_with is not None:
            raise self.fail_finding_with
        return any(draft.id == id for draft in self.drafts)

    async def read_account(self) -> Account:
        return Account(len(self.drafts), 0, len(self.drafts), 0)

    async def read_oldest_pending(self) -> datetime | None:
        return min((draft.born_at for draft in self.drafts), default=None)


class MemoryCache:
    """A cache that forgets nothing; ``gate`` makes recalling wait."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self._answers: dict[bytes, CachedAnswer] = {}

    async def remember(self, token: bytes, answer: CachedAnswer) -> None:
        self._answers[token] = answer

    async def recall(self, token: bytes) -> CachedAnswer | None:
        await self.gate.wait()
        return self._answers.get(token)


class MemoryLists:
    """Lists that say what a test puts in; by nothing else is anybody known."""

    def __init__(self, keys: Mapping[int, VerifyKey]) -> None:
        self.listed: dict[str, Listed] = {}
        self.keys = CodeKeys({kid: KnownKey(key) for kid, key in keys.items()})
        self.how_old: timedelta | None = None

    async def find(self, name: str) -> Listed:
        return self.listed.get(name, Listed())

    def code_keys(self) -> CodeKeys:
        return self.keys

    def age(self) -> timedelta | None:
        return self.how_old


class ScriptedLease:
    """A lease at the step that the test says; remembers what it was charged for."""

    def __init__(self) -> None:
        self.step = LeaseStep.FULL
        self.reason: Reason | None = None
        self.clock_doubted = False
        self.best_now: datetime | None = None
        self.uses: list[LeaseUse] = []

    def view(self) -> LeaseStanding:
        return LeaseStanding(self.step, self.reason, None, 0, None)

    async def charge(self, use: LeaseUse) -> LeaseStep:
        self.uses.append(use)
        return self.step


class MemoryLabels:
    """A journal that a restart of the counter finds again; ``lost`` keeps nothing more."""

    def __init__(self) -> None:
        self.kept: dict[RecordId, KeptLabel] = {}
        self.lost = False

    @property
    def trouble(self) -> Reason | None:
        return Reason.LABELS_LOST if self.lost else None

    async def load(self) -> Sequence[KeptLabel]:
        return tuple(self.kept.values())

    async def keep(self, kept: KeptLabel) -> None:
        self.keep_soon(kept)

    def keep_soon(self, kept: KeptLabel) -> None:
        if not self.lost:
            self.kept[kept.registration] = kept

    def erase_soon(self, registrations: Sequence[RecordId]) -> None:
        for registration in registrations:
            self.kept.pop(registration, None)


class RecordingPrinter:
    """Remembers labels; ``outcome`` may be an error that comes before any byte leaves. ``taking``
    closed makes it wait before the first byte, ``proving`` closed after the last one."""

    descriptor = DeviceDescriptor("a printer that remembers", "memory")

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self.slips: list[Slip | Calibration] = []
        self.outcome: PrintOutcome | OneCodeError = PrintOutcome(PrintState.SENT)
        self.status = PrinterStatus(DeviceState.READY)
        self.taking = asyncio.Event()
        self.taking.set()
        self.proving = asyncio.Event()
        self.proving.set()

    async def read_status(self) -> PrinterStatus:
        return self.status

    async def print_slip(self, slip: Slip | Calibration) -> PrintOutcome:
        if isinstance(self.outcome, OneCodeError):
            raise self.outcome
        self.slips.append(slip)
        return self.outcome

    async def prepare(self, label: Label) -> None:
        if isinstance(self.outcome, OneCodeError):
            raise self.outcome

    async def print(self, label: Label, sent: Callable[[], None] = lambda: None) -> PrintOutcome:
        await self.taking.wait()
        if isinstance(self.outcome, OneCodeError):
            raise self.outcome
        if self.outcome.state is not PrintState.FAILED:
            self.labels.append(label)
        if self.outcome.state in {PrintState.SENT, PrintState.CONFIRMED}:
            sent()
        await self.proving.wait()
        return self.outcome

    async def aclose(self) -> None:
        """Nothing is held."""


def noon_clock() -> ManualClock:
    """A manual clock at noon."""
    return ManualClock(NOON)


def seconds(count: float) -> timedelta:
    """Shorter to read in tests."""
    return timedelta(seconds=count)
