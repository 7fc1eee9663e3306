"""How a browser gets in: a one-time ticket becomes a session, kept by the browser in a cookie.

A session is signed with a key of the box's own token and not stored, so that an open page
outlives restarts of the agent; a new token (its file removed, the agent restarted) ends all.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta

from aiohttp import web

from shared.clock import Clock
from shared.errors import Refused
from shared.reasons import Reason

TICKET_SECONDS = 60
SESSION_DAYS = 30
_MOST_TICKETS = 16


class Tickets:
    """Tickets given and not yet used, in memory: a restart ends them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[bytes, int] = {}

    def give(self) -> str:
        """A new ticket, good once and for a minute. Of too many the oldest is forgotten."""
        ticket = secrets.token_urlsafe(24)
        now = self._clock.monotonic_ns()
        self._until = {kept: until for kept, until in self._until.items() if until > now}
        while len(self._until) >= _MOST_TICKETS:
            del self._until[next(iter(self._until))]
        self._until[_digest(ticket)] = now + TICKET_SECONDS * 1_000_000_000
        return ticket

    def use(self, ticket: str) -> None:
        """Use a ticket up. Raises Refused (PAGE_LINK_NEEDED): unknown, used or too old."""
        until = self._until.pop(_digest(ticket), None)
        if until is None or until <= self._clock.monotonic_ns():
            raise Refused(Reason.PAGE_LINK_NEEDED)


class Sessions:
    """Makes and knows cookies ``<issued>.<nonce>.<mac>``."""

    def __init__(self, token: str, clock: Clock) -> None:
        self._key = hmac.digest(token.encode(), b"onecode page session", "sha256")
        self._clock = clock
        # Cookies do not know ports: boxes of one machine must not overwrite each other's.
        self.cookie = f"onecode-page-{hashlib.sha256(self._key).hexdigest()[:8]}"
        self.lasts = timedelta(days=SESSION_DAYS)

    def issue(self) -> str:
        """A new session, whatever the browser had before."""
        issued = int(self._clock.now().timestamp())
        signed = f"{issued}.{secrets.token_hex(16)}"
        return f"{signed}.{self._mac(signed)}"

    def is_valid(self, cookie: str) -> bool:
        """Whether we issued it, not too long ago by this box's clock."""
        signed, _, mac = cookie.rpartition(".")
        if not hmac.compare_digest(
            mac.encode(errors="surrogateescape"), self._mac(signed).encode()
        ):
            return False
        issued = int(signed.partition(".")[0])
        return self._clock.now().timestamp() - issued < self.lasts.total_seconds()

    def remember(self, response: web.StreamResponse) -> None:
        """Give the browser a new session."""
        response.set_cookie(
            self.cookie,
            self.issue(),
            max_age=int(self.lasts.total_seconds()),
            httponly=True,
            samesite="Strict",
        )

    def renew(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give a new session for one that holds: a page opened each morning is never sent away."""
        if self.is_valid(request.cookies.get(self.cookie, "")):
            self.remember(response)

    def _mac(self, signed: str) -> str:
        data = signed.encode(errors="surrogateescape")
        return hmac.digest(self._key, data, "sha256").hex()


def _digest(ticket: str) -> bytes:
    # Looked up by its hash: how long a look takes tells nothing of the tickets there are.
    return hashlib.sha256(ticket.encode(errors="surrogateescape")).digest()
