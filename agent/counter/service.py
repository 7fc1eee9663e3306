"""Scanning at a counter: frame → verdict → durable record → shown, each frame on its own.

Knows ports only. The record is committed before anyone hears OK; what cannot be kept is shown as
unsaved. A second read within moments is "again"; a code used up here is refused without asking.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from agent.counter.again import AgainWindow
from agent.counter.allowed import allow
from agent.counter.birth import Birth, Registrar
from agent.counter.display import Display
from agent.counter.judge import Judge, Judged
from agent.counter.states import ScanEvent, ScanState, next_state
from agent.counter.tokens import CodeTokens
from agent.counter.verdicts import Decision, refuse
from agent.counter.views import ScanView, advise
from agent.ports import Consumption, Draft, FrameDropped, FrameScanned, HandOver, Outbox
from shared.ehc import Code, DynamicCode, ForeignText, code_class, parse_code
from shared.errors import Malformed, OneCodeError
from shared.lease import LeaseStep
from shared.ledger import Lane
from shared.messages import (
    CodeClass,
    DecidedBy,
    LateAnswerRecord,
    MedicalStep,
    Origin,
    RepeatRecord,
    Reply,
    ScanRecord,
    Verdict,
)
from shared.reasons import Reason

log = logging.getLogger(__name__)

_EVIDENCE_BYTES = 256
"""How much of a text that is no code its record keeps."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One frame, parsed: a code, or why it is none."""

    birth: Birth
    data: bytes
    code: Code | None
    malformed: Reason | None

    @property
    def code_class(self) -> CodeClass:
        return CodeClass.MALFORMED if self.code is None else code_class(self.code)

    @property
    def text(self) -> str:
        data = self.data if self.code else self.data[:_EVIDENCE_BYTES]
        return data.decode("utf-8", "replace")


class _Scan:
    """One scan on its way through the state table."""

    def __init__(self, birth: Birth, observe: Callable[[ScanState], None]) -> None:
        self.birth = birth
        self.state = ScanState.FRAMED
        self._observe = observe
        observe(self.state)

    def advance(self, event: ScanEvent) -> None:
        self.state = next_state(self.state, event)
        self._observe(self.state)


