"""What is left of a damaged queue: rows that prove themselves, body keys, used codes, epochs.

Pure. A row is taken only if its hash is that of its content, so damage cannot make one up; its
epoch and its place are proved by the links around it (``salvage.py``). What has no hash (states,
floors, used codes) is believed only as far as an error does no harm: a row too many is sent again
and recognised, a row too few would be lost.
"""

from typing import NamedTuple

from agent.offline_queue.pages import Record, Value
from agent.offline_queue.store import Kept
from shared.crypto import Suite
from shared.ids import BoxId
from shared.ledger import HASH_BYTES, MAX_BODY_BYTES, Head, Lane, Mark, RowState, row_hash
from shared.messages import Verdict
from shared.sealing import Encapsulation, encapsulation_id

_ID_BYTES = 16
_TOKEN_BYTES = 32
_INT64 = 1 << 63
_VERDICTS = frozenset(verdict.value for verdict in Verdict)


class SavedRow(NamedTuple):
    """A row whose hash is that of its content; no ``body`` where it was erased or is damaged."""

    mark: Mark
    body: bytes | None
    state: int
    tombstone: bytes | None


class SavedCode(NamedTuple):
    """A code that a record of this box has used up."""

    token: bytes
    id: bytes
    born: int
    verdict: str


class SavedEpoch(NamedTuple):
    """An epoch as the file noted it: what it says is a hint, for nothing proves it."""

    head: Head
    floor: int


def parse_row(suite: Suite, record: Record) -> SavedRow | None:
    """A row, if this is one and its hash holds."""
    if len(record) < 11:
        return None
    epoch, seq, id, lane, born, prev, body, body_hash, hash, state, tombstone = record[:11]
    if not (
        _is_number(epoch, 1 << 32)
        and _is_number(seq, _INT64)
        and _is_bytes(id, _ID_BYTES)
        and _is_number(lane, len(Lane))
        and _is_number(born, _INT64)
        and _is_bytes(prev, HASH_BYTES)
        and _is_bytes(body_hash, HASH_BYTES)
        and _is_bytes(hash, HASH_BYTES)
    ):
        return None
    mark = Mark(epoch, seq, id, lane, born, prev, body_hash, hash)  # type: ignore[arg-type]
    hashed = row_hash(suite, mark.prev, mark.seq, mark.id, mark.lane, mark.born, mark.body_hash)
    if seq == 0 or hashed != mark.hash:
        return None
    return _complete(suite, mark, body, state, tombstone)


def _complete(
    suite: Suite, mark: Mark, body: Value, state: Value, tombstone: Value
) -> SavedRow | None:
    whole = (
        body
        if isinstance(body, bytes)
        and len(body) <= MAX_BODY_BYTES
        and suite.digest(body) == mark.body_hash
        else None
    )
    given_up = state == RowState.TOMBSTONED and _is_bytes(tombstone, _ID_BYTES)
    if given_up:
        return SavedRow(mark, whole, RowState.TOMBSTONED, tombstone)  # type: ignore[arg-type]
    if state == RowState.SETTLED:
        return SavedRow(mark, whole, RowState.SETTLED, None)
    return None if whole is None else SavedRow(mark, whole, RowState.PENDING, None)


def parse_encapsulation(suite: Suite, record: Record) -> Encapsulation | None:
    """A wrapped body key, if this is one: its id is the start of its own digest."""
    if len(record) != 3:
        return None
    id, wrapped, _ = record
    if not isinstance(wrapped, bytes) or not isinstance(id, bytes):
        return None
    return Encapsulation(id, wrapped) if encapsulation_id(suite, wrapped) == id else None


def parse_code(record: Record) -> SavedCode | None:
    """A used code, if this looks like one; a wrong token would match no code."""
    if len(record) != 4:
        return None
    token, id, born, verdict = record
    if not (_is_bytes(token, _TOKEN_BYTES) and _is_bytes(id, _ID_BYTES)):
        return None
    if not _is_number(born, _INT64) or verdict not in _VERDICTS:
        return None
    return SavedCode(token, id, born, verdict)  # type: ignore[arg-type]


def parse_epoch(box: BoxId, suite: Suite, record: Record) -> SavedEpoch | None:
    """An epoch's notes, if this looks like them and they are this box's."""
    if len(record) < 9:
        return None
    number, owner, of_suite, _, seq, hash, floor = record[:7]
    if owner != str(box) or of_suite != suite.id or not _is_bytes(hash, HASH_BYTES):
        return None
    if not all(_is_number(each, _INT64) for each in (number, seq, floor)):
        return None
    return SavedEpoch(Head(number, seq, hash), floor)  # type: ignore[arg-type]


def parse_anchor(record: Record) -> Kept | None:
    """A countersigned head and where the rows begin behind it, if this looks like them."""
    if len(record) != 8:
        return None
    epoch, seq, hash, signature, pruned, pruned_hash, settled, tombstoned = record
    numbers = (epoch, seq, pruned, settled, tombstoned)
    if not all(_is_number(each, _INT64) for each in numbers) or not isinstance(signature, bytes):
        return None
    if not _is_bytes(hash, HASH_BYTES) or not _is_bytes(pruned_hash, HASH_BYTES):
        return None
    head, start = Head(epoch, seq, hash), Head(epoch, pruned, pruned_hash)  # type: ignore[arg-type]
    return Kept(head, signature, start, settled, tombstoned)  # type: ignore[arg-type]


def judge_state(row: SavedRow, floor: int, is_named: bool) -> int:
    """What a saved row is put back as; LOST where it could neither be sent nor is accounted for.

    Settled only where the floor says so too, or nothing is left to send; given up only by a record
    that is here (``is_named``).
    """
    if row.state == RowState.TOMBSTONED and is_named:
        return RowState.TOMBSTONED
    if row.state == RowState.SETTLED and (row.mark.seq <= floor or row.body is None):
        return RowState.SETTLED
    return LOST if row.body is None else RowState.PENDING


LOST = -1
"""No state of a row: its sequence is named among the lost."""


def _is_number(value: Value, below: int) -> bool:
    return isinstance(value, int) and 0 <= value < below


def _is_bytes(value: Value, length: int) -> bool:
    return isinstance(value, bytes) and len(value) == length
