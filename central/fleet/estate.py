"""Institutions and their sites: listed, made, renamed. Every method runs inside the caller's unit.

A site made by a joining box belongs to an institution of its own name until it is told otherwise.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from central.audit.service import Audit
from central.fleet import estate_store as store
from shared.errors import Malformed, Refused
from shared.ids import parse_box_id
from shared.reasons import Reason

_LONGEST_NAME = 64


class Institution(NamedTuple):
    """A body that runs sites."""

    id: str
    name: str


class Site(NamedTuple):
    """A hospital or campus."""

    id: str
    institution: str
    name: str


class Estate:
    """Who runs what."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def list_institutions(self, after: str, limit: int) -> Sequence[Institution]:
        """By their ids, those behind ``after``."""
        return [Institution(*row) for row in store.list_institutions(after, limit)]

    def read_institution(self, id: str) -> Institution:
        """Raises Refused (NOT_FOUND)."""
        row = store.find_institution(id)
        if row is None:
            raise Refused(Reason.NOT_FOUND, "institution")
        return Institution(*row)

    def add_institution(self, id: str, name: str, at: datetime, actor: str) -> Institution:
        """Raises Refused (ALREADY_EXISTS), Malformed for a name that cannot be."""
        _check_name(name)
        if not store.insert_institution(id, name):
            raise Refused(Reason.ALREADY_EXISTS, "institution")
        self._audit.write("institution.add", id, actor, at)
        return Institution(id, name)

    def rename_institution(self, id: str, name: str, at: datetime, actor: str) -> Institution:
        """Raises Refused (NOT_FOUND), Malformed for a name that cannot be."""
        _check_name(name)
        if self.read_institution(id).name != name:
            store.update_institution(id, name)
            self._audit.write("institution.rename", id, actor, at)
        return Institution(id, name)

    def list_sites(self, only: str | None, after: str, limit: int) -> Sequence[Site]:
        """By their ids, those behind ``after``; ``only``: that site alone."""
        return [Site(*row) for row in store.list_sites(only, after, limit)]

    def read_site(self, id: str) -> Site:
        """Raises Refused (NOT_FOUND)."""
        row = store.find_site(id)
        if row is None:
            raise Refused(Reason.NOT_FOUND, "site")
        return Site(*row)

    def add_site(self, site: Site, at: datetime, actor: str) -> Site:
        """Raises Refused: ALREADY_EXISTS, NOT_FOUND (its institution); Malformed (ID_RESERVED,
        and for a name that cannot be)."""
        parse_box_id(f"{site.id}/box1")
        _check_name(site.name)
        self.read_institution(site.institution)
        if not store.insert_site(*site):
            raise Refused(Reason.ALREADY_EXISTS, "site")
        self._audit.write("site.add", site.id, actor, at, institution=site.institution)
        return site

    def rename_site(self, id: str, name: str, at: datetime, actor: str) -> Site:
        """What labels show from the next print on. Raises Refused (NOT_FOUND), Malformed."""
        _check_name(name)
        before = self.read_site(id)
        if before.name != name:
            store.update_site(id, name)
            self._audit.write("site.rename", id, actor, at)
        return before._replace(name=name)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Malformed(Reason.NAME_CONTROL_CHARACTER)
