"""The statements of offline leases. Times are microseconds since 1970 UTC."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from central.leases.model import Granted, SitePolicy
from shared.clock import from_microseconds, to_microseconds
from shared.errors import Damaged
from shared.ids import BoxId
from shared.lease import LeasePolicy
from shared.reasons import Reason


class Grant(NamedTuple):
    """A box's last lease: when, on which terms, and which lease the box said it had then."""

    at: datetime
    policy: bytes | None  # as msgpack; None: not kept then
    known: int | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(LeasePolicy).decode


def find_policy(site: str) -> LeasePolicy | None:
    """What was set for a site; None where nothing was. Raises Damaged."""
    row = SitePolicy.execute(
        "SELECT policy FROM lease_policy WHERE site_id = ?", (site,)
    ).fetchone()
    if row is None:
        return None
    try:
        return _decode(row[0])
    except msgspec.DecodeError as error:
        raise Damaged(Reason.STORE_DAMAGED, "lease policy") from error


def save_policy(site: str, policy: LeasePolicy, at: datetime, actor: str) -> None:
    """Replace what holds at the boxes of a site."""
    SitePolicy.execute(
        "INSERT INTO lease_policy (site_id, policy, set_at, set_by) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (site_id) DO UPDATE SET policy = excluded.policy,"
        " set_at = excluded.set_at, set_by = excluded.set_by",
        (site, _encode(policy), to_microseconds(at), actor),
    )


def find_grant(box: BoxId) -> Grant | None:
    """A box's last lease; None for one that never had any."""
    row = Granted.execute(
        "SELECT granted_at, policy, known FROM lease_granted WHERE box_id = ?", (str(box),)
    ).fetchone()
    return None if row is None else Grant(from_microseconds(row[0]), *row[1:])


def save_grant(box: BoxId, policy: LeasePolicy, known: int, at: datetime) -> int:
    """Count a grant; its revision is more than the last one, and than what the box says it has."""
    row = Granted.execute(
        "INSERT INTO lease_granted (box_id, revision, granted_at, policy, known)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (box_id) DO UPDATE SET"
        " revision = max(revision + 1, excluded.revision), granted_at = excluded.granted_at,"
        " policy = excluded.policy, known = excluded.known RETURNING revision",
        (str(box), known + 1, to_microseconds(at), _encode(policy), known),
    ).fetchone()
    return int(row[0])


def read_terms(kept: bytes) -> LeasePolicy | None:
    """The terms of a grant; None for what cannot be read: no box goes without a lease for that."""
    try:
        return _decode(kept)
    except msgspec.DecodeError:
        return None
