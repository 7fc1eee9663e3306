"""X.509 for the fleet: two small authorities, and what they issue. PEM in and out.

The box authority signs the broker's server certificate and every box; central's own authority
signs central's processes, which come in on a listener of their own (CONTRACTS §3). Extended key
usage keeps a box's certificate from posing as the broker.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

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
_AUTHORITY_DAYS, _SERVER_DAYS, _BOX_DAYS = 20 * 365, 5 * 365, 2 * 365
_NAME_CHARACTERS = 64  # RFC 5280, ub-common-name


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def facts(self) -> "CertificateFacts":
        """What the fleet's table keeps of it."""
        certificate = x509.load_pem_x509_certificate(self.certificate)
        return CertificateFacts(
            serial=f"{certificate.serial_number:x}",
            fingerprint=certificate.fingerprint(hashes.SHA256()),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Serial in hex, SHA-256 of the DER, and the span of validity in UTC."""

    serial: str
    fingerprint: bytes
    not_before: datetime
    not_after: datetime


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
        purpose = ExtendedKeyUsageOID.SERVER_AUTH
        return self._issue("onecode broker", purpose, at, _SERVER_DAYS, names)

    def issue_central(self, at: datetime) -> Identity:
        """A certificate for central's processes."""
        return self._issue(CENTRAL_NAME, ExtendedKeyUsageOID.CLIENT_AUTH, at, _SERVER_DAYS)

    def issue_box(self, box: BoxId, at: datetime) -> Identity:
        """A box's client certificate; its common name is the box's id. Raises Malformed."""
        if len(str(box)) > _NAME_CHARACTERS:
            raise Malformed(Reason.ID_MALFORMED, f"a box id has at most {_NAME_CHARACTERS} letters")
        return self._issue(str(box), ExtendedKeyUsageOID.CLIENT_AUTH, at, _BOX_DAYS)

    def _issue(
        self,
        name: str,
        purpose: x509.ObjectIdentifier,
        at: datetime,
        days: int,
        names: x509.SubjectAlternativeName | None = None,
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._issuer
        builder = (
            _builder(name, issuer.subject, key, at, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(_authority_of(issuer), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return _identity(builder.sign(self._key, hashes.SHA256()), key)


def read_authority(certificate: Path, key: Path) -> Authority:
    """An authority from its files. Raises Unavailable, Refused (the key's mode), Damaged."""
    try:
        return Authority(Identity(certificate.read_bytes(), read_secret(key)))
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(certificate)) from error


def create_authority(name: str, at: datetime) -> Identity:
    """A new self-signed authority that signs end entities only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(name, subject, key, at, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
    )
    return _identity(builder.sign(key, hashes.SHA256()), key)


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCKS_BEHIND)
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
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
    return Identity(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
