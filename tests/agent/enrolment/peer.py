"""A small centre: the listener for boxes alone, over real TLS, that can be cut, lied to and aged.

It keeps nothing on disk. What the real centre does besides is tested with the real one.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.clock import to_microseconds
from shared.crypto import STD
from shared.errors import Refused
from shared.joining import (
    CentreAnswer,
    Invite,
    JoinAnswer,
    JoinRequest,
    RenewAnswer,
    RenewRequest,
    TimeAnswer,
    build_invite,
    renew_bytes,
    time_bytes,
)
from shared.reasons import Reason
from shared.sealing import unwrap_pair_key

HOST = "127.0.0.1"
BOX = "site1/box7"
LIFE = timedelta(days=90)


@dataclass
class Issued:
    """An authority, and what it issues."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The authority's certificate."""
        return pem_of(self.certificate)

    def issue(
        self, name: str, public: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
    ) -> x509.Certificate:
        """A certificate for this key; a server's name is its address too."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        if name == HOST:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def new_authority(begin: datetime, end: datetime) -> Issued:
    """A self-signed authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "boxes")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Issued(key, certificate)


def pem_of(certificate: x509.Certificate) -> str:
    """As PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Peer:
    """What the centre knows and how it misbehaves; ``at`` is its time."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    port: int = 0
    cut: set[str] = field(default_factory=set)  # e.g. "before join", "after join"
    refuse: dict[str, Reason] = field(default_factory=dict)  # by path
    calls: list[str] = field(default_factory=list)
    answers: dict[bytes, tuple[str, JoinAnswer]] = field(default_factory=dict)
    certificates: dict[str, x509.Certificate] = field(default_factory=dict)  # by serial
    pair_keys: list[bytes] = field(default_factory=list)
    serial: str = "SN-1"
    expired: bool = False

    def __post_init__(self) -> None:
        begin, end = self.at - timedelta(days=1), self.at + timedelta(days=400)
        self.authority = new_authority(begin, end)
        self.server_key = ec.generate_private_key(ec.SECP256R1())
        self.server = self.authority.issue(HOST, self.server_key.public_key(), begin, end)
        self.central_key = STD.new_recipient_key()
        self.announcements = STD.new_signing_key()
        self.time_key = self.announcements
        self.lock = threading.Lock()

    def invite(self, **over: object) -> str:
        """An invite's text."""
        facts: dict[str, object] = {
            "secret": b"s" * 16,
            "ca_fingerprint": self.authority.certificate.fingerprint(hashes.SHA256()),
            "host": HOST,
            "port": self.port,
            "expires_at": to_microseconds(self.at + timedelta(days=1)),
            "box": BOX,
            "counter": "挂号 1",
            "serial": self.serial,
        }
        return build_invite(Invite(**{**facts, **over}))  # type: ignore[arg-type]

    # --- what it answers -------------------------------------------------------------------------

    def centre(self, _body: bytes, _query: str) -> msgspec.Struct:
        """Who it is."""
        return CentreAnswer(
            self.authority.pem, self.central_key.public_bytes, self.announcements.public_bytes
        )

    def time(self, _body: bytes, query: str) -> msgspec.Struct:
        """Its time, signed."""
        nonce = bytes.fromhex(parse_qs(query)["nonce"][0])
        at = to_microseconds(self.at)
        return TimeAnswer(nonce, at, self.time_key.sign(time_bytes(nonce, at)))

    def join(self, body: bytes, _query: str) -> msgspec.Struct:
        """Use an invite, once, from one key."""
        request = msgspec.json.decode(body, type=JoinRequest)
        if self.expired:
            raise Refused(Reason.INVITE_EXPIRED)
        if request.serial != self.serial:
            raise Refused(Reason.INVITE_OTHER_MACHINE)
        known = self.answers.get(request.secret)
        if known is not None:
            if known[0] != request.csr:
                raise Refused(Reason.INVITE_USED)
            return known[1]
        self.pair_keys.append(
            unwrap_pair_key(self.central_key, request.signing_public, request.pair_key)
        )
        answer = JoinAnswer(
            box=BOX,
            counter="挂号 1",
            site_name="虚构市人民医院",
            certificate=self._certify(request.csr),
            broker_host=HOST,
            broker_port=8883,
            signing_key_id=1,
            epoch=1,
            code_keys={"1": "ab" * 32},
            desired=None,
            central_at=to_microseconds(self.at),
            number=7,
        )
        self.answers[request.secret] = (request.csr, answer)
        return answer

    def renew(self, body: bytes, _query: str) -> msgspec.Struct:
        """A new certificate for whoever proves the old key."""
        request = msgspec.json.decode(body, type=RenewRequest)
        old = self.certificates[request.serial].public_key()
        assert isinstance(old, ec.EllipticCurvePublicKey)
        covered = renew_bytes(request.box, request.serial, request.csr, request.central_at)
        try:
            old.verify(request.proof, covered, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise Refused(Reason.PROOF_WRONG) from error
        return RenewAnswer(self._certify(request.csr), to_microseconds(self.at))

    def _certify(self, csr: str) -> str:
        public = x509.load_pem_x509_csr(csr.encode()).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        begin = self.at - timedelta(days=1)
        certificate = self.authority.issue(BOX, public, begin, begin + LIFE)
        self.certificates[f"{certificate.serial_number:x}"] = certificate
        return pem_of(certificate)


class _Handler(BaseHTTPRequestHandler):
    peer: Peer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        return

    def _answer(self) -> None:
        url = urlsplit(self.path)
        name = url.path.rpartition("/")[2]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        peer = self.peer
        with peer.lock:
            peer.calls.append(name)
            if f"before {name}" in peer.cut:
                return
            try:
                if name in peer.refuse:
                    raise Refused(peer.refuse[name])
                status, content = 200, msgspec.json.encode(getattr(peer, name)(body, url.query))
            except Refused as refusal:
                status, content = 403, msgspec.json.encode({"reason": refusal.reason})
            if f"after {name}" in peer.cut:
                return
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(peer: Peer, folder: Path) -> Iterator[Peer]:
    """Serve until the block ends."""
    pem = folder / f"peer-{id(peer)}.pem"
    key = peer.server_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(pem_of(peer.server).encode() + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    handler = type("Handler", (_Handler,), {"peer": peer})
    server = ThreadingHTTPServer((HOST, 0), handler)
    # The handshake belongs to the connection's thread, not to the one that accepts.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    peer.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
