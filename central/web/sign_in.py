"""Who asks: from a request's secret to its principal, remembered for a moment.

The secret is a machine's bearer token or a browser's session cookie. What this process changes of
sessions and tokens is seen at once, by the users' ``generation``; what another process changes,
within ``REMEMBER_SECONDS``.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from aiohttp import web

from central.storage.writer import Writer
from central.users.principal import Principal, Session
from central.web.routing import SESSION
from central.web.security import (
    SAFE_METHODS,
    SECURE_SESSION_COOKIE,
    SESSION_COOKIE,
    same_secret,
)
from shared.clock import Clock
from shared.errors import Refused
from shared.reasons import Reason

K = TypeVar("K")
T = TypeVar("T")

REMEMBER_SECONDS = 2.0
_MOST_REMEMBERED = 5_000
_BEARER = "Bearer "
_LONGEST_SECRET = 200


class FindsPrincipals(Protocol):
    """What is needed of the users; None for a secret that is nobody's, or no longer.

    ``generation`` moves with each change of what a secret opens, in the writer's thread.
    """

    @property
    def generation(self) -> int: ...

    def find_session(self, secret: str, at: datetime, *, touch: bool) -> Session | None: ...

    def find_token(self, text: str, at: datetime) -> Principal | None: ...


class SignIns:
    """Answers for each request who asks."""

    def __init__(self, users: FindsPrincipals, writer: Writer, clock: Clock, *, tls: bool) -> None:
        self._users = users
        self._writer = writer
        self._clock = clock
        self._now = asyncio.get_running_loop().time
        self.cookie = SECURE_SESSION_COOKIE if tls else SESSION_COOKIE
        self._generation = users.generation
        self._tokens: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._sessions: OrderedDict[tuple[str, bool], tuple[Session, float]] = OrderedDict()

    def forget(self) -> None:
        """Ask the users again for everybody: something about a session or a token has changed."""
        self._tokens.clear()
        self._sessions.clear()

    async def identify(self, request: web.Request, *, touch: bool = True) -> Principal:
        """The principal of a request; a browser's is put into ``request[SESSION]`` as well.

        ``touch`` False for what a page asks by itself: it does not keep a session from going idle.
        Raises Refused: SIGN_IN_NEEDED, SESSION_ENDED, or REQUEST_NOT_ALLOWED for a browser's
        request that changes something and does not carry the session's own X-CSRF-Token.
        """
        if self._users.generation != self._generation:
            self._generation = self._users.generation
            self.forget()
        header = request.headers.get("Authorization")
        if header is not None:
            found = self._tokens.get(header)
            if found is not None and found[1] > self._now():
                return found[0]
            return await self._find_token(header)
        secret = request.cookies.get(self.cookie) if "Cookie" in request.headers else None
        if not secret:
            raise Refused(Reason.SIGN_IN_NEEDED)
        session = await self._find_session(secret, touch=touch)
        if request.method not in SAFE_METHODS and not same_secret(
            request.headers.get("X-CSRF-Token", ""), session.csrf
        ):
            raise Refused(Reason.REQUEST_NOT_ALLOWED, "X-CSRF-Token")
        request[SESSION] = session
        return session.principal

    async def _find_token(self, header: str) -> Principal:
        if not header.startswith(_BEARER):
            raise Refused(Reason.SIGN_IN_NEEDED)
        secret = header.removeprefix(_BEARER)
        _check_secret(secret)
        find = partial(self._users.find_token, secret, self._clock.now())
        principal, generation = await self._run(find)
        if principal is None:
            raise Refused(Reason.SIGN_IN_NEEDED)
        if generation == self._users.generation:
            _remember(self._tokens, header, principal, self._now())
        return principal

    async def _find_session(self, secret: str, *, touch: bool) -> Session:
        # Apart: what a page asked a moment ago must not hide that a person asks now.
        key = (secret, touch)
        found = self._sessions.get(key)
        if found is not None and found[1] > self._now():
            return found[0]
        _check_secret(secret)
        find = partial(self._users.find_session, secret, self._clock.now(), touch=touch)
        session, generation = await self._run(find)
        if session is None:
            raise Refused(Reason.SESSION_ENDED)
        if generation == self._users.generation:
            _remember(self._sessions, key, session, self._now())
        return session

    async def _run(self, find: Callable[[], T]) -> tuple[T, int]:
        # In the writer's thread, where changes are made: what is found there belongs to the
        # generation that is read there.
        return await self._writer.run(lambda: (find(), self._users.generation), patient=True)


def _check_secret(secret: str) -> None:
    # Tokens are ours: letters, digits and a few marks. Nothing else reaches the database.
    if len(secret) > _LONGEST_SECRET or not (secret.isascii() and secret.isprintable()):
        raise Refused(Reason.SIGN_IN_NEEDED)


def _remember(table: OrderedDict[K, tuple[T, float]], key: K, value: T, now: float) -> None:
    table[key] = (value, now + REMEMBER_SECONDS)
    table.move_to_end(key)
    if len(table) > _MOST_REMEMBERED:
        table.popitem(last=False)
