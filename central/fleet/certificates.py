"""X.509 for the fleet: two small authorities, and what they issue. PEM in and out.

The box authority signs the broker's server certificate, every box and the list of those revoked;
central's own authority signs central's processes, which come in on a listener of their own
(CONTRACTS §3). Extended key usage keeps a box's certificate from posing as the broker.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.config import read_secret
from shared.errors import Damaged, Malformed, Unavailable
from shared.ids import BoxId
from shared.reasons import Reason

CENTRAL_NAME = "central"
"""The common name of central's processes; no box has it, a box's has a slash."""

_CLOCKS_BEHIND = timedelta(days=1)  # a box whose clock is a little slow may still connect
_AUTHORITY_DAYS = 20 * 365
_NAME_CHARACTERS = 64  # RFC 5280, ub-common-name
LIST_DAYS = 365
"""How long a list of revoked certificates is good. The broker refuses every box once it is over,
so it is long, and made anew when half of it has passed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def facts(self) -> "CertificateFacts":
        """What the fleet's table keeps of it."""
        return read_facts(self.certificate)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Serial in hex, SHA-256 of the DER, the span of validity in UTC, and the DER itself."""

    serial: str
    fingerprint: bytes
    not_before: datetime
    not_after: datetime
    der: bytes = field(default=b"", repr=False)


def read_facts(pem: bytes) -> CertificateFacts:
    """The facts of a certificate of ours."""
    certificate = x509.load_pem_x509_certificate(pem)
    return CertificateFacts(
        serial=f"{certificate.serial_number:x}",
        fingerprint=certificate.fingerprint(hashes.SHA256()),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        der=certificate.public_bytes(Encoding.DER),
    )


class _Profile(NamedTuple):
    """What a certificate is for, and for how many days."""

    purpose: x509.ObjectIdentifier
    days: int


_SERVER = _Profile(ExtendedKeyUsageOID.SERVER_AUTH, 5 * 365)
_CENTRAL = _Profile(ExtendedKeyUsageOID.CLIENT_AUTH, 5 * 365)
_BOX = _Profile(ExtendedKeyUsageOID.CLIENT_AUTH, 2 * 365)


class Authority:
    """An authority ready to issue."""

    def __init__(self, identity: Identity) -> None:
        """Raises Damaged for files that are no P-256 authority."""
        try:
            key = load_pem_private_key(identity.key, password=None)
            self._issuer = x509.load_pem_x509_certificate(identity.certificate)
        except ValueError as error:
            raise Damaged(Reason.STORE_DAMAGED, "authority's files") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Damaged(Reason.STORE_DAMAGED, "authority's key is of another kind")
        self._key = key
        self.certificate = identity.certificate  # PEM, for those who check what is issued

    def issue_server(self, hosts: Iterable[str], at: datetime) -> Identity:
        """The broker's certificate for these host names and addresses."""
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        key = new_key()
        issued = self._issue("onecode broker", key.public_key(), _SERVER, at, names)
        return _identity(issued, key)

    def issue_central(self, at: datetime) -> Identity:
        """A certificate for central's processes."""
        key = new_key()
        return _identity(self._issue(CENTRAL_NAME, key.public_key(), _CENTRAL, at), key)

    def issue_box(self, box: BoxId, at: datetime) -> Identity:
        """A box's client certificate with a new key. Raises Malformed."""
        key = new_key()
        return Identity(self.certify_box(box, key.public_key(), at), private_pem(key))

    def certify_box(self, box: BoxId, public: ec.EllipticCurvePublicKey, at: datetime) -> bytes:
        """A box's client certificate for a key it made itself; PEM. Its common name is the box's
        id. Raises Malformed (ID_MALFORMED).
        """
        if len(str(box)) > _NAME_CHARACTERS:
            raise Malformed(Reason.ID_MALFORMED, f"a box id has at most {_NAME_CHARACTERS} letters")
        issued = self._issue(str(box), public, _BOX, at)
        return issued.public_bytes(Encoding.PEM)

    def build_revocation_list(
        self, number: int, revoked: Iterable[tuple[str, datetime]], at: datetime
    ) -> bytes:
        """A list of revoked certificates (RFC 5280 §5), by serial in hex and since when; PEM."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._issuer.subject)
            .last_update(at - _CLOCKS_BEHIND)
            .next_update(at + timedelta(days=LIST_DAYS))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(_authority_of(self._issuer), critical=False)
        )
        for serial, since in revoked:
            entry = x509.RevokedCertificateBuilder(int(serial, 16), since)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _issue(
        self,
        name: str,
        public: ec.EllipticCurvePublicKey,
        profile: _Profile,
        at: datetime,
        names: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        issuer = self._issuer
        builder = (
            _builder(name, issuer.subject, public, at, profile.days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([profile.purpose]), critical=False)
            .add_extension(_authority_of(issuer), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def read_authority(certificate: Path, key: Path) -> Authority:
    """An authority from its files. Raises Unavailable, Refused (the key's mode), Damaged."""
    try:
        return Authority(Identity(certificate.read_bytes(), read_secret(key)))
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(certificate)) from error


def create_authority(name: str, at: datetime) -> Identity:
    """A new self-signed authority that signs end entities only."""
    key = new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(name, subject, key.public_key(), at, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
    )
    return _identity(builder.sign(key, hashes.SHA256()), key)


def _builder(
    name: str, issuer: x509.Name, public: ec.EllipticCurvePublicKey, at: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCKS_BEHIND)
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _authority_of(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise Malformed(Reason.CONFIG_MALFORMED, "host is a DNS name or an address") from error


def _identity(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Identity:
    return Identity(certificate.public_bytes(Encoding.PEM), private_pem(key))


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PKCS #8, PEM; secret."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
