"""Offline leases: granted to a box that asks and may work, on the terms of its site.

The reply is bound to the question by its id, so it is central's time too (CONTRACTS §6). Every
method runs inside the caller's unit of work. A grant is not audited: each box asks every few
minutes; a change of terms is.
"""

from datetime import datetime

import msgspec

from central.audit.service import Audit
from central.fleet.service import Fleet
from central.keys.service import Keys
from central.leases import store
from shared.clock import to_microseconds
from shared.errors import Refused
from shared.ids import BoxId
from shared.lease import (
    DEFAULT_POLICY,
    Lease,
    LeaseAsk,
    LeasePolicy,
    LeaseReply,
    SignedLease,
    build_body,
    check_policy,
    lease_bytes,
)
from shared.reasons import Reason


class Leases:
    """Grants, and the terms of each site."""

    def __init__(self, keys: Keys, audit: Audit, fleet: Fleet) -> None:
        self._keys = keys
        self._audit = audit
        self._fleet = fleet

    def answer(self, box: BoxId, ask: LeaseAsk, at: datetime) -> LeaseReply:
        """A new lease; whether the box may have one was checked before (``ingest.asks``)."""
        lease = Lease(
            box=str(box),
            revision=store.next_revision(box, ask.revision, at),
            issued_at=to_microseconds(at),
            nonce=ask.id,
            policy=store.find_policy(box.site) or DEFAULT_POLICY,
        )
        body = build_body(lease)
        signed = SignedLease(body, self._keys.sign_announcement(lease_bytes(body)))
        return LeaseReply(id=ask.id, central_at=to_microseconds(at), lease=signed)

    def read_policy(self, site: str) -> LeasePolicy:
        """The terms of a site. Raises Refused (NOT_FOUND)."""
        self._check_site(site)
        return store.find_policy(site) or DEFAULT_POLICY

    def set_policy(self, site: str, policy: LeasePolicy, at: datetime, actor: str) -> None:
        """Replace the terms of a site; its boxes have them with their next lease.

        Raises Refused (NOT_FOUND), Malformed (SETTING_IMPOSSIBLE).
        """
        self._check_site(site)
        check_policy(policy)
        before = store.find_policy(site) or DEFAULT_POLICY
        if policy == before:
            return
        store.save_policy(site, policy, at, actor)
        terms = {name: _say(getattr(policy, name)) for name in _changed(before, policy)}
        self._audit.write("lease.policy", site, actor, at, **terms)

    def _check_site(self, site: str) -> None:
        if not self._fleet.has_site(site):
            raise Refused(Reason.NOT_FOUND, f"site {site}")


def _changed(before: LeasePolicy, after: LeasePolicy) -> list[str]:
    fields = LeasePolicy.__struct_fields__
    return [name for name in fields if getattr(before, name) != getattr(after, name)]


def _say(terms: object) -> str:
    if isinstance(terms, msgspec.Struct):
        return ",".join(f"{name}={value}" for name, value in msgspec.structs.asdict(terms).items())
    return str(terms)
