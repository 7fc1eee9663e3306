"""What a shown code is worth: one decision from grammar to consumption, in one unit of work.

The order matters, because the first reason found is the one that a clerk reads: whose code it is,
whether it is genuine, whether its card stands, whether its time is now, whether it was used.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from central.cards import store
from central.cards.card import Judgement
from central.cards.states import REFUSALS, CardState
from central.cards.tokens import code_token, ehc_token, tail_token
from central.keys.service import Keys
from central.patients.person import PersonId
from shared.clock import to_microseconds
from shared.ehc import (
    DynamicCode,
    Extension,
    ForeignExtension,
    StaticCode,
    TemporaryCode,
    parse_code,
)
from shared.errors import Malformed, NotAuthentic
from shared.ids import BoxId, RecordId
from shared.reasons import Reason

CheckTemporary = Callable[[TemporaryCode], BoxId]
"""Which box of ours gave a temporary code. Raises NotAuthentic (CODE_FORGED)."""

_CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far ahead of us a box's corrected birth time may put a code's issue."""


def know_no_box(code: TemporaryCode) -> BoxId:
    """Without a fleet no temporary code is genuine."""
    raise NotAuthentic(Reason.CODE_FORGED, f"box number {code.box_number}")


class _Use(NamedTuple):
    """A genuine code shown at a box, in a record."""

    token: bytes
    box: str
    id: bytes
    at: datetime
    consume: bool
    late: bool


class CodeJudge:
    """Judges codes against cards and the ledger of issued codes."""

    def __init__(self, keys: Keys, check_temporary: CheckTemporary) -> None:
        self._keys = keys
        self._check_temporary = check_temporary

    def judge(  # noqa: PLR0913 - a code, by whom it is used, and how it is to be judged
        self,
        text: str,
        box: BoxId,
        record_id: RecordId,
        at: datetime,
        *,
        consume: bool,
        late: bool = False,
    ) -> Judgement:
        """See ``Cards.judge``."""
        try:
            code = parse_code(text)
        except Malformed as error:
            return Judgement.refused(error.reason)
        if isinstance(code, TemporaryCode):
            return self._judge_temporary(code, text, at if late else None)
        if not isinstance(code, StaticCode | DynamicCode):
            return Judgement.refused(Reason.CODE_UNKNOWN)
        if isinstance(code, DynamicCode) and self._is_of_another_domain(code):
            return Judgement.refused(Reason.CODE_OTHER_DOMAIN)
        standing = store.find_standing(ehc_token(self._keys, code.ehc_id))
        if standing is None:
            return Judgement.refused(Reason.CODE_UNKNOWN)
        use = _Use(code_token(self._keys, text), str(box), record_id.bytes, at, consume, late)
        return self._judge_ours(code, text, standing, use)

    def _judge_ours(
        self, code: StaticCode | DynamicCode, text: str, standing: store.Standing, use: _Use
    ) -> Judgement:
        issued = None
        if isinstance(code, DynamicCode):
            issued = store.find_issued(use.token)
            if issued is None:
                return Judgement.refused(self._why_not_issued(code, text, standing))
        if refusal := REFUSALS.get(_state(standing, use.at if use.late else None)):
            return Judgement.refused(refusal)
        if issued is None:
            return Judgement.accepted(PersonId(standing.person), consumed=False)
        return _judge_use(use, issued, standing)

    def _judge_temporary(self, code: TemporaryCode, text: str, late: datetime | None) -> Judgement:
        """Like a static code, once the box that gave it has reported whom it was given to."""
        standing = store.find_temporary(code_token(self._keys, text))
        if standing is not None:
            if refusal := REFUSALS.get(_state(standing, late)):
                return Judgement.refused(refusal)
            return Judgement.accepted(PersonId(standing.person), consumed=False)
        try:
            self._check_temporary(code)
        except NotAuthentic as error:
            return Judgement.refused(error.reason)
        return Judgement.provisional(Reason.CODE_TEMPORARY_UNKNOWN)

    def _is_of_another_domain(self, code: DynamicCode) -> bool:
        extension = code.extension
        if isinstance(extension, ForeignExtension):
            return True
        return isinstance(extension, Extension) and extension.kid not in self._keys.code_keys

    def _why_not_issued(self, code: DynamicCode, text: str, standing: store.Standing) -> Reason:
        if code.extension is None:
            # Only our protection key makes a validity that opens: it came from some code of ours.
            opens = self._keys.open_validity(code.validity) is not None
            return Reason.CODE_SPLICED if opens else Reason.CODE_FORGED
        if store.is_tail_of_another(tail_token(self._keys, text), standing.card):
            return Reason.CODE_SPLICED
        if self._keys.verify_extension(code):
            # Ours, yet not in the ledger, which must have been restored: single use is lost.
            return Reason.CODE_UNKNOWN
        return Reason.CODE_FORGED


def _state(standing: store.Standing, late: datetime | None) -> CardState:
    """Where the card stood when the code was shown; ``late``: at that time, not now."""
    then = store.find_state_at(standing.card, to_microseconds(late)) if late else None
    return CardState(then or standing.state)


def _judge_use(use: _Use, issued: store.IssuedCode, standing: store.Standing) -> Judgement:
    person = PersonId(standing.person)
    if (issued.used_box, issued.used_id) == (use.box, use.id):
        return Judgement.accepted(person, consumed=True)
    # The box may have died between its ask and its commit: what it never reported is free for
    # the same code's next scan there, and was in time when it was asked.
    if issued.used_box != use.box or issued.reported_at is not None:
        if refusal := _judge_time(issued, use.at):
            return Judgement.refused(refusal)
        if issued.used_id is not None:
            return Judgement.refused(Reason.CODE_USED)
    if not use.consume:
        return Judgement.accepted(person, consumed=False)
    moment = to_microseconds(use.at)
    if not store.consume(use.token, issued.used_id, use.box, use.id, moment):
        return Judgement.refused(Reason.CODE_USED)
    return Judgement.accepted(person, consumed=True)


def _judge_time(issued: store.IssuedCode, at: datetime) -> Reason | None:
    if to_microseconds(at + _CLOCK_TOLERANCE) < issued.issued_at:
        return Reason.CODE_FUTURE
    if to_microseconds(at) >= issued.expires_at:
        return Reason.CODE_EXPIRED
    return None