class Counter:
    """One counter's scanning. ``observe`` sees each state that a scan enters."""

    def __init__(  # noqa: PLR0913 - the parts of a counter
        self,
        *,
        registrar: Registrar,
        judge: Judge,
        outbox: Outbox,
        again: AgainWindow,
        tokens: CodeTokens,
        display: Display,
        medical_step: MedicalStep,
        observe: Callable[[ScanState], None],
        hand_over: HandOver | None = None,
    ) -> None:
        """``hand_over`` takes texts that are no codes of ours; None: nobody does."""
        self._registrar = registrar
        self._judge = judge
        self._outbox = outbox
        self._again = again
        self._tokens = tokens
        self._display = display
        self.medical_step = medical_step
        self._observe = observe
        self._hand_over = hand_over
        self._under_way: dict[bytes, asyncio.Event] = {}

    def origin(self) -> Origin:
        """What a record says that is born here now, of no scan."""
        return self._registrar.origin(self._registrar.birth())

    async def scan(self, frame: FrameScanned) -> ScanView:
        """Take one frame all the way; what a patient shows and what a disk refuses is data."""
        scan = _Scan(self._registrar.birth(frame.at), self._observe)
        self._display.begin(self._view(scan))
        try:
            code, malformed = parse_code(frame.data), None
        except Malformed as refusal:
            code, malformed = None, refusal.reason
        if isinstance(code, ForeignText):
            scan.advance(ScanEvent.FOREIGN)
            return self._show(self._hand_on(scan, code))
        read = _Read(scan.birth, frame.data, code, malformed)
        token = self._tokens.of_text(frame.data)
        first = self._again.find(token)
        if first is not None:
            # Shielded: who gives up waiting must not take the first read's view from the others.
            shown = await asyncio.shield(first.shown)
            if shown.verdict is not None:
                latest = self._display.find(shown.id) or shown  # a late answer may have come
                return await self._repeat(scan, first.birth.id.bytes, latest)
        return await self._judge_first(scan, read, token)

    async def refuse_dropped(self, dropped: FrameDropped) -> ScanView:
        """A showing that brought no whole frame: the clerk hears why, and it is recorded."""
        scan = _Scan(self._registrar.birth(dropped.at), self._observe)
        self._display.begin(self._view(scan))
        read = _Read(scan.birth, b"", None, dropped.reason)
        return await self._judge_and_keep(scan, read, self._tokens.of_text(b""))

    async def take_late_reply(self, reply: Reply) -> None:
        """Central's answer to a scan already judged here: kept as a later state of that scan."""
        decision = await self._judge.take_late(reply)
        if decision is None:
            return
        if through := self._under_way.get(reply.id):
            await through.wait()  # the answer came while the scan's own record was being kept
        birth = self._registrar.birth()
        record = LateAnswerRecord(
            lane=Lane.USE,
            origin=self._registrar.origin(birth),
            first=reply.id,
            verdict=decision.verdict,
            reason=decision.reason,
        )
        try:
            await self._outbox.commit(Draft(birth.id, birth.at, record))
        except OneCodeError as error:
            log.error("a late answer could not be kept: %s", error)
            return
        shown = self._display.find(reply.id.hex())
        if shown is not None and shown.state is ScanState.SHOWN:
            self._display.amend(self._allow(_decided(shown, decision)))

    async def _judge_first(self, scan: _Scan, read: _Read, token: bytes) -> ScanView:
        first = self._again.open(token, scan.birth)
        view = None
        try:
            view = await self._judge_and_keep(scan, read, token)
            first.shown.set_result(view)
        finally:
            if view is None:
                first.shown.cancel()
            if view is None or view.verdict is None:
                self._again.close(token, first)
        return view

    async def _judge_and_keep(self, scan: _Scan, read: _Read, token: bytes) -> ScanView:
        through = self._under_way[scan.birth.id.bytes] = asyncio.Event()
        try:
            return await self._judge_or_repeat(scan, read, token)
        finally:
            del self._under_way[scan.birth.id.bytes]
            through.set()

    async def _judge_or_repeat(self, scan: _Scan, read: _Read, token: bytes) -> ScanView:
        single_use = isinstance(read.code, DynamicCode)
        try:
            used = await self._outbox.find_consumption(token) if single_use else None
        except OneCodeError as error:
            return self._show_unsaved(scan, error)
        if used is not None and self._is_again(used):
            return await self._repeat_after_restart(scan, read, used)
        judged = await self._decide(scan, read, used)
        consumes = single_use and judged.decision.uses_up
        record = ScanRecord(
            lane=Lane.IDENTITY if consumes else Lane.USE,
            origin=self._registrar.origin(scan.birth),
            code_class=read.code_class,
            code=read.text,
            medical_step=self.medical_step,
            verdict=judged.decision.verdict,
            reason=judged.decision.reason,
            decided_by=judged.decision.decided_by,
            asked=judged.asked,
        )
        view = msgspec.structs.replace(self._view(scan), code_class=read.code_class)
        draft = Draft(scan.birth.id, scan.birth.at, record, token if consumes else None)
        return await self._keep(scan, draft, _decided(view, judged.decision))

    async def _decide(self, scan: _Scan, read: _Read, used: Consumption | None) -> Judged:
        if read.code is None or used is not None:
            scan.advance(ScanEvent.JUDGE)
            return Judged(refuse(read.malformed or Reason.CODE_USED), asked=False)
        scan.advance(ScanEvent.ASK)
        judged = await self._judge.judge(scan.birth, read.code, read.text)
        answered = judged.decision.decided_by is DecidedBy.CENTRAL
        scan.advance(ScanEvent.ANSWER if answered else ScanEvent.SILENCE)
        return judged

    def _is_again(self, used: Consumption) -> bool:
        """Whether a code used up here was shown a moment ago, before a restart.

        What this process has used up is in the window itself: a wall clock that jumps back later
        makes no used code good again.
        """
        if self._registrar.uptime() >= self._again.window:
            return False
        return abs(self._registrar.now() - used.born_at) < self._again.window

    async def _repeat_after_restart(self, scan: _Scan, read: _Read, used: Consumption) -> ScanView:
        cached = await self._judge.recall(read.code) if read.code else None
        # Only central accepts; which reason a box had is not kept, so the most careful one stands.
        by_central = used.verdict is Verdict.ACCEPTED
        first = msgspec.structs.replace(
            self._view(scan),
            code_class=read.code_class,
            verdict=used.verdict,
            decided_by=DecidedBy.CENTRAL if by_central else DecidedBy.BOX,
            advice=None if by_central else advise(Reason.OFFLINE_UNKNOWN),
            identity=cached.identity if cached else None,
        )
        return await self._repeat(scan, used.id.bytes, first)

    async def _repeat(self, scan: _Scan, first_id: bytes, shown: ScanView) -> ScanView:
        """The first verdict stands: nothing is asked, nothing used up, one record counts it."""
        assert shown.verdict is not None
        scan.advance(ScanEvent.JUDGE)
        record = RepeatRecord(
            lane=Lane.USE,
            origin=self._registrar.origin(scan.birth),
            first=first_id,
            verdict=shown.verdict,
        )
        own = self._view(scan)
        view = msgspec.structs.replace(
            shown,
            id=own.id,
            at=own.at,
            scanned_ms=own.scanned_ms,
            again=True,
            first=first_id.hex(),
        )
        return await self._keep(scan, Draft(scan.birth.id, scan.birth.at, record), view)

    async def _keep(self, scan: _Scan, draft: Draft, view: ScanView) -> ScanView:
        """Commit, then show. A record that cannot be kept is shown as unsaved, never as OK."""
        try:
            await self._outbox.commit(draft)
        except OneCodeError as error:
            return self._show_unsaved(scan, error)
        scan.advance(ScanEvent.STORED)
        scan.advance(ScanEvent.SHOW)
        milliseconds = self._registrar.age(scan.birth).total_seconds() * 1000
        return self._show(
            msgspec.structs.replace(view, state=scan.state, milliseconds=round(milliseconds, 2))
        )

    def _hand_on(self, scan: _Scan, foreign: ForeignText) -> ScanView:
        """Nothing of the text stays here, only how many have it. An invite, scanned at a box that
        has joined, is still somebody's one-time secret: nobody gets it."""
        from shared.joining import is_invite  # a box that scans health codes needs none of it

        to = 0
        if self._hand_over is not None and not is_invite(foreign.text):
            to = self._hand_over.hand_on(scan.birth.id, scan.birth.at, foreign.text)
        return msgspec.structs.replace(self._view(scan), handed_to=to)

    def _show_unsaved(self, scan: _Scan, error: OneCodeError) -> ScanView:
        log.error("a scan could not be kept: %s", error)
        scan.advance(ScanEvent.STORE_FAILED)
        return self._show(msgspec.structs.replace(self._view(scan), advice=advise(error.reason)))

    def _show(self, view: ScanView) -> ScanView:
        return self._display.show(self._allow(view))

    def _allow(self, view: ScanView) -> ScanView:
        reason = view.advice.reason if view.advice else None
        by_box = view.decided_by is DecidedBy.BOX
        lease = self._judge.lease_step if by_box else LeaseStep.FULL
        allowed = allow(view.verdict, reason, self.medical_step, lease)
        return msgspec.structs.replace(view, allowed=allowed)

    def _view(self, scan: _Scan) -> ScanView:
        return ScanView(
            id=scan.birth.id.hex,
            at=scan.birth.at.isoformat(),
            state=scan.state,
            scanned_ms=scan.birth.monotonic_ns // 1_000_000,
        )


def _decided(view: ScanView, decision: Decision) -> ScanView:
    return msgspec.structs.replace(
        view,
        verdict=decision.verdict,
        decided_by=decision.decided_by,
        advice=advise(decision.reason),
        identity=decision.identity,
    )
