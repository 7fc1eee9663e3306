"""Who asks: a signed-in user or a machine's token, with what it may do and where. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from central.users.roles import Permission, Role
from shared.errors import Refused
from shared.reasons import Reason


class Owed(StrEnum):
    """What a user must still do before a session may more than keep its own account."""

    PASSWORD = "password"  # noqa: S105 - the one in use was given by someone else
    SECOND_FACTOR = "second-factor"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever a request is judged by. ``site`` None: every site."""

    id: str
    name: str
    role: Role
    site: str | None
    kind: Literal["user", "token"]
    permissions: frozenset[Permission]

    @property
    def actor(self) -> str:
        """How the audit names it."""
        return f"{self.kind} {self.id}"

    def may(self, permission: Permission) -> bool:
        """Whether it has this permission (at its own site, where it has one)."""
        return permission in self.permissions

    def sees(self, site: str) -> bool:
        """Whether what belongs to ``site`` exists for it."""
        return self.site is None or self.site == site

    def check(self, permission: Permission) -> None:
        """Raises Refused (PERMISSION_MISSING)."""
        if permission not in self.permissions:
            raise Refused(Reason.PERMISSION_MISSING, permission)

    def check_site(self, site: str) -> None:
        """Another site's things are not refused but absent. Raises Refused (NOT_FOUND)."""
        if not self.sees(site):
            raise Refused(Reason.NOT_FOUND, f"site {site}")


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's standing. ``csrf`` goes with every request of it that changes something.

    While something is ``owed``, the principal has ``roles.OWN_ACCOUNT`` alone.
    """

    principal: Principal
    csrf: str
    language: str
    owed: tuple[Owed, ...]
    ends_at: datetime  # at the latest


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session just begun: ``secret`` is the cookie's value and is stored nowhere."""

    secret: str
    session: Session
