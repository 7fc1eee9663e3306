"""Offline leases: granted to a box that asks and may work, on the terms of its site.

The reply is bound to the question by its id, so it is central's time too (CONTRACTS §6). Every
method runs inside the caller's unit of work. Audited are changes of terms, and the grants that
change what a box may do, not the renewals of every few minutes (docs/adr/0025).
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from central.audit.service import Audit
from central.fleet.service import Fleet
from central.keys.service import Keys
from central.leases import store
from central.leases.store import Grant
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


class Why(StrEnum):
    """What makes a grant more than a renewal."""

    FIRST = "first"  # the box never had one
    NONE_LEFT = "none-left"  # the box had one and says that it has none: lost, or joined again
    LAPSED = "lapsed"  # the former one had run into its second step by time alone
    TERMS = "terms"  # the former one was on other terms


class Leases:
    """Grants, and the terms of each site."""

    def __init__(self, keys: Keys, audit: Audit, fleet: Fleet) -> None:
        self._keys = keys
        self._audit = audit
        self._fleet = fleet

    def answer(self, box: BoxId, ask: LeaseAsk, at: datetime) -> LeaseReply:
        """A new lease; whether the box may have one was checked before (``ingest.asks``)."""
        policy = store.find_policy(box.site) or DEFAULT_POLICY
        why = _why(store.find_grant(box), ask.revision, policy, at)
        lease = Lease(
            box=str(box),
            revision=store.save_grant(box, policy, ask.revision, at),
            issued_at=to_microseconds(at),
            nonce=ask.id,
            policy=policy,
        )
        if why is not None:
            name, revision = str(box), lease.revision
            self._audit.write("lease.grant", name, name, at, why=why, revision=revision)
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


def _why(before: Grant | None, known: int, policy: LeasePolicy, at: datetime) -> Why | None:
    """What is new for a box with this grant; None: nothing. A box that cannot keep its lease asks
    again and again without one, which is told once."""
    if before is None:
        return Why.FIRST
    if known == 0 and before.known:
        return Why.NONE_LEFT
    if before.policy is None:
        return None
    terms = store.read_terms(before.policy)
    if terms is not None and at - before.at >= timedelta(seconds=terms.verify_only.seconds):
        return Why.LAPSED
    return None if terms == policy else Why.TERMS


def _changed(before: LeasePolicy, after: LeasePolicy) -> list[str]:
    fields = LeasePolicy.__struct_fields__
    return [name for name in fields if getattr(before, name) != getattr(after, name)]


def _say(terms: object) -> str:
    if isinstance(terms, msgspec.Struct):
        return ",".join(f"{name}={value}" for name, value in msgspec.structs.asdict(terms).items())
    return str(terms)
