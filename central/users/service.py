"""Users: made, listed, changed, locked out; what proves them; and the operators of boxes.

Every method that writes runs inside the caller's unit of work and is audited. Hashing a password
takes longer than a unit may, so hashes come in ready-made. A change of role, state or password
ends the user's sessions.
"""

from collections.abc import Sequence
from datetime import datetime

from central.audit.service import Audit
from central.config import UsersConfig
from central.keys.service import Keys
from central.users import guard_store, store
from central.users.principal import Principal, Session
from central.users.roles import ADMINISTRATORS, SITE_ROLES, Role
from central.users.sessions import NAME_COLUMN, Sessions
from central.users.tokens import Tokens
from central.users.user import NewUser, User, UserId, UserState, check_place, normal_login
from shared.badges import badge_digest, new_badge
from shared.clock import from_microseconds, to_microseconds
from shared.desired import OperatorEntry
from shared.errors import Refused
from shared.ids import new_record_id
from shared.reasons import Reason

_LOGIN = "user.login"
PASSWORD_COLUMN = "user.password"  # noqa: S105 - a column's name
PIN_COLUMN = "user.pin"


class Users:
    """Everybody who may use central. ``sessions`` and ``tokens`` say who asks.

    ``at_server`` is for the command line: administrators are made and changed there alone.
    """

    def __init__(
        self, keys: Keys, audit: Audit, config: UsersConfig, *, at_server: bool = False
    ) -> None:
        self._at_server = at_server
        self._keys = keys
        self._audit = audit
        self.sessions = Sessions(keys, config)
        self.tokens = Tokens(keys, audit)

    @property
    def generation(self) -> int:
        """Greater after each change, in this process, of what a secret opens.

        Whoever remembers an answer of ``find_session`` or ``find_token`` that was found in the
        writer's thread asks again when this has moved.
        """
        return self.sessions.generation + self.tokens.generation

    def find_session(self, secret: str, at: datetime, *, touch: bool = True) -> Session | None:
        """Whose cookie this is; see ``Sessions.find``."""
        return self.sessions.find(secret, at, touch=touch)

    def find_token(self, text: str, at: datetime) -> Principal | None:
        """Whose bearer token this is; see ``Tokens.find``."""
        return self.tokens.find(text, at)

    # --- who there is ----------------------------------------------------------------------------

    def add(self, new: NewUser, password: str, at: datetime, actor: str) -> User:
        """A new user, whose ``password`` (PHC) is good for one sign-in, in which it is changed.

        Administrators are made at the server only. Raises Malformed, Refused (ALREADY_EXISTS,
        REQUEST_NOT_ALLOWED).
        """
        new.check()
        self._check_reach(new.role)
        login = normal_login(new.login)
        id = UserId(str(new_record_id(at)))
        stored = store.StoredUser(
            id=id,
            login=self._keys.seal(_LOGIN, login),
            name=self._keys.seal(NAME_COLUMN, new.name),
            role=new.role,
            site=new.site,
            state=UserState.ACTIVE,
            language=new.language,
            password_once=True,
            totp_since=None,
            badge=False,
            made_at=to_microseconds(at),
        )
        sealed = self._keys.seal(PASSWORD_COLUMN, password)
        if not store.insert_user(stored, self._login_token(login), sealed):
            raise Refused(Reason.ALREADY_EXISTS, "login")
        self._audit.write("user.add", f"user {id}", actor, at, role=new.role, site=new.site)
        return self._user(stored)

    def read(self, id: str) -> User:
        """The user with this id. Raises Refused (NOT_FOUND)."""
        stored = store.find_user(id)
        if stored is None:
            raise Refused(Reason.NOT_FOUND, "user")
        return self._user(stored)

    def find(self, login: str) -> User | None:
        """The user who signs in by this name. Raises Malformed for what is no such name."""
        stored = store.find_login(self._login_token(normal_login(login)))
        return self._user(stored) if stored else None

    def list(
        self, after: str = "", limit: int = 100, site: str | None = None, role: Role | None = None
    ) -> Sequence[User]:
        """Users in the order they were made, behind the id ``after``."""
        return [self._user(stored) for stored in store.list_users(after, limit, site, role)]

    # --- what is done to one ---------------------------------------------------------------------

    def change(self, id: str, role: Role, site: str | None, at: datetime, actor: str) -> User:
        """Give a user another role or site, which nobody does for themselves.

        Raises Malformed, Refused (NOT_FOUND, REQUEST_NOT_ALLOWED).
        """
        user = self._other(id, actor)
        check_place(role, site)
        self._check_reach(role)
        self._check_reach(user.role)
        if (user.role, user.site) != (role, site):
            store.update_columns(id, ("role", "site"), (role, site))
            if role not in SITE_ROLES:
                store.update_columns(id, ("badge", "pin"), (None, None))
            self.sessions.end_all(id)
            self._audit.write("user.change", f"user {id}", actor, at, role=role, site=site)
        return self.read(id)

    def set_state(self, id: str, state: UserState, at: datetime, actor: str) -> User:
        """Disable or enable; an administrator is enabled at the server only.

        Raises Refused (NOT_FOUND, REQUEST_NOT_ALLOWED).
        """
        user = self._other(id, actor)
        if state is UserState.ACTIVE:
            self._check_reach(user.role)
        if user.state is not state:
            store.update_user(id, "state", state)
            self.sessions.end_all(id)
            act = "user.enable" if state is UserState.ACTIVE else "user.disable"
            self._audit.write(act, f"user {id}", actor, at)
        return self.read(id)

    def unlock(self, id: str, at: datetime, actor: str) -> User:
        """Forget the user's failed tries. Raises Refused (NOT_FOUND)."""
        user = self.read(id)
        guard_store.delete_of_user(id)
        self._audit.write("user.unlock", f"user {id}", actor, at)
        return user

    def reset_password(self, id: str, password: str, at: datetime, actor: str) -> User:
        """Give a user a password (PHC) for one sign-in. Raises Refused."""
        user = self._other(id, actor)
        self._check_reach(user.role)
        self.store_password(id, password, once=True)
        self._audit.write("user.reset-password", f"user {id}", actor, at)
        return self.read(id)

    def reset_second_factor(self, id: str, at: datetime, actor: str) -> User:
        """Take away a lost authenticator and its recovery codes. Raises Refused."""
        user = self._other(id, actor)
        self._check_reach(user.role)
        store.update_columns(id, ("totp", "totp_since"), (None, None))
        store.replace_recovery(id, ())
        self.sessions.end_all(id)
        self._audit.write("user.reset-second-factor", f"user {id}", actor, at)
        return self.read(id)

    def store_password(self, id: str, password: str, *, once: bool) -> None:
        """Keep a new password (PHC) and end the user's sessions. The caller writes the audit."""
        sealed = self._keys.seal(PASSWORD_COLUMN, password)
        store.update_columns(id, ("password", "password_once"), (sealed, once))
        self.sessions.end_all(id)

    # --- operators of boxes ----------------------------------------------------------------------

    def give_badge(self, id: str, at: datetime, actor: str) -> str:
        """A new badge's text, shown once; the one before is good no more.

        Raises Refused (NOT_FOUND, REQUEST_NOT_ALLOWED for who works at no site).
        """
        self._operator(id)
        text = new_badge()
        store.update_user(id, "badge", badge_digest(text))
        self._audit.write("user.give-badge", f"user {id}", actor, at)
        return text

    def take_badge(self, id: str, at: datetime, actor: str) -> User:
        """A lost badge is good no more. Raises Refused (NOT_FOUND)."""
        self.read(id)
        store.update_user(id, "badge", None)
        self._audit.write("user.take-badge", f"user {id}", actor, at)
        return self.read(id)

    def set_pin(self, id: str, pin: str, at: datetime, actor: str) -> None:
        """Keep the PIN (PHC) that goes with the badge. Raises Refused as ``give_badge``."""
        self._operator(id)
        store.update_user(id, "pin", self._keys.seal(PIN_COLUMN, pin))
        self._audit.write("user.set-pin", f"user {id}", actor, at)

    def list_operators(self, site: str) -> tuple[OperatorEntry, ...]:
        """Who may sign in at the boxes of a site: active, with a badge and a PIN."""
        return tuple(
            OperatorEntry(
                id=stored.id,
                name=self._keys.open(NAME_COLUMN, stored.name),
                role=stored.role,
                badge=stored.badge,
                pin=self._keys.open(PIN_COLUMN, stored.pin),
                language="en" if stored.language == "en" else "zh",
            )
            for stored in store.list_operators(site)
        )

    # --- inside ----------------------------------------------------------------------------------

    def tidy(self, at: datetime) -> None:
        """Write down what was only remembered, and forget what is over; from time to time."""
        self.sessions.save_seen(at)
        self.tokens.save_used()
        guard_store.delete_old(to_microseconds(at))

    def _other(self, id: str, actor: str) -> User:
        user = self.read(id)
        if user.actor == actor:
            raise Refused(Reason.REQUEST_NOT_ALLOWED, "nobody does this to themselves")
        return user

    def _check_reach(self, role: Role) -> None:
        if role in ADMINISTRATORS and not self._at_server:
            raise Refused(Reason.REQUEST_NOT_ALLOWED, "administrators are changed at the server")

    def _operator(self, id: str) -> User:
        user = self.read(id)
        if user.role not in SITE_ROLES:
            raise Refused(Reason.REQUEST_NOT_ALLOWED, f"{user.role} does not work at a box")
        return user

    def _login_token(self, login: str) -> bytes:
        return self._keys.token("user.login", login)

    def _user(self, stored: store.StoredUser) -> User:
        return User(
            id=UserId(stored.id),
            login=self._keys.open(_LOGIN, stored.login),
            name=self._keys.open(NAME_COLUMN, stored.name),
            role=Role(stored.role),
            site=stored.site,
            state=UserState(stored.state),
            language=stored.language,
            password_once=bool(stored.password_once),
            second_factor=stored.totp_since is not None,
            badge=bool(stored.badge),
            made_at=from_microseconds(stored.made_at),
        )
