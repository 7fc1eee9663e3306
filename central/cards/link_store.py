"""Every statement on patients' one-time links. Decides nothing.

Times are microseconds since 1970 UTC.
"""

from typing import NamedTuple
from uuid import UUID

from central.cards.model import PatientLinkRow


class StoredLink(NamedTuple):
    """A link's row; ``phone`` and ``until_at`` once it was opened."""

    card: UUID
    expires_at: int
    phone: bytes | None
    until_at: int | None


def insert_link(token: bytes, card: UUID, made_at: int, expires_at: int) -> None:
    """A new link, opened by nobody."""
    PatientLinkRow.execute(
        "INSERT INTO patient_link (token, card_id, made_at, expires_at) VALUES (?, ?, ?, ?)",
        (token, card.bytes, made_at, expires_at),
    )


def find_link(token: bytes) -> StoredLink | None:
    """The link with this token."""
    row = PatientLinkRow.execute(
        "SELECT card_id, expires_at, phone, until_at FROM patient_link WHERE token = ?", (token,)
    ).fetchone()
    return StoredLink(UUID(bytes=row[0]), *row[1:]) if row else None


def bind_link(token: bytes, phone: bytes, at: int, until: int) -> bool:
    """Give an unopened link to one phone; False when another was first."""
    cursor = PatientLinkRow.execute(
        "UPDATE patient_link SET phone = ?, opened_at = ?, until_at = ?"
        " WHERE token = ? AND phone IS NULL",
        (phone, at, until, token),
    )
    return cursor.rowcount == 1
