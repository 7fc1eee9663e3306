"""The statements about invites."""

from dataclasses import dataclass, field
from datetime import datetime

from central.fleet.box import Place
from central.fleet.model import InviteRow
from shared.clock import from_microseconds, to_microseconds
from shared.ids import BoxId, parse_box_id


@dataclass(frozen=True, slots=True)
class KeptInvite:
    """An invite as central keeps it: the secret is not here."""

    number: int
    place: Place
    made_at: datetime
    made_by: str
    expires_at: datetime
    used_at: datetime | None
    used_by: bytes | None = field(repr=False)
    certificate: str | None  # serial of what it was used for
    withdrawn_at: datetime | None


def insert_invite(token: bytes, place: Place, expires_at: datetime, at: datetime, by: str) -> int:
    """Keep an invite by the token of its secret; its number."""
    return int(
        InviteRow.insert(
            token=token,
            box_id=str(place.id),
            site_name=place.site_name,
            counter=place.counter,
            machine=place.machine,
            scanner=place.scanner,
            printer=place.printer,
            made_at=to_microseconds(at),
            made_by=by,
            expires_at=to_microseconds(expires_at),
        ).execute()
    )


_INVITE = """
    SELECT number, box_id, counter, site_name, scanner, printer, machine, made_at, made_by,
        expires_at, used_at, used_by, certificate, withdrawn_at
    FROM invite
"""


def find_invite(token: bytes) -> KeptInvite | None:
    """The invite whose secret has this token."""
    row = InviteRow.execute(f"{_INVITE} WHERE token = ?", (token,)).fetchone()
    return _invite(row) if row else None


def find_invite_number(number: int) -> KeptInvite | None:
    """The invite with this number."""
    row = InviteRow.execute(f"{_INVITE} WHERE number = ?", (number,)).fetchone()
    return _invite(row) if row else None


def list_invites() -> list[KeptInvite]:
    """Every invite, the newest first."""
    return [_invite(row) for row in InviteRow.execute(f"{_INVITE} ORDER BY number DESC")]


def list_invited(site: str, at: datetime) -> list[BoxId]:
    """The boxes of a site that an open invite waits for."""
    rows = InviteRow.execute(
        "SELECT box_id FROM invite WHERE used_at IS NULL AND withdrawn_at IS NULL"
        " AND expires_at > ? AND box_id LIKE ?",
        (to_microseconds(at), f"{site}/%"),
    )
    return [parse_box_id(row[0]) for row in rows]


def save_used(number: int, by: bytes, certificate: str, at: datetime) -> None:
    """The invite is used, by the keys with this token, for this certificate."""
    InviteRow.execute(
        "UPDATE invite SET used_at = ?, used_by = ?, certificate = ? WHERE number = ?",
        (to_microseconds(at), by, certificate, number),
    )


def save_withdrawn(number: int, at: datetime) -> None:
    """The invite opens nothing any more."""
    InviteRow.execute(
        "UPDATE invite SET withdrawn_at = ? WHERE number = ?", (to_microseconds(at), number)
    )


def _invite(row: tuple[int | str | bytes | None, ...]) -> KeptInvite:
    number, box, counter, site_name, scanner, printer, machine, *rest = row
    made_at, made_by, expires_at, used_at, used_by, certificate, withdrawn_at = rest
    place = Place(
        parse_box_id(str(box)),
        str(counter),
        str(site_name),
        scanner=str(scanner),
        printer=str(printer),
        machine=str(machine),
    )
    return KeptInvite(
        number=_whole(number),
        place=place,
        made_at=from_microseconds(_whole(made_at)),
        made_by=str(made_by),
        expires_at=from_microseconds(_whole(expires_at)),
        used_at=_time(used_at),
        used_by=used_by if isinstance(used_by, bytes) else None,
        certificate=None if certificate is None else str(certificate),
        withdrawn_at=_time(withdrawn_at),
    )


def _whole(value: int | str | bytes | None) -> int:
    assert isinstance(value, int), "the column is INTEGER NOT NULL"
    return value


def _time(value: int | str | bytes | None) -> datetime | None:
    return None if value is None else from_microseconds(_whole(value))
