"""Every statement on the lists and on what is due in them. Decides nothing.

Entries of a list go by (revision, key): the token of a card, the id of a person.
"""

from typing import NamedTuple
from uuid import UUID

from central.lists.model import DueCard, DuePerson, ListPerson, ListRevoked, ListStanding


class Standing(NamedTuple):
    """How far a list has come."""

    revision: int
    size: int
    digest: bytes
    as_of: int


class Revoked(NamedTuple):
    """A token's entry; without a reason it is no longer in the set."""

    token: bytes
    reason: str | None
    revision: int


class Person(NamedTuple):
    """A person's sealed entry."""

    id: bytes
    entry: bytes
    revision: int


def find_standing(what: str, site: str) -> Standing | None:
    """How far a list has come."""
    row = ListStanding.execute(
        "SELECT revision, count, digest, as_of FROM list_standing WHERE what = ? AND site = ?",
        (what, site),
    ).fetchone()
    return Standing(*row) if row else None


def save_standing(what: str, site: str, standing: Standing) -> None:
    """Keep how far a list has come."""
    ListStanding.execute(
        "INSERT OR REPLACE INTO list_standing (what, site, revision, count, digest, as_of)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (what, site, *standing),
    )


def list_standings() -> list[tuple[str, str, Standing]]:
    """What, site and how far, of every list there is."""
    rows = ListStanding.execute(
        "SELECT what, site, revision, count, digest, as_of FROM list_standing ORDER BY what, site"
    )
    return [(what, site, Standing(*rest)) for what, site, *rest in rows]


def list_due_cards(most: int) -> list[UUID]:
    """Some cards that have changed."""
    rows = DueCard.execute("SELECT card_id FROM list_due_card LIMIT ?", (most,))
    return [UUID(bytes=card) for (card,) in rows]


def drop_due_card(card: UUID) -> None:
    """It is taken up."""
    DueCard.execute("DELETE FROM list_due_card WHERE card_id = ?", (card.bytes,))


def list_due_persons(most: int) -> list[UUID]:
    """Some persons of whom something has changed."""
    rows = DuePerson.execute("SELECT person_id FROM list_due_person LIMIT ?", (most,))
    return [UUID(bytes=person) for (person,) in rows]


def drop_due_person(person: UUID) -> None:
    """They are taken up."""
    DuePerson.execute("DELETE FROM list_due_person WHERE person_id = ?", (person.bytes,))


def count_due() -> tuple[int, int]:
    """How many cards and persons are due."""
    (cards,) = DueCard.execute("SELECT count(*) FROM list_due_card").fetchone()
    (persons,) = DuePerson.execute("SELECT count(*) FROM list_due_person").fetchone()
    return int(cards), int(persons)


def find_revoked(token: bytes) -> str | None:
    """Why a token's card is in the set; None when it is not."""
    row = ListRevoked.execute(
        "SELECT reason FROM list_revoked WHERE token = ?", (token,)
    ).fetchone()
    return row[0] if row else None


def save_revoked(token: bytes, card: UUID, reason: str | None, revision: int) -> None:
    """A token's entry from this revision on."""
    ListRevoked.execute(
        "INSERT INTO list_revoked (token, card_id, reason, revision) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (token) DO UPDATE"
        " SET reason = excluded.reason, revision = excluded.revision",
        (token, card.bytes, reason, revision),
    )


def list_revoked(revision: int, key: bytes, most: int) -> list[Revoked]:
    """The entries behind a position, in their order."""
    rows = ListRevoked.execute(
        "SELECT token, reason, revision FROM list_revoked WHERE (revision, token) > (?, ?)"
        " ORDER BY revision, token LIMIT ?",
        (revision, key, most),
    )
    return [Revoked(*row) for row in rows]


def list_listed_sites(person: UUID) -> list[str]:
    """The sites whose boxes are told of a person."""
    rows = ListPerson.execute("SELECT site FROM list_person WHERE person_id = ?", (person.bytes,))
    return [site for (site,) in rows]


def save_person(site: str, person: UUID, entry: bytes, revision: int, at: int) -> bool:
    """A person's entry from this revision on; whether they are new in the list."""
    before = ListPerson.execute(
        "SELECT 1 FROM list_person WHERE site = ? AND person_id = ?", (site, person.bytes)
    ).fetchone()
    ListPerson.execute(
        "INSERT OR REPLACE INTO list_person (site, person_id, entry, revision, seen_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (site, person.bytes, entry, revision, at),
    )
    return before is None


def list_persons(site: str, revision: int, key: bytes, most: int) -> list[Person]:
    """The entries of a site behind a position, in their order."""
    rows = ListPerson.execute(
        "SELECT person_id, entry, revision FROM list_person"
        " WHERE site = ? AND (revision, person_id) > (?, ?)"
        " ORDER BY revision, person_id LIMIT ?",
        (site, revision, key, most),
    )
    return [Person(*row) for row in rows]


def find_latest(site: str, most: int) -> tuple[int, bytes] | None:
    """The position behind which the latest ``most`` persons of a site are; None: all are."""
    row = ListPerson.execute(
        "SELECT revision, person_id FROM list_person WHERE site = ?"
        " ORDER BY revision DESC, person_id DESC LIMIT 1 OFFSET ?",
        (site, most),
    ).fetchone()
    return (int(row[0]), bytes(row[1])) if row else None
