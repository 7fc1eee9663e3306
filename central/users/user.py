"""A user as the rest of central sees one, and how sign-in names are written. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from central.users.roles import ADMINISTRATORS, SITE_ROLES, Role
from shared.errors import Malformed
from shared.ids import parse_box_id
from shared.reasons import Reason

UserId = NewType("UserId", str)
"""A UUIDv7 in text form: in the audit, in records as the operator, never a name."""

_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")
_MOST_NAME = 64
_LANGUAGES = ("zh", "en")


class UserState(StrEnum):
    """Whether a user may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class User:
    """A user. ``second_factor`` says whether one is in use, ``badge`` whether one was given out."""

    id: UserId
    login: str
    name: str
    role: Role
    site: str | None
    state: UserState
    language: str
    password_once: bool
    second_factor: bool
    badge: bool
    made_at: datetime

    @property
    def actor(self) -> str:
        """How the audit names the user."""
        return f"user {self.id}"

    @property
    def is_administrator(self) -> bool:
        return self.role in ADMINISTRATORS


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who is to be made a user. Clerks, technicians and site operators have a site, nobody else."""

    login: str
    name: str
    role: Role
    site: str | None = None
    language: str = "zh"

    def check(self) -> None:
        """Raises Malformed (REQUEST_MALFORMED)."""
        normal_login(self.login)
        check_name(self.name)
        check_place(self.role, self.site)
        if self.language not in _LANGUAGES:
            raise Malformed(Reason.REQUEST_MALFORMED, "language is zh or en")


def normal_login(text: str) -> str:
    """The sign-in name by which a user is found, however it is typed.

    Letters of ASCII, digits and inner ``. _ @ -``, 1–64. Raises Malformed (REQUEST_MALFORMED).
    """
    login = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _LOGIN.fullmatch(login):
        raise Malformed(Reason.REQUEST_MALFORMED, "login is letters, digits and inner . _ @ -")
    return login


def check_name(name: str) -> None:
    """Raises Malformed (NAME_EMPTY, NAME_TOO_LONG, NAME_CONTROL_CHARACTER)."""
    if not name.strip():
        raise Malformed(Reason.NAME_EMPTY)
    if len(name) > _MOST_NAME:
        raise Malformed(Reason.NAME_TOO_LONG)
    if not name.isprintable():
        raise Malformed(Reason.NAME_CONTROL_CHARACTER)


def check_place(role: Role, site: str | None) -> None:
    """Raises Malformed: a role lacks its site or has one too much, or the site is none."""
    if (role in SITE_ROLES) != (site is not None):
        raise Malformed(Reason.ROLE_SITE, role)
    if site is not None:
        parse_box_id(f"{site}/box")  # a site's name is what a box's id may begin with
    if role is Role.INTEGRATION:
        raise Malformed(Reason.REQUEST_MALFORMED, "integration is for tokens")
