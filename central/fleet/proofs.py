"""What a box proves over the listener: the key in its request, the key in its old certificate.

Pure. A request's subject is ignored: whoever invited or issued before names the box.
"""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.errors import Malformed, NotAuthentic
from shared.reasons import Reason


def read_requested_key(csr: str) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a signing request (PKCS #10, PEM), which its owner has signed.

    Raises Malformed (REQUEST_MALFORMED), NotAuthentic (SIGNATURE_WRONG).
    """
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        # Looked at first: a signature by a huge key of another kind would hold up the writer.
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != ec.SECP256R1.name:
            raise Malformed(Reason.REQUEST_MALFORMED, "csr: the key is P-256")
        holds = request.is_signature_valid
    except (ValueError, TypeError) as error:  # also for algorithms that are not known
        raise Malformed(Reason.REQUEST_MALFORMED, "csr") from error
    if not holds:
        raise NotAuthentic(Reason.SIGNATURE_WRONG, "csr")
    return key


def key_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """One form of a public key, to compare it by: 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def certified_key(der: bytes) -> ec.EllipticCurvePublicKey:
    """The key of a certificate of ours. Raises NotAuthentic (PROOF_WRONG) where none was kept."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except ValueError as error:
        raise NotAuthentic(Reason.PROOF_WRONG, "no such certificate is kept") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotAuthentic(Reason.PROOF_WRONG, "key of another kind")
    return key


def check_proof(key: ec.EllipticCurvePublicKey, proof: bytes, data: bytes) -> None:
    """Raises NotAuthentic (PROOF_WRONG) unless ``proof`` (ECDSA-SHA256, DER) is by ``key``."""
    try:
        key.verify(proof, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise NotAuthentic(Reason.PROOF_WRONG) from error


def certificate_pem(der: bytes) -> str:
    """The PEM of a kept certificate."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()
