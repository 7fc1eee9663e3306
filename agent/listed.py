"""The port to central's lists: what they say of a card, and which keys sign codes. As ``ports``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from shared.crypto import VerifyKey
from shared.messages import Identity
from shared.reasons import Reason


class KnownKey(NamedTuple):
    """A key that signs dynamic codes: for codes issued from ``from_at`` until ``until_at``."""

    key: VerifyKey
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeKeys:
    """Keys of codes by their number. ``complete``: a key that is not here is not in use, unless
    one was stolen and replaced in a hurry; otherwise this box may not have heard of it yet."""

    keys: Mapping[int, KnownKey]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """What central's lists say of a card: whether it is revoked, whose it is, and as of when.

    ``revoked_as_of`` is None before there is a list of revoked cards.
    """

    revoked: Reason | None = None
    revoked_as_of: datetime | None = None
    identity: Identity | None = None
    identity_as_of: datetime | None = None


class Heeded(NamedTuple):
    """The age of central's lists by which less is allowed, and why it then is. An ``age`` of None
    cannot be told and lowers nothing; a list that is not here is as old as can be."""

    age: timedelta | None = None
    reason: Reason = Reason.LEASE_LISTS


class Lists(Protocol):
    """What central has told all boxes, or all of the site. Losing it loses comfort, and is said:
    nothing here raises."""

    async def find(self, name: str) -> Listed:
        """What is listed of a code's owner; ``name`` is the ehc id, or a temporary code's text."""
        ...

    def code_keys(self) -> CodeKeys:
        """What signs dynamic codes, as far as it is known now."""
        ...

    def age(self) -> timedelta | None:
        """How old the list of revoked cards and the key set are, the older of the two; None where
        one never came, is lost, or the clock is behind it: then nothing may be taken for fresh."""
        ...
