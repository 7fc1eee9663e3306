"""Who decides on a code: central within the deadline, else this box from what it holds: its own
answers of before, and central's lists.

Remembers central's answers for an outage, and which questions stayed open, so that a late answer
finds its scan.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

from agent.counter.birth import Birth, Registrar
from agent.counter.tokens import CodeTokens, card_name
from agent.counter.unlimited import UNLIMITED
from agent.counter.verdicts import (
    Decision,
    FindKey,
    accept_reply,
    find_none,
    judge_alone,
    latest_word,
    limit,
)
from agent.listed import Lists
from agent.ports import Cache, CachedAnswer, Uplink
from agent.ports_alone import Lease
from shared.clock import from_microseconds, to_microseconds
from shared.ehc import Code
from shared.errors import Unavailable
from shared.lease import LeaseStep, LeaseUse
from shared.messages import MedicalStep, Reply, ScanAsk, ScanReply, Verdict
from shared.reasons import Reason

_OPEN_QUESTIONS = 256
_OF_THE_CARD = frozenset({Reason.CARD_SUSPENDED, Reason.CARD_CANCELLED})
"""Refusals that hold for every code of a card, so worth remembering for an outage."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision, and whether the question left the box (central may know the id already)."""

    decision: Decision
    asked: bool


class Judge:
    """Asks central, and judges alone when there is no answer in time."""

    def __init__(  # noqa: PLR0913 - the ports a judgement needs
        self,
        *,
        deadline: timedelta,
        medical_step: MedicalStep,
        registrar: Registrar,
        uplink: Uplink,
        cache: Cache,
        tokens: CodeTokens,
        lists: Lists,
        find_key: FindKey = find_none,
        lease: Lease = UNLIMITED,
    ) -> None:
        """``find_key`` gives what verifies a box's temporary code, where this box has it;
        ``lease`` says what this box may decide alone."""
        self.deadline = deadline
        self.medical_step = medical_step
        self._registrar = registrar
        self._uplink = uplink
        self._cache = cache
        self._tokens = tokens
        self._lists = lists
        self._find_key = find_key
        self._lease = lease
        self._open_questions: OrderedDict[bytes, Code] = OrderedDict()

    @property
    def lease_step(self) -> LeaseStep:
        """What this box may do alone now."""
        return self._lease.step

    async def judge(self, birth: Birth, code: Code, text: str) -> Judged:
        """Central's decision or our own."""
        try:
            reply = await self._uplink.ask(
                self._question(birth, text), self.deadline.total_seconds()
            )
        except Unavailable as error:
            asked = error.reason is not Reason.LINK_DOWN
            if asked:
                self._keep_open(birth, code)
            return Judged(await self._judge_alone(code), asked)
        if isinstance(reply, ScanReply):
            await self._remember(code, reply)
            return Judged(accept_reply(reply), asked=True)
        # A refusal is of the question (expired by our clock, box quarantined), not of the code:
        # the patient is not to blame.
        return Judged(await self._judge_alone(code), asked=True)

    async def take_late(self, reply: Reply) -> Decision | None:
        """The decision in an answer that came after its deadline, if its scan is still known."""
        code = self._open_questions.pop(reply.id, None)
        if code is None or not isinstance(reply, ScanReply):
            return None
        await self._remember(code, reply)
        return accept_reply(reply)

    async def recall(self, code: Code) -> CachedAnswer | None:
        """What central last said of this code's card."""
        return await self._cache.recall(self._tokens.of_card(code))

    async def _judge_alone(self, code: Code) -> Decision:
        listed = await self._lists.find(card_name(code))
        word = latest_word(await self.recall(code), listed)
        now, doubt = self._registrar.central_now(), self._registrar.doubt()
        doubted = self._lease.clock_doubted
        if doubted or self._uplink.clock_offset is None:
            now = self._lease.best_now or now
        decision = judge_alone(
            code,
            word,
            self._lists.code_keys(),
            now,
            doubt,
            self._find_key,
            may_be_later=doubted,
        )
        why = self._lease.reason
        return limit(decision, await self._lease.charge(LeaseUse.SCAN), why)

    async def _remember(self, code: Code, reply: ScanReply) -> None:
        if reply.verdict is Verdict.ACCEPTED or reply.reason in _OF_THE_CARD:
            answer = CachedAnswer(reply.identity, reply.reason, from_microseconds(reply.central_at))
            await self._cache.remember(self._tokens.of_card(code), answer)

    def _keep_open(self, birth: Birth, code: Code) -> None:
        self._open_questions[birth.id.bytes] = code
        while len(self._open_questions) > _OPEN_QUESTIONS:
            self._open_questions.popitem(last=False)

    def _question(self, birth: Birth, text: str) -> ScanAsk:
        return ScanAsk(
            id=birth.id.bytes,
            box=str(self._registrar.box),
            born=to_microseconds(birth.at),
            expires_at=to_microseconds(self._registrar.central_now() + self.deadline),
            counter=self._registrar.counter,
            operator=birth.operator,
            code=text,
            medical_step=self.medical_step,
        )
