"""Boxes join by an invite. What they ask for travels as in ``shared.joining``.

The invite names the box, the request brings keys: certificate, keys, the invite's use and the
audit hold in the caller's unit of work, or none does. The same keys asking again get the same
answer, so that an interrupted box finishes with what it has.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from central.audit.service import Audit
from central.config import BrokerConfig
from central.fleet import certificate_store, invite_store
from central.fleet.box import Box, NewKeys, Place
from central.fleet.certificates import Authority, read_facts
from central.fleet.invite_store import KeptInvite
from central.fleet.invites import state_of
from central.fleet.proofs import certificate_pem, key_bytes, read_requested_key
from central.fleet.service import Fleet
from central.fleet.states import InviteState
from central.keys.service import Keys
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.desired import SignedDesired
from shared.errors import Refused
from shared.ids import BoxId
from shared.joining import CentreAnswer, JoinAnswer, JoinRequest, TimeAnswer, time_bytes
from shared.reasons import Reason

_CLOSED = {
    InviteState.EXPIRED: Reason.INVITE_EXPIRED,
    InviteState.WITHDRAWN: Reason.INVITE_WITHDRAWN,
}


class Configuration(Protocol):
    """What joining needs of whoever configures boxes."""

    def expect_devices(
        self, box: BoxId, scanner: str, printer: str, at: datetime, actor: str
    ) -> None:
        """Want the devices that the invite named."""
        ...

    def compose(self, box: BoxId, at: datetime) -> SignedDesired:
        """What is wanted of the box now."""
        ...


@dataclass(frozen=True, slots=True)
class MachineKeys:
    """The keys a machine brings: two public halves, and the pair key it shares with central."""

    tls: ec.EllipticCurvePublicKey
    signing: bytes
    pair: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reception:
    """Lets machines in, by an invite or by a command: certifies one key, keeps the others."""

    fleet: Fleet
    authority: Authority

    def admit(self, place: Place, keys: MachineKeys, at: datetime, actor: str) -> tuple[Box, bytes]:
        """The box, and its certificate as PEM; a known box gets another machine.

        Raises as ``Fleet.add_box`` and ``Fleet.replace_machine``.
        """
        certificate = self.authority.certify_box(place.id, keys.tls, at)
        kept = NewKeys(keys.pair, STD.id, keys.signing, read_facts(certificate))
        known = self.fleet.is_known(place.id)
        join = self.fleet.replace_machine if known else self.fleet.add_box
        return join(place, kept, at, actor), certificate


class Joins:
    """Answers boxes that want to join."""

    def __init__(
        self,
        reception: Reception,
        keys: Keys,
        audit: Audit,
        broker: BrokerConfig,
        configuration: Configuration,
    ) -> None:
        self._reception = reception
        self._fleet = reception.fleet
        self._keys = keys
        self._audit = audit
        self._broker = broker
        self._configuration = configuration

    def centre(self) -> CentreAnswer:
        """Who central is; a box compares the authority with its invite."""
        return CentreAnswer(
            ca=self._reception.authority.certificate.decode(),
            central_public=self._keys.central_public,
            announcements=self._keys.announcements_public,
        )

    def time(self, nonce: bytes, at: datetime) -> TimeAnswer:
        """Central's time, signed for whoever drew this nonce."""
        central_at = to_microseconds(at)
        signature = self._keys.sign_announcement(time_bytes(nonce, central_at))
        return TimeAnswer(nonce, central_at, signature)

    def join(self, request: JoinRequest, at: datetime) -> JoinAnswer:
        """Use an invite.

        Raises Refused (INVITE_UNKNOWN, INVITE_USED by other keys, INVITE_EXPIRED,
        INVITE_WITHDRAWN, INVITE_OTHER_MACHINE, CERTIFICATE_REVOKED for an answer that is not good
        any more), NotAuthentic, Malformed for keys that are none.
        """
        invite = self._fleet.invites.find(request.secret)
        tls_key = read_requested_key(request.csr)
        STD.verify_key(request.signing_public)
        pair_key = self._keys.pair_key(request.signing_public, request.pair_key)
        keys = MachineKeys(tls_key, request.signing_public, pair_key)
        joined = key_bytes(keys.tls) + keys.signing + keys.pair
        used_by = self._keys.token("invite user", joined.hex())
        if invite.used_at is not None:
            return self._answer_again(invite, used_by, at)
        if reason := _CLOSED.get(state_of(invite, at)):
            raise Refused(reason, f"invite {invite.number}")
        if invite.place.machine and invite.place.machine != request.serial.strip():
            raise Refused(Reason.INVITE_OTHER_MACHINE, f"invite {invite.number}")
        place = replace(invite.place, machine=request.serial.strip())
        actor = f"invite {invite.number}"
        box, certificate = self._reception.admit(place, keys, at, actor)
        devices = (place.scanner, place.printer)
        self._configuration.expect_devices(box.id, *devices, at, actor)
        serial = read_facts(certificate).serial
        invite_store.save_used(invite.number, used_by, serial, at)
        return self._answer(box, certificate.decode(), at)

    def note_refusal(
        self, request: JoinRequest, reason: Reason, address: str, at: datetime
    ) -> None:
        """Write into the audit that an invite of ours was refused; a guessed one is only logged,
        or guessing would fill the audit."""
        try:
            invite = self._fleet.invites.find(request.secret)
        except Refused:
            return
        box = str(invite.place.id)
        self._audit.write(
            "box.join-refused", box, f"address {address}", at, invite=invite.number, reason=reason
        )

    def _answer_again(self, invite: KeptInvite, used_by: bytes, at: datetime) -> JoinAnswer:
        if invite.used_by != used_by or invite.certificate is None:
            raise Refused(Reason.INVITE_USED, f"invite {invite.number}")
        certified = certificate_store.find_certificate(invite.certificate)
        if certified is None or certified.revoked_at is not None:
            raise Refused(Reason.CERTIFICATE_REVOKED, f"invite {invite.number}")
        box = self._fleet.box(invite.place.id)
        return self._answer(box, certificate_pem(certified.facts.der), at)

    def _answer(self, box: Box, certificate: str, at: datetime) -> JoinAnswer:
        return JoinAnswer(
            box=str(box.id),
            counter=box.counter,
            site_name=box.site_name,
            certificate=certificate,
            broker_host=self._broker.host,
            broker_port=self._broker.box_port,
            signing_key_id=box.key_id,
            epoch=box.epoch,
            code_keys={str(kid): key.hex() for kid, key in self._keys.code_keys.items()},
            desired=self._configuration.compose(box.id, at),
            central_at=to_microseconds(at),
            number=box.number,
        )
