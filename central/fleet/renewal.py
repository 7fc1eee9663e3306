"""A box's new certificate, by proof of the key in its old one: before the old one's end or after.

The proof covers central's time as the box learnt it, so that an overheard request is good for
minutes only. Of a box's certificates two stay good, the proved one and the new one: a lost answer
costs nothing, and a copied key does not live on beside the box's.
"""

from datetime import datetime, timedelta

from central.audit.service import Audit
from central.fleet import certificate_store
from central.fleet.box import Box, Certified
from central.fleet.certificates import Authority, read_facts
from central.fleet.proofs import (
    certificate_pem,
    certified_key,
    check_proof,
    key_bytes,
    read_requested_key,
)
from central.fleet.service import Fleet
from central.fleet.states import BoxState
from shared.clock import from_microseconds, to_microseconds
from shared.errors import NotAuthentic, Refused
from shared.ids import parse_box_id
from shared.joining import RenewAnswer, RenewRequest, renew_bytes
from shared.reasons import Reason

PROOF_MINUTES = 10
_REPLACED = "replaced by a newer certificate"


class Renewals:
    """Renews certificates inside the caller's unit of work."""

    def __init__(self, fleet: Fleet, authority: Authority, audit: Audit) -> None:
        self._fleet = fleet
        self._authority = authority
        self._audit = audit

    def renew(self, request: RenewRequest, at: datetime) -> RenewAnswer:
        """The new certificate; the same one for the same keys, however often it is asked for.

        Raises NotAuthentic (PROOF_WRONG, SIGNATURE_WRONG), Malformed, Refused (ASK_EXPIRED for a
        time that is not minutes old, CERTIFICATE_REVOKED, NOT_ADMITTED).
        """
        id = parse_box_id(request.box)
        old = certificate_store.find_certificate(request.serial)
        if old is None or old.box != id:
            raise NotAuthentic(Reason.PROOF_WRONG, "no such certificate")
        data = renew_bytes(request.box, request.serial, request.csr, request.central_at)
        check_proof(certified_key(old.facts.der), request.proof, data)
        if abs(at - from_microseconds(request.central_at)) > timedelta(minutes=PROOF_MINUTES):
            raise Refused(Reason.ASK_EXPIRED, "the proof's time")
        box = self._fleet.box(id)
        if old.revoked_at is not None or box.state is BoxState.REVOKED:
            raise Refused(Reason.CERTIFICATE_REVOKED, f"box {id}")
        if box.state is BoxState.RETIRED:
            raise Refused(Reason.NOT_ADMITTED, f"box {id}")
        certificate = self._issued(request.csr, old) or self._issue(box, request.csr, old, at)
        return RenewAnswer(certificate, to_microseconds(at))

    def note_refusal(
        self, request: RenewRequest, reason: Reason, address: str, at: datetime
    ) -> None:
        """Write into the audit that a box we know was refused; others are only logged."""
        certified = certificate_store.find_certificate(request.serial)
        if certified is not None:
            box = str(certified.box)
            self._audit.write("certificate.refused", box, f"address {address}", at, reason=reason)

    def _issued(self, csr: str, old: Certified) -> str | None:
        """What was issued for this key already: its answer was lost."""
        wanted = key_bytes(read_requested_key(csr))
        for certified in certificate_store.list_certificates(old.box):
            der = certified.facts.der
            fresh = certified.revoked_at is None and certified.facts.serial != old.facts.serial
            if fresh and der and key_bytes(certified_key(der)) == wanted:
                return certificate_pem(der)
        return None

    def _issue(self, box: Box, csr: str, old: Certified, at: datetime) -> str:
        certificate = self._authority.certify_box(box.id, read_requested_key(csr), at)
        facts = read_facts(certificate)
        for certified in certificate_store.list_certificates(box.id):
            if certified.facts.serial != old.facts.serial:
                certificate_store.revoke_certificate(certified.facts.serial, _REPLACED, at)
        certificate_store.insert_certificate(box.id, facts)
        self._fleet.changes += 1
        self._audit.write(
            "certificate.renew",
            str(box.id),
            f"box {box.id}",
            at,
            former=old.facts.serial,
            certificate=facts.serial,
        )
        return certificate.decode()
