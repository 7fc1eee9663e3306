"""A machine that wants to be a box: its keys, and the requests it makes with them."""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from central.fleet.certificates import Identity, new_key, private_pem, read_facts
from shared.clock import to_microseconds
from shared.crypto import STD, SigningKey
from shared.joining import Invite, JoinRequest, RenewRequest, parse_invite, renew_bytes
from shared.sealing import wrap_pair_key
from tests.central.people import AT


def build_csr(key: ec.EllipticCurvePrivateKey, name: str = "whatever it says") -> str:
    """A signing request by the key's owner."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@dataclass
class Machine:
    """Fresh keys, and central's public key as the listener gives it."""

    central_public: bytes
    serial: str = "SN-1"
    tls: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    signing: SigningKey = field(default_factory=STD.new_signing_key)
    pair: bytes = bytes(range(32))

    def join_request(self, invite: str | Invite) -> JoinRequest:
        """Use an invite with these keys; the seal around the pair key is fresh each time."""
        known = parse_invite(invite) if isinstance(invite, str) else invite
        public = self.signing.public_bytes
        return JoinRequest(
            secret=known.secret,
            serial=self.serial,
            csr=build_csr(self.tls),
            signing_public=public,
            pair_key=wrap_pair_key(STD, self.central_public, public, self.pair),
        )

    def renew_request(
        self,
        box: str,
        certificate: str,
        fresh: ec.EllipticCurvePrivateKey,
        central_at: int = to_microseconds(AT),
    ) -> RenewRequest:
        """Ask for a certificate over ``fresh``, proved with the key of the present one."""
        serial, csr = read_facts(certificate.encode()).serial, build_csr(fresh)
        data = renew_bytes(box, serial, csr, central_at)
        proof = self.tls.sign(data, ec.ECDSA(hashes.SHA256()))
        return RenewRequest(box, serial, csr, central_at, proof)

    def identity(self, certificate: str) -> Identity:
        """The certificate with this machine's key."""
        return Identity(certificate.encode(), private_pem(self.tls))
