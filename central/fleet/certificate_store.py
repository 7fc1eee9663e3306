"""The statements about certificates and the list of revoked ones."""

from datetime import datetime
from typing import NamedTuple

from central.fleet.box import Certified
from central.fleet.certificates import CertificateFacts
from central.fleet.model import Certificate, RevocationList
from shared.clock import from_microseconds, to_microseconds
from shared.ids import BoxId, parse_box_id

_ONLY_ROW = 1


class KeptList(NamedTuple):
    """The newest list of revoked certificates; ``written``: the number last put into its file."""

    number: int
    made_at: datetime
    pem: bytes
    written: int


def insert_certificate(box: BoxId, facts: CertificateFacts) -> None:
    """Keep what was issued."""
    Certificate.insert(
        serial=facts.serial,
        box=str(box),
        fingerprint=facts.fingerprint,
        not_before=to_microseconds(facts.not_before),
        not_after=to_microseconds(facts.not_after),
        der=facts.der,
    ).execute()


_CERTIFIED = """
    SELECT box_id, serial, fingerprint, not_before, not_after, der, revoked_at, revoked_why
    FROM certificate
"""


def find_certificate(serial: str) -> Certified | None:
    """The certificate with this serial, in hex."""
    row = Certificate.execute(f"{_CERTIFIED} WHERE serial = ?", (serial,)).fetchone()
    return _certified(row) if row else None


def list_certificates(box: BoxId) -> list[Certified]:
    """A box's certificates, the newest first."""
    query = f"{_CERTIFIED} WHERE box_id = ? ORDER BY rowid DESC"
    return [_certified(row) for row in Certificate.execute(query, (str(box),))]


def revoke_certificate(serial: str, why: str, at: datetime) -> None:
    """Mark a certificate; the next list names it."""
    Certificate.execute(
        "UPDATE certificate SET revoked_at = ?, revoked_why = ?"
        " WHERE serial = ? AND revoked_at IS NULL",
        (to_microseconds(at), why, serial),
    )


def is_unlisted() -> bool:
    """Whether a revoked certificate stands in no list yet."""
    row = Certificate.execute(
        "SELECT 1 FROM certificate WHERE revoked_at IS NOT NULL AND listed IS NULL LIMIT 1"
    ).fetchone()
    return row is not None


def list_revoked(at: datetime) -> list[tuple[str, datetime]]:
    """Serial and time of every revoked certificate that TLS would still take for its dates."""
    rows = Certificate.execute(
        "SELECT serial, revoked_at FROM certificate"
        " WHERE revoked_at IS NOT NULL AND not_after > ? ORDER BY rowid",
        (to_microseconds(at),),
    )
    return [(serial, from_microseconds(revoked_at)) for serial, revoked_at in rows]


def find_list() -> KeptList | None:
    """The newest list."""
    row = RevocationList.execute(
        "SELECT number, made_at, pem, written FROM revocation_list"
    ).fetchone()
    return KeptList(row[0], from_microseconds(row[1]), row[2], row[3]) if row else None


def save_list(number: int, pem: bytes, at: datetime) -> None:
    """A new list in place of the former; what is revoked by now stands in it."""
    RevocationList.execute(
        "INSERT INTO revocation_list (id, number, made_at, pem, written) VALUES (?, ?, ?, ?, 0)"
        " ON CONFLICT (id) DO UPDATE"
        " SET number = excluded.number, made_at = excluded.made_at, pem = excluded.pem",
        (_ONLY_ROW, number, to_microseconds(at), pem),
    )
    Certificate.execute(
        "UPDATE certificate SET listed = ? WHERE revoked_at IS NOT NULL AND listed IS NULL",
        (number,),
    )


def save_written(number: int) -> None:
    """This list stands in its file."""
    RevocationList.execute("UPDATE revocation_list SET written = ?", (number,))


def _certified(row: tuple[str, str, bytes, int, int, bytes, int | None, str]) -> Certified:
    box, serial, fingerprint, not_before, not_after, der, revoked_at, why = row
    facts = CertificateFacts(
        serial=serial,
        fingerprint=fingerprint,
        not_before=from_microseconds(not_before),
        not_after=from_microseconds(not_after),
        der=der,
    )
    revoked = from_microseconds(revoked_at) if revoked_at is not None else None
    return Certified(parse_box_id(box), facts, revoked, why)
