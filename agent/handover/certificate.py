"""The certificate of the LAN listener: the box's own, made at the first pairing, known by its
fingerprint alone. Everything here blocks.
"""

import hashlib
import ipaddress
import os
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from shared.config import read_secret, write_secret
from shared.errors import Malformed
from shared.reasons import Reason

_YEARS = 10
_DAY = timedelta(days=1)
_CERTIFICATE_ENDS = b"-----END CERTIFICATE-----\n"


def load_identity(path: Path, names: Sequence[str], at: datetime) -> bytes:
    """Certificate, then key, PEM; made for these names where there is none.

    It stays when the names change: workstations know it by its fingerprint. Raises Refused,
    Unavailable.
    """
    if not path.exists():
        write_secret(path, _make_identity(names, at))
    return read_secret(path)


def read_fingerprint(identity: bytes) -> str:
    """SHA-256 of the certificate, as browsers show it: AB:CD:…. Raises Malformed."""
    certificate, end, _ = identity.partition(_CERTIFICATE_ENDS)
    try:
        der = ssl.PEM_cert_to_DER_cert((certificate + end).decode())
    except ValueError as error:
        raise Malformed(Reason.KEY_MALFORMED, "LAN certificate") from error
    return hashlib.sha256(der).digest().hex(":").upper()


def open_tls(identity: bytes) -> ssl.SSLContext:
    """The listener's side of TLS. Raises Malformed (KEY_MALFORMED)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # OpenSSL takes a key by its path alone; this file is in memory and has no name.
        with os.fdopen(os.memfd_create("lan.pem"), "wb") as file:
            file.write(identity)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    except OSError as error:  # ssl.SSLError is one
        raise Malformed(Reason.KEY_MALFORMED, "LAN certificate") from error
    return context


def _make_identity(names: Sequence[str], at: datetime) -> bytes:
    # The library that makes certificates is large, and needed once in a box's life.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import NameOID

    def alternative(name: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "One Code box")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _DAY)  # clocks of a hospital's PCs differ
        .not_valid_after(at + _YEARS * 365 * _DAY)
        .add_extension(x509.SubjectAlternativeName([alternative(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private
