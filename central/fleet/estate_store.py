"""The statements on institutions and sites."""

import peewee

from central.fleet.model import Institution, Site

_SITE = "SELECT id, institution_id, name FROM site"


def list_institutions(after: str, limit: int) -> list[tuple[str, str]]:
    """Id and name, by id."""
    return Institution.execute(
        "SELECT id, name FROM institution WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()


def find_institution(id: str) -> tuple[str, str] | None:
    """Id and name."""
    row: tuple[str, str] | None = Institution.execute(
        "SELECT id, name FROM institution WHERE id = ?", (id,)
    ).fetchone()
    return row


def insert_institution(id: str, name: str) -> bool:
    """False when the id is taken."""
    cursor = Institution.execute(
        "INSERT INTO institution (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING", (id, name)
    )
    return cursor.rowcount == 1


def update_institution(id: str, name: str) -> None:
    """Another name."""
    Institution.execute("UPDATE institution SET name = ? WHERE id = ?", (name, id))


def list_sites(only: str | None, after: str, limit: int) -> list[tuple[str, str, str]]:
    """Id, institution and name, by id."""
    return Site.execute(
        f"{_SITE} WHERE id > ?1 AND (?2 IS NULL OR id = ?2) ORDER BY id LIMIT ?3",
        (after, only, limit),
    ).fetchall()


def find_site(id: str) -> tuple[str, str, str] | None:
    """Id, institution and name."""
    row: tuple[str, str, str] | None = Site.execute(f"{_SITE} WHERE id = ?", (id,)).fetchone()
    return row


def insert_site(id: str, institution: str, name: str) -> bool:
    """False when the id is taken."""
    try:
        Site.execute(
            "INSERT INTO site (id, institution_id, name) VALUES (?, ?, ?)", (id, institution, name)
        )
    except peewee.IntegrityError:
        return False
    return True


def update_site(id: str, name: str) -> None:
    """Another name."""
    Site.execute("UPDATE site SET name = ? WHERE id = ?", (name, id))
