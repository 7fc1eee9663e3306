"""The box's TLS key: made here, asked to be certified, and the answer checked. PEM in and out.

Imported only to join or to renew: the dates of the certificate at work are read by ``validity``.
"""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from shared.errors import Malformed, NotAuthentic
from shared.ids import BoxId
from shared.reasons import Reason


def new_tls_key() -> bytes:
    """A P-256 key, PKCS #8."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def build_csr(tls_key: bytes, box: BoxId) -> str:
    """A request for a certificate of this key, PKCS #10."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(box))])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    request = builder.sign(_private(tls_key), hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def prove(tls_key: bytes, data: bytes) -> bytes:
    """ECDSA-SHA256 over ``data``, DER."""
    return _private(tls_key).sign(data, ec.ECDSA(hashes.SHA256()))


def split_identity(identity: bytes) -> tuple[bytes, bytes]:
    """The certificate and the key of ``box.pem``. Raises Malformed (KEY_MALFORMED)."""
    at = identity.find(b"-----BEGIN PRIVATE KEY-----")
    if at < 0:
        raise Malformed(Reason.KEY_MALFORMED, "box.pem holds no key")
    return identity[:at], identity[at:]


def check_certificate(certificate: str, tls_key: bytes, ca: str, box: BoxId, at: datetime) -> None:
    """That the authority certified this key for this box, and that it is good now.

    Raises Malformed, NotAuthentic (CENTRE_NOT_EXPECTED).
    """
    try:
        ours = x509.load_pem_x509_certificate(certificate.encode())
        authority = x509.load_pem_x509_certificate(ca.encode())
        ours.verify_directly_issued_by(authority)
        names = ours.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (ValueError, TypeError) as error:
        raise Malformed(Reason.MESSAGE_MALFORMED, "certificate") from error
    except InvalidSignature as error:
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "certificate by another") from error
    if ours.public_key() != _private(tls_key).public_key():
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "certificate of another key")
    if [name.value for name in names] != [str(box)]:
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "certificate of another box")
    if not ours.not_valid_before_utc <= at <= ours.not_valid_after_utc:
        raise NotAuthentic(Reason.CENTRE_NOT_EXPECTED, "certificate is out of date")


def _private(tls_key: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(tls_key, password=None)
    except ValueError as error:
        raise Malformed(Reason.KEY_MALFORMED, "TLS key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Malformed(Reason.KEY_MALFORMED, "TLS key is of another kind")
    return key
