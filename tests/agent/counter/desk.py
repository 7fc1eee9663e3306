"""A counter put together from fakes, with the clock in the test's hand."""

import asyncio
from dataclasses import dataclass, field

from agent.counter.again import AgainWindow
from agent.counter.birth import Registrar
from agent.counter.display import Display
from agent.counter.issuing import Issuing
from agent.counter.issuing_alone import IssuingAlone
from agent.counter.judge import Judge
from agent.counter.operators import Operators
from agent.counter.policy import FixedPolicy
from agent.counter.print_edges import Observe, ignore
from agent.counter.printing import Printing
from agent.counter.service import Counter
from agent.counter.states import ScanState
from agent.counter.temporary import TemporaryCodes
from agent.counter.tokens import CodeTokens
from agent.counter.views import ScanView
from agent.ports import FrameScanned
from shared.clock import ManualClock
from shared.crypto import STD
from shared.ids import BoxId
from shared.messages import MedicalStep, Record
from shared.passwords import verify_password
from tests.factories import DOMAIN_KEY, DOMAIN_KID
from tests.fakes import (
    MemoryCache,
    MemoryLabels,
    MemoryLists,
    MemoryOutbox,
    RecordingPrinter,
    ScriptedLease,
    ScriptedUplink,
    noon_clock,
    seconds,
)

SITE_NAME = "示范医院"
BOX_KEY = STD.signing_key(bytes(range(32)))
"""Signs the box's rows and its temporary codes."""


@dataclass
class Desk:
    """The world around one counter; ``restart`` gives a new process with the same disk."""

    clock: ManualClock = field(default_factory=noon_clock)
    uplink: ScriptedUplink = field(default_factory=ScriptedUplink)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    cache: MemoryCache = field(default_factory=MemoryCache)
    lists: MemoryLists = field(
        default_factory=lambda: MemoryLists({DOMAIN_KID: STD.verify_key(DOMAIN_KEY.public_bytes)})
    )
    labels: MemoryLabels = field(default_factory=MemoryLabels)
    edges: Observe = ignore
    printer: RecordingPrinter = field(default_factory=RecordingPrinter)
    states: list[ScanState] = field(default_factory=list)
    working: list[str] = field(default_factory=list)  # an operator's id, in place of a sign-in
    lease: ScriptedLease = field(default_factory=ScriptedLease)
    policy: FixedPolicy = field(default_factory=lambda: FixedPolicy("window 3", SITE_NAME))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.operators = Operators(self.policy, self.clock, verify_password)
        self.registrar = registrar = Registrar(
            BoxId("site1", "box7"),
            "window 3",
            bytes(16),
            self.clock,
            self.uplink,
            lambda: self.working[0] if self.working else self.operators.current_id,
        )
        self.tokens = tokens = CodeTokens(bytes(32))
        self.codes = TemporaryCodes(BOX_KEY, 1, self.policy)
        self.judge = judge = Judge(
            deadline=seconds(0.8),
            medical_step=MedicalStep.REGISTER,
            registrar=registrar,
            uplink=self.uplink,
            cache=self.cache,
            tokens=tokens,
            lists=self.lists,
            find_key=self.codes.find_key,
            lease=self.lease,
        )
        self.display = Display()
        self.again = AgainWindow(seconds(10), registrar)
        self.counter = Counter(
            registrar=registrar,
            judge=judge,
            outbox=self.outbox,
            again=self.again,
            tokens=tokens,
            display=self.display,
            medical_step=MedicalStep.REGISTER,
            observe=self.states.append,
        )
        self.printing = Printing(
            registrar=registrar,
            outbox=self.outbox,
            journal=self.labels,
            printer=self.printer,
            policy=self.policy,
            observe=self.edges,
        )
        self.issuing = Issuing(
            registrar=registrar,
            outbox=self.outbox,
            uplink=self.uplink,
            printing=self.printing,
            deadline=seconds(5),
            alone=IssuingAlone(
                registrar=registrar,
                outbox=self.outbox,
                printing=self.printing,
                codes=self.codes,
                tokens=tokens,
                cache=self.cache,
                lease=self.lease,
            ),
        )

    def begin(self, text: str | bytes) -> asyncio.Task[ScanView]:
        """Start a scan, as the scanner's loop does."""
        data = text if isinstance(text, bytes) else text.encode()
        return asyncio.create_task(self.counter.scan(FrameScanned(data, self.clock.now())))

    async def scan(self, text: str | bytes) -> ScanView:
        """A scan that needs no answer from the test."""
        return await self.begin(text)

    @property
    def records(self) -> list[Record]:
        return [draft.record for draft in self.outbox.drafts]
