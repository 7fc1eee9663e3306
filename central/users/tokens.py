"""Machines' tokens: ``oc_`` and 256 bits, shown once, kept as keyed tokens, with scopes and an end.

Safe to use from several threads; methods that write run inside the caller's unit of work.
"""

import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from central.audit.service import Audit
from central.keys.service import Keys
from central.users import session_store as store
from central.users.principal import Principal
from central.users.roles import PERMISSIONS, SITE_ROLES, TOKEN_ROLES, Permission, Role
from central.users.user import check_name
from shared.clock import from_microseconds, to_microseconds
from shared.errors import Malformed, Refused
from shared.ids import new_record_id, parse_box_id
from shared.reasons import Reason

PREFIX = "oc_"
MOST_DAYS = 366
_ALPHABET = string.digits + string.ascii_letters
_CHARACTERS = 43  # 62^43 > 2^256
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class MachineToken:
    """What is known of a token; never its text."""

    id: str
    name: str
    role: Role
    site: str | None
    scopes: frozenset[Permission]
    made_by: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be. No ``scopes``: all that its role may; ``name`` tells the machine."""

    name: str
    role: Role = Role.INTEGRATION
    site: str | None = None
    scopes: frozenset[Permission] = frozenset()
    days: int = 90

    def check(self) -> None:
        """Raises Malformed."""
        check_name(self.name)
        if self.role not in TOKEN_ROLES:
            raise Malformed(Reason.REQUEST_MALFORMED, f"no token is {self.role}")
        if self.role in SITE_ROLES and self.site is None:
            raise Malformed(Reason.ROLE_SITE, self.role)
        if self.site is not None:
            parse_box_id(f"{self.site}/box")
        if not self.scopes <= token_permissions(self.role):
            raise Malformed(Reason.TOKEN_SCOPE, self.role)
        if not 1 <= self.days <= MOST_DAYS:
            raise Malformed(Reason.REQUEST_MALFORMED, f"a token lives 1–{MOST_DAYS} days")


def token_permissions(role: Role) -> frozenset[Permission]:
    """The most that a token of a role may: a machine has no password to change, and gives no
    reason for which it should see a person in clear."""
    return PERMISSIONS[role] - {Permission.ACCOUNT_WRITE, Permission.PERSONS_UNMASK}


class Tokens:
    """Issues, finds and revokes; ``generation`` moves whenever one is revoked here."""

    def __init__(self, keys: Keys, audit: Audit) -> None:
        self._keys = keys
        self._audit = audit
        self._used: dict[str, int] = {}
        self.generation = 0

    def issue(self, new: NewToken, at: datetime, actor: str) -> tuple[MachineToken, str]:
        """A new token, and its text, which nobody sees again. Raises Malformed."""
        new.check()
        text = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))
        scopes = new.scopes or token_permissions(new.role)
        stored = store.StoredToken(
            id=str(new_record_id(at)),
            name=new.name,
            role=new.role,
            site=new.site,
            scopes=" ".join(sorted(scopes)),
            made_by=actor,
            made_at=to_microseconds(at),
            ends_at=to_microseconds(at + timedelta(days=new.days)),
            used_at=None,
            revoked_at=None,
        )
        store.insert_token(self._token(text), stored)
        self._audit.write(
            "token.issue",
            f"token {stored.id}",
            actor,
            at,
            role=new.role,
            site=new.site,
            scopes=stored.scopes,
            days=new.days,
        )
        return _token(stored), text

    def find(self, text: str, at: datetime) -> Principal | None:
        """Who shows this text; None when it is unknown, revoked or over."""
        if not _SHAPE.fullmatch(text):
            return None
        stored = store.find_token(self._token(text))
        now = to_microseconds(at)
        if stored is None or stored.revoked_at is not None or now >= stored.ends_at:
            return None
        self._used[stored.id] = now
        role = Role(stored.role)
        scopes = frozenset(Permission(scope) for scope in stored.scopes.split())
        # What was taken from the role since is taken from its tokens.
        return Principal(
            stored.id, stored.name, role, stored.site, "token", scopes & token_permissions(role)
        )

    def read(self, id: str) -> MachineToken:
        """The token with this id. Raises Refused (NOT_FOUND)."""
        stored = store.find_token_by_id(id)
        if stored is None:
            raise Refused(Reason.NOT_FOUND, "token")
        return _token(stored)

    def list(self, after: str = "", limit: int = 100) -> Sequence[MachineToken]:
        """Tokens in order of issue, behind the id ``after``."""
        return [_token(stored) for stored in store.list_tokens(after, limit)]

    def revoke(self, id: str, at: datetime, actor: str) -> MachineToken:
        """Revoke; again changes nothing. Raises Refused (NOT_FOUND)."""
        self.read(id)
        self.generation += 1
        if store.revoke_token(id, to_microseconds(at)):
            self._audit.write("token.revoke", f"token {id}", actor, at)
        return self.read(id)

    def save_used(self) -> None:
        """Write down when tokens were last used."""
        used, self._used = self._used, {}
        for id, used_at in used.items():
            store.save_used(id, used_at)

    def _token(self, text: str) -> bytes:
        return self._keys.token("machine-token", text)


def _token(stored: store.StoredToken) -> MachineToken:
    return MachineToken(
        id=stored.id,
        name=stored.name,
        role=Role(stored.role),
        site=stored.site,
        scopes=frozenset(Permission(scope) for scope in stored.scopes.split()),
        made_by=stored.made_by,
        made_at=from_microseconds(stored.made_at),
        ends_at=from_microseconds(stored.ends_at),
        used_at=from_microseconds(stored.used_at) if stored.used_at is not None else None,
        revoked_at=from_microseconds(stored.revoked_at) if stored.revoked_at is not None else None,
    )
