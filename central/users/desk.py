"""The sign-in desk: passwords and second factors are judged here, in the loop of a server.

An unknown user, a disabled one and a wrong password get the same answer after the same work.
Argon2 runs in threads, few at once and one an account; what is locked is refused before it costs
anything, and the audit counts such tries at each power of two instead of listing them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import NoReturn, TypeVar

from central.audit.service import Audit
from central.keys.service import Keys
from central.storage.writer import Writer
from central.users.credentials import check_password, check_pin, new_password, new_pin
from central.users.guard import Guard, Lock, Try
from central.users.hashing import Hashing
from central.users.principal import Principal, SignedIn
from central.users.proofs import Enrolment, Proof, Proofs
from central.users.service import Users
from central.users.user import NewUser, User, UserState
from shared.clock import Clock
from shared.errors import Refused
from shared.reasons import Reason

T = TypeVar("T")

_MOST_COUNTED = 10_000
_AT_ONCE_FROM_AN_ADDRESS = 4
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$HckniyDyqqYoCclNd6MpJg"
    "$DGGOLY2AuW+vVkt9WALy5VZOCRQlNqIQASnaslD/iPE"
)
"""Verified where there is no user, so that it takes the same time."""


class Desk:
    """Made once for a server, over its writer. ``address`` is where a request comes from."""

    def __init__(
        self, users: Users, keys: Keys, audit: Audit, writer: Writer, clock: Clock
    ) -> None:
        self._users = users
        self._proofs = Proofs(keys, audit, users)
        self._guard = Guard(keys)
        self._audit = audit
        self._writer = writer
        self._clock = clock
        self._hashing = Hashing()
        self._inside: Counter[bytes] = Counter()
        self._refused: dict[bytes, int] = {}

    # --- in and out ------------------------------------------------------------------------------

    async def sign_in(self, login: str, password: str, address: str, code: str = "") -> SignedIn:
        """A new session. ``code`` is the authenticator's, or a recovery code.

        Raises Refused: SIGN_IN_WRONG, SIGN_IN_LOCKED and TOO_MANY_REQUESTS (detail: seconds to
        wait), SIGN_IN_CODE_NEEDED; Unavailable (AUDIT_UNAVAILABLE, STORE_UNAVAILABLE).
        """
        proof = self._proofs.find(login)
        phc = proof.password if proof else _NOBODY
        tried = await self._admit(proof.user.login if proof else login, address)
        with self._turn(tried):
            held = await self._hashing.verify(password, phc)
            conclude = partial(self._conclude, login, phc, held, code, tried)
            return await self._settle(conclude)

    async def sign_out(self, secret: str, principal: Principal) -> None:
        """End this session."""
        await self._write(partial(self._end, principal, lambda: self._users.sessions.end(secret)))

    async def sign_out_everywhere(self, principal: Principal) -> None:
        """End every session of the user."""
        end_all = partial(self._users.sessions.end_all, principal.id)
        await self._write(partial(self._end, principal, end_all))

    # --- one's own account -----------------------------------------------------------------------

    async def change_password(
        self, principal: Principal, current: str, new: str, address: str
    ) -> SignedIn:
        """Replace one's password; all sessions end and a new one begins.

        Raises Malformed (PASSWORD_WEAK), Refused as ``sign_in``.
        """
        proof = self._proofs.read(principal.id)
        tried = await self._admit(proof.user.login, address)
        check_password(new, proof.user.login, proof.user.name)
        with self._turn(tried):
            held = await self._hashing.verify(current, proof.password)
            fresh = await self._hashing.hash(new) if held else ""
            replace = partial(self._replace_password, proof, held, fresh, tried)
            return await self._settle(replace)

    async def begin_second_factor(self, principal: Principal) -> Enrolment:
        """What a new authenticator is given. Raises Refused (ALREADY_EXISTS)."""
        return await self._write(partial(self._proofs.begin_second_factor, principal.id))

    async def confirm_second_factor(
        self, principal: Principal, code: str
    ) -> tuple[SignedIn, tuple[str, ...]]:
        """Put it to use: a new session, and the recovery codes. Raises Refused (SIGN_IN_WRONG)."""

        def confirm() -> tuple[SignedIn, tuple[str, ...]]:
            at = self._clock.now()
            codes = self._proofs.confirm_second_factor(principal.id, code, at)
            return self._users.sessions.open(self._users.read(principal.id), at), codes

        return await self._write(confirm)

    # --- what takes Argon2, for whoever may change users ------------------------------------------

    async def add_user(self, new: NewUser, actor: str) -> tuple[User, str]:
        """A new user and the password for their first sign-in. Raises as ``Users.add``."""
        new.check()
        password = new_password()
        phc = await self._hashing.hash(password)
        add = partial(self._users.add, new, phc, self._clock.now(), actor)
        return await self._write(add), password

    async def reset_password(self, id: str, actor: str) -> str:
        """A password for one sign-in. Raises as ``Users.reset_password``."""
        password = new_password()
        phc = await self._hashing.hash(password)
        await self._write(partial(self._users.reset_password, id, phc, self._clock.now(), actor))
        return password

    async def set_pin(self, id: str, actor: str, pin: str | None = None) -> str:
        """Set an operator's PIN, or draw one. Raises Malformed (PIN_WEAK), Refused."""
        chosen = new_pin() if pin is None else pin
        check_pin(chosen)
        phc = await self._hashing.hash(chosen)
        await self._write(partial(self._users.set_pin, id, phc, self._clock.now(), actor))
        return chosen

    # --- inside a unit ---------------------------------------------------------------------------

    def _conclude(
        self, login: str, phc: str, held: bool, code: str, tried: Try
    ) -> SignedIn | Reason:
        at = self._clock.now()
        proof = self._proofs.find(login)  # as it is now: it may have changed meanwhile
        user = proof.user if proof else None
        good = held and proof is not None and proof.password == phc
        if not good or user is None or user.state is not UserState.ACTIVE:
            return self._fail(tried, user, at)
        if user.second_factor and not code:
            return Reason.SIGN_IN_CODE_NEEDED
        if user.second_factor and not self._proofs.use_code(user.id, code, at):
            return self._fail(tried, user, at)
        self._guard.welcome(tried, at)
        signed_in = self._users.sessions.open(user, at)
        self._audit.write("user.sign-in", user.actor, user.actor, at, address=tried.origin)
        return signed_in

    def _replace_password(
        self, proof: Proof, held: bool, fresh: str, tried: Try
    ) -> SignedIn | Reason:
        at = self._clock.now()
        user = proof.user
        if not held or self._proofs.read(user.id).password != proof.password:
            return self._fail(tried, user, at)
        self._users.store_password(user.id, fresh, once=False)
        self._audit.write("user.change-password", user.actor, user.actor, at, address=tried.origin)
        return self._users.sessions.open(self._users.read(user.id), at)

    def _fail(self, tried: Try, user: User | None, at: datetime) -> Reason:
        failures = self._guard.count_failure(tried, user.id if user else None, at)
        if _is_power_of_two(failures):
            subject = user.actor if user else "unknown user"
            actor = f"address {tried.origin}"
            self._audit.write("user.sign-in-failed", subject, actor, at, count=failures)
        return Reason.SIGN_IN_WRONG

    def _end(self, principal: Principal, end: Callable[[], int | bool]) -> None:
        if end():
            at = self._clock.now()
            self._audit.write("user.sign-out", principal.actor, principal.actor, at)

    # --- around it -------------------------------------------------------------------------------

    async def _admit(self, login: str, address: str) -> Try:
        tried = self._guard.read_try(login, address)
        lock = self._guard.find_lock(tried, self._clock.now())
        if lock is not None:
            await self._refuse(lock, tried, Reason.SIGN_IN_LOCKED)
        busy = self._busy(tried)
        if busy is not None:
            await self._refuse(Lock(busy, 1), tried, Reason.TOO_MANY_REQUESTS)
        return tried

    async def _refuse(self, lock: Lock, tried: Try, reason: Reason) -> NoReturn:
        count = self._refused.pop(lock.token, 0) + 1
        self._refused[lock.token] = count
        if len(self._refused) > _MOST_COUNTED:
            del self._refused[next(iter(self._refused))]
        if _is_power_of_two(count):
            at, actor = self._clock.now(), f"address {tried.origin}"
            name = f"lock {lock.token.hex()[:8]}"
            write = partial(self._audit.write, "user.sign-in-refused", name, actor, at, count=count)
            await self._write(write)
        raise Refused(reason, f"{lock.seconds} s")

    def _busy(self, tried: Try) -> bytes | None:
        if self._inside[tried.account]:
            return tried.account
        if tried.address and self._inside[tried.address] >= _AT_ONCE_FROM_AN_ADDRESS:
            return tried.address
        return None

    @contextmanager
    def _turn(self, tried: Try) -> Iterator[None]:
        tokens = (tried.account, tried.address) if tried.address else (tried.account,)
        self._inside.update(tokens)
        try:
            yield
        finally:
            self._inside.subtract(tokens)
            self._inside += Counter()  # drops what is at zero

    async def _settle(self, work: Callable[[], SignedIn | Reason]) -> SignedIn:
        """A refusal that must stay counted is no exception inside the unit."""
        outcome = await self._write(work)
        if isinstance(outcome, Reason):
            raise Refused(outcome)
        return outcome

    async def _write(self, work: Callable[[], T]) -> T:
        return await self._writer.run(work, patient=True)


def _is_power_of_two(count: int) -> bool:
    return count & (count - 1) == 0
