"""Every statement on persons, their names, documents and index entries. Decides nothing.

Takes and gives sealed values and tokens as bytes, times as microseconds since 1970 UTC.
"""

from typing import NamedTuple
from uuid import UUID

from central.patients.model import DocumentRow, IndexRow, NameRow, PersonRow, PhoneRow


class SealedDocument(NamedTuple):
    """A document's row."""

    id: int
    type: str
    number: bytes


class SealedPerson(NamedTuple):
    """A person's rows: sex, current name, and documents in the order they were added."""

    sex: str
    name_id: int
    name: bytes
    documents: tuple[SealedDocument, ...]


def find_by_index(token: bytes) -> UUID | None:
    """Whom an index entry means, a former one too."""
    row = IndexRow.execute(
        "SELECT person_id FROM person_index WHERE token = ?", (token,)
    ).fetchone()
    return UUID(bytes=row[0]) if row else None


def find_document_owner(type: str, token: bytes) -> UUID | None:
    """The first person who has this document."""
    row = DocumentRow.execute(
        "SELECT person_id FROM person_document WHERE token = ? AND type = ? ORDER BY id",
        (token, type),
    ).fetchone()
    return UUID(bytes=row[0]) if row else None


def read_person(person: UUID) -> SealedPerson | None:
    """A person's current rows."""
    rows = PersonRow.execute(
        "SELECT p.sex, n.id, n.name, d.id, d.type, d.number FROM person p"
        " JOIN person_name n ON n.person_id = p.id AND n.until_at IS NULL"
        " JOIN person_document d ON d.person_id = p.id"
        " WHERE p.id = ? ORDER BY d.id",
        (person.bytes,),
    ).fetchall()
    if not rows:
        return None
    sex, name_id, name = rows[0][:3]
    return SealedPerson(sex, name_id, name, tuple(SealedDocument(*row[3:]) for row in rows))


def insert_person(person: UUID, sex: str, at: int) -> None:
    """A new person, still without name and document."""
    PersonRow.execute(
        "INSERT INTO person (id, sex, registered_at) VALUES (?, ?, ?)", (person.bytes, sex, at)
    )


def update_sex(person: UUID, sex: str) -> None:
    """Fill in what was not known before."""
    PersonRow.execute("UPDATE person SET sex = ? WHERE id = ?", (sex, person.bytes))


def insert_name(person: UUID, name: bytes, token: bytes, at: int) -> int:
    """The person's current name from now on; the one before ends. Its row's id."""
    NameRow.execute(
        "UPDATE person_name SET until_at = ? WHERE person_id = ? AND until_at IS NULL",
        (at, person.bytes),
    )
    row = NameRow.execute(
        "INSERT INTO person_name (person_id, name, token, since_at) VALUES (?, ?, ?, ?)"
        " RETURNING id",
        (person.bytes, name, token, at),
    ).fetchone()
    return int(row[0])


def list_names(person: UUID) -> list[tuple[bytes, int, int | None]]:
    """Sealed name, since, until; oldest first."""
    return NameRow.execute(
        "SELECT name, since_at, until_at FROM person_name WHERE person_id = ? ORDER BY id",
        (person.bytes,),
    ).fetchall()


def insert_document(person: UUID, type: str, number: bytes, token: bytes, at: int) -> int:
    """Raises IntegrityError for a resident id that is another's, or this person's second."""
    row = DocumentRow.execute(
        "INSERT INTO person_document (person_id, type, number, token, added_at)"
        " VALUES (?, ?, ?, ?, ?) RETURNING id",
        (person.bytes, type, number, token, at),
    ).fetchone()
    return int(row[0])


def save_index(token: bytes, person: UUID, document_id: int, name_id: int, at: int) -> None:
    """An index entry of a document and the current name; one that was former is current again."""
    IndexRow.execute(
        "INSERT INTO person_index (token, person_id, document_id, name_id, made_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (token) DO UPDATE"
        " SET name_id = excluded.name_id, former_since_at = NULL",
        (token, person.bytes, document_id, name_id, at),
    )


def end_index(person: UUID, at: int) -> None:
    """All current index entries of a person become former ones."""
    IndexRow.execute(
        "UPDATE person_index SET former_since_at = ?"
        " WHERE person_id = ? AND former_since_at IS NULL",
        (at, person.bytes),
    )


def list_phones(person: UUID) -> list[bytes]:
    """Sealed telephone numbers, the last given first."""
    rows = PhoneRow.execute(
        "SELECT number FROM person_phone WHERE person_id = ? ORDER BY given_at DESC, token",
        (person.bytes,),
    )
    return [number for (number,) in rows]


def save_phone(person: UUID, token: bytes, number: bytes, at: int) -> None:
    """Keep a telephone number, and when it was last given."""
    PhoneRow.execute(
        "INSERT INTO person_phone (person_id, token, number, given_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (person_id, token) DO UPDATE SET given_at = excluded.given_at",
        (person.bytes, token, number, at),
    )


def list_alike(person: UUID, name: bytes, most: int) -> list[tuple[UUID, bool]]:
    """Others who have or had this name, the oldest first, and whether they share a telephone
    number with the person."""
    rows = NameRow.execute(
        "SELECT DISTINCT n.person_id, EXISTS (SELECT 1 FROM person_phone a"
        " JOIN person_phone b ON b.token = a.token AND b.person_id = n.person_id"
        " WHERE a.person_id = ?1) FROM person_name n"
        " WHERE n.token = ?2 AND n.person_id <> ?1 ORDER BY 2 DESC, 1 LIMIT ?3",
        (person.bytes, name, most),
    )
    return [(UUID(bytes=id), bool(shared)) for id, shared in rows]


def find_by_token(token: bytes, site: str | None, most: int) -> list[UUID]:
    """Whom a name, a telephone number or a document with this token means, oldest first.

    Only those with an active patient id at ``site``, where one is given.
    """
    rows = PersonRow.execute(
        "SELECT person_id FROM (SELECT person_id FROM person_name WHERE token = ?1"
        " UNION SELECT person_id FROM person_phone WHERE token = ?1"
        " UNION SELECT person_id FROM person_document WHERE token = ?1) found"
        " WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM site_patient s"
        " WHERE s.person_id = found.person_id AND s.active AND s.site = ?2)"
        " ORDER BY person_id LIMIT ?3",
        (token, site, most),
    ).fetchall()
    return [UUID(bytes=row[0]) for row in rows]
