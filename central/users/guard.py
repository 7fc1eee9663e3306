"""The guard before sign-in: how often a try may fail, for an account and from an address.

Who has signed in from an address before is counted there for themselves: a flood of tries from
elsewhere does not lock them out, nor one at other accounts from the same hall. Unknown accounts are
counted like known ones, so that nobody learns which exist.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from central.keys.service import Keys
from central.users import guard_store as store
from shared.clock import to_microseconds

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """``free`` tries may fail, the next one locks for ``first_seconds``, each one doubles that."""

    free: int
    first_seconds: int
    most_seconds: int

    def lock_seconds(self, failures: int) -> int:
        """How long the last of so many failures locks."""
        over = failures - self.free
        return min(self.first_seconds << min(over - 1, 30), self.most_seconds) if over > 0 else 0


ACCOUNT = Allowance(free=4, first_seconds=30, most_seconds=3600)
ADDRESS = Allowance(free=19, first_seconds=10, most_seconds=900)
"""Behind one address sits a whole hospital."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try to sign in, as it is counted: ``address`` is None for who is known there.

    ``origin`` is the address in words.
    """

    origin: str
    account: bytes
    address: bytes | None
    place: bytes


class Lock(NamedTuple):
    """Why a try is not taken: whose failures they were, and for how many seconds more."""

    token: bytes
    seconds: int


class Guard:
    """Counts failures and says how long to wait. What writes runs in the caller's unit."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def read_try(self, login: str, address: str) -> Try:
        """How a try of this sign-in name from this address is counted."""
        place = self._keys.token("sign-in.place", f"{len(login)}:{login}{address}")
        if store.is_place(place):
            return Try(address, place, None, place)
        account = self._keys.token("sign-in.account", login)
        return Try(address, account, self._keys.token("sign-in.address", address), place)

    def find_lock(self, tried: Try, at: datetime) -> Lock | None:
        """What keeps this try from being taken, and how long; the address before the account."""
        now = to_microseconds(at)
        for token in (tried.address, tried.account):
            if token is None:
                continue
            until = store.find_guarded(token, now).until_at
            if until > now:
                return Lock(token, -(-(until - now) // _SECOND))
        return None

    def count_failure(self, tried: Try, user: str | None, at: datetime) -> int:
        """Count a try that failed; the failures at the account of late."""
        if tried.address is not None:
            self._count(tried.address, None, ADDRESS, at)
        return self._count(tried.account, user, ACCOUNT, at)

    def welcome(self, tried: Try, at: datetime) -> None:
        """A try held: its failures are forgotten, and the place is known from now on."""
        store.delete_guarded(tried.account)
        store.save_place(tried.place, to_microseconds(at))

    def _count(self, token: bytes, user: str | None, allowance: Allowance, at: datetime) -> int:
        now = to_microseconds(at)
        failures = store.find_guarded(token, now).failures + 1
        until = now + allowance.lock_seconds(failures) * _SECOND
        store.save_failure(token, user, store.Guarded(failures, until), now)
        return failures
