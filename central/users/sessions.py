"""Browsers' sessions: begun at each sign-in with a fresh secret, idle after a while, ended at once.

A session is found by the keyed token of its secret, together with its user as they are now: what
changes a user needs no cache to be told. When it was last used is kept in memory and written by
``save_seen``. Safe to use from several threads.
"""

import secrets
from datetime import datetime, timedelta

from central.config import UsersConfig
from central.keys.service import Keys
from central.users import session_store as store
from central.users.principal import Owed, Principal, Session, SignedIn
from central.users.roles import ADMINISTRATORS, OWN_ACCOUNT, PERMISSIONS, Role
from central.users.user import User, UserState
from shared.clock import from_microseconds, to_microseconds
from shared.errors import Unavailable
from shared.reasons import Reason

NAME_COLUMN = "user.name"
_SECRET_BYTES = 32
_MOST_OF_A_USER = 16
_MICROSECOND = timedelta(microseconds=1)


class Sessions:
    """Opens, finds and ends. Methods that write run inside the caller's unit of work.

    ``generation`` moves whenever one is ended here.
    """

    def __init__(self, keys: Keys, config: UsersConfig) -> None:
        self._keys = keys
        self._lifetime = timedelta(hours=config.session_hours)
        self._idle = timedelta(minutes=config.idle_minutes) // _MICROSECOND
        self._idle_administrator = (
            timedelta(minutes=config.administrator_idle_minutes) // _MICROSECOND
        )
        self._seen: dict[bytes, int] = {}
        self.generation = 0

    def open(self, user: User, at: datetime) -> SignedIn:
        """A new session with a secret that nobody knew before; a user's oldest make room."""
        store.delete_sessions(user.id, keep=_MOST_OF_A_USER - 1)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        ends_at = to_microseconds(at + self._lifetime)
        store.insert_session(self._token(secret), user.id, to_microseconds(at), ends_at)
        session = self.find(secret, at)
        if session is None:
            raise Unavailable(Reason.SESSION_ENDED)  # the user was disabled in this very unit
        return SignedIn(secret, session)

    def find(self, secret: str, at: datetime, *, touch: bool = True) -> Session | None:
        """The session behind a cookie; None when it is unknown, idle, over or its user disabled.

        ``touch`` False for what a page asks by itself: it does not keep a session alive.
        """
        token = self._token(secret)
        stored = store.find_session(token)
        now = to_microseconds(at)
        if stored is None or stored.state != UserState.ACTIVE or now >= stored.ends_at:
            return None
        role = Role(stored.role)
        idle = self._idle_administrator if role in ADMINISTRATORS else self._idle
        if now - max(stored.seen_at, self._seen.get(token, 0)) >= idle:
            return None
        if touch:
            self._seen[token] = now
        owed = _owed(role, stored)
        principal = Principal(
            id=stored.user,
            name=self._keys.open(NAME_COLUMN, stored.name),
            role=role,
            site=stored.site,
            kind="user",
            permissions=OWN_ACCOUNT if owed else PERMISSIONS[role],
        )
        csrf = self._keys.token("csrf", secret).hex()
        return Session(principal, csrf, stored.language, owed, from_microseconds(stored.ends_at))

    def end(self, secret: str) -> bool:
        """End one session; False when there was none."""
        self.generation += 1
        return store.delete_session(self._token(secret))

    def end_all(self, user: str) -> int:
        """End every session of a user; how many there were."""
        self.generation += 1
        return store.delete_sessions(user)

    def save_seen(self, at: datetime) -> None:
        """Write down when sessions were last used, and forget those that are over."""
        seen, self._seen = self._seen, {}
        for token, seen_at in seen.items():
            store.save_seen(token, seen_at)
        store.delete_ended(to_microseconds(at))

    def _token(self, secret: str) -> bytes:
        return self._keys.token("session", secret)


def _owed(role: Role, stored: store.StoredSession) -> tuple[Owed, ...]:
    owed = []
    if stored.password_once:
        owed.append(Owed.PASSWORD)
    if role in ADMINISTRATORS and stored.totp_since is None:
        owed.append(Owed.SECOND_FACTOR)
    return tuple(owed)
