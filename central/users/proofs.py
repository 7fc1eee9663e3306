"""What proves a user: the password's hash, the authenticator's secret, recovery codes.

Judges codes and changes what is kept; the work of Argon2 is the caller's. Methods that write run
inside the caller's unit of work.
"""

from datetime import datetime
from typing import NamedTuple

from central.audit.service import Audit
from central.keys.service import Keys
from central.users import second_factor, store
from central.users.service import PASSWORD_COLUMN, Users
from central.users.user import User
from shared.clock import to_microseconds
from shared.errors import Malformed, Refused
from shared.reasons import Reason

_TOTP = "user.totp"


class Proof(NamedTuple):
    """A user and the PHC text of their password."""

    user: User
    password: str


class Enrolment(NamedTuple):
    """What a new authenticator is given; shown once. ``uri`` is what its QR code holds."""

    secret: str
    uri: str


class Proofs:
    """Reads and replaces what proves a user."""

    def __init__(self, keys: Keys, audit: Audit, users: Users) -> None:
        self._keys = keys
        self._audit = audit
        self._users = users

    def find(self, login: str) -> Proof | None:
        """Who signs in by this name, whatever was typed; None for nobody."""
        try:
            user = self._users.find(login)
        except Malformed:
            return None
        return self._proof(user) if user is not None else None

    def read(self, id: str) -> Proof:
        """The proof of a user. Raises Refused (NOT_FOUND)."""
        return self._proof(self._users.read(id))

    def use_code(self, id: str, code: str, at: datetime) -> bool:
        """Whether ``code`` is the authenticator's now, or a recovery code; used up by this."""
        secrets = store.find_secrets(id)
        if secrets is None or secrets.totp is None or secrets.totp_since is None:
            return False
        step = second_factor.match_step(self._keys.open(_TOTP, secrets.totp), code, at)
        if step is not None:
            return store.use_totp_step(id, step)
        recovery = second_factor.normal_recovery(code)
        if recovery is None or not store.use_recovery(id, self._recovery_token(recovery)):
            return False
        left = store.count_recovery(id)
        self._audit.write("user.use-recovery-code", f"user {id}", f"user {id}", at, left=left)
        return True

    def begin_second_factor(self, id: str) -> Enrolment:
        """A fresh secret, in use once ``confirm_second_factor`` has seen a code of it.

        Raises Refused (ALREADY_EXISTS) while one is in use.
        """
        user = self._users.read(id)
        if user.second_factor:
            raise Refused(Reason.ALREADY_EXISTS, "second factor")
        secret = second_factor.new_secret()
        store.update_user(id, "totp", self._keys.seal(_TOTP, secret))
        return Enrolment(secret, second_factor.provisioning_uri(secret, user.login))

    def confirm_second_factor(self, id: str, code: str, at: datetime) -> tuple[str, ...]:
        """Put the begun secret to use; the recovery codes, shown once. Ends all sessions.

        Raises Refused (SIGN_IN_WRONG for a wrong code, NOT_FOUND when none was begun).
        """
        user = self._users.read(id)
        secrets = store.find_secrets(id)
        if secrets is None or secrets.totp is None or user.second_factor:
            raise Refused(Reason.NOT_FOUND, "second factor")
        step = second_factor.match_step(self._keys.open(_TOTP, secrets.totp), code, at)
        if step is None:
            raise Refused(Reason.SIGN_IN_WRONG)
        store.update_columns(id, ("totp_since", "totp_step"), (to_microseconds(at), step))
        codes = second_factor.new_recovery_codes()
        tokens = [self._recovery_token(code.replace("-", "")) for code in codes]
        store.replace_recovery(id, tokens)
        self._users.sessions.end_all(id)
        self._audit.write("user.second-factor", f"user {id}", user.actor, at)
        return codes

    def _recovery_token(self, code: str) -> bytes:
        return self._keys.token("recovery-code", code)

    def _proof(self, user: User) -> Proof:
        secrets = store.find_secrets(user.id)
        if secrets is None:
            raise Refused(Reason.NOT_FOUND, "user")
        return Proof(user, self._keys.open(PASSWORD_COLUMN, secrets.password))
