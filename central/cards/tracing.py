"""What is on record of a code, whatever it is worth: for whoever must explain a verdict."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from central.cards import store
from central.cards.card import CardId
from central.cards.states import CardState
from central.cards.tokens import code_token, ehc_token
from central.keys.service import Keys
from central.patients.person import PersonId
from shared.clock import from_microseconds, to_microseconds
from shared.ehc import DynamicCode, StaticCode, TemporaryCode, parse_code
from shared.errors import Malformed
from shared.ids import BoxId, RecordId, parse_box_id


@dataclass(frozen=True, slots=True)
class CodeUse:
    """Which record used a dynamic code up, and when it was judged."""

    box: BoxId
    record: RecordId
    at: datetime


@dataclass(frozen=True, slots=True)
class CodeTrace:
    """The card behind a code as it stood at a time; ``since`` is None where no step is known,
    ``issued_at`` for a code that is not in the ledger."""

    card: CardId
    person: PersonId
    state: CardState
    since: datetime | None
    issued_at: datetime | None
    use: CodeUse | None


def trace_code(keys: Keys, text: str, at: datetime) -> CodeTrace | None:
    """None for what is no code of ours. Reads only."""
    try:
        code = parse_code(text)
    except Malformed:
        return None
    if isinstance(code, StaticCode | DynamicCode):
        standing = store.find_standing(ehc_token(keys, code.ehc_id))
    elif isinstance(code, TemporaryCode):
        standing = store.find_temporary(code_token(keys, text))
    else:
        return None
    if standing is None:
        return None
    moment = to_microseconds(at)
    state = CardState(store.find_state_at(standing.card, moment) or standing.state)
    since = store.find_step_to(standing.card, state, moment)
    issued = store.find_issued(code_token(keys, text))
    return CodeTrace(
        CardId(UUID(bytes=standing.card)),
        PersonId(standing.person),
        state,
        None if since is None else from_microseconds(since),
        None if issued is None else from_microseconds(issued.issued_at),
        None if issued is None else _use(issued),
    )


def _use(issued: store.IssuedCode) -> CodeUse | None:
    if issued.used_box is None or issued.used_id is None or issued.used_at is None:
        return None
    return CodeUse(
        parse_box_id(issued.used_box),
        RecordId(UUID(bytes=issued.used_id)),
        from_microseconds(issued.used_at),
    )
