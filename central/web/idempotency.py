"""A write repeated under its Idempotency-Key is answered as before and done once.

Keys belong to whoever sends them and are good for 24 hours. The answer is kept in the unit of
work of the act, sealed: it may hold a code or a name.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from central.keys.service import Keys
from central.web import store
from shared.clock import to_microseconds
from shared.errors import Refused
from shared.reasons import Reason

KEPT_FOR = timedelta(hours=24)
_ANSWER = "kept_answer.answer"


class Given(NamedTuple):
    """A key as it came with a request."""

    key: str
    actor: str
    target: str  # method and path


class Answers:
    """Finds and keeps answers. Both run inside the caller's unit of work."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def find(self, given: Given, data: bytes, at: datetime) -> bytes | None:
        """The answer to the same request before; None for a new one.

        Raises Refused (IDEMPOTENCY_KEY_USED) when the key came with another request.
        """
        kept = store.find_answer(given.actor, given.key)
        if kept is None or kept.at < to_microseconds(at - KEPT_FOR):
            return None
        if kept.request != self._token(given, data):
            raise Refused(Reason.IDEMPOTENCY_KEY_USED)
        return self._keys.open(_ANSWER, kept.answer).encode()

    def keep(self, given: Given, data: bytes, answer: bytes, at: datetime) -> None:
        """Keep an answer, and forget those of a day ago."""
        store.delete_answers(to_microseconds(at - KEPT_FOR))
        sealed = self._keys.seal(_ANSWER, answer.decode())
        kept = store.Kept(self._token(given, data), sealed, to_microseconds(at))
        store.save_answer(given.actor, given.key, kept)

    def _token(self, given: Given, data: bytes) -> bytes:
        return self._keys.token("idempotency", f"{given.target}\n{data.decode()}")
