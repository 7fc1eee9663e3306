"""The signed extension of dynamic codes: a box checks id, time and issuer with a public key alone.

base32 without padding of kid(1) ‖ nonce(4) ‖ issued_at(4) ‖ ttl(1) ‖ Ed25519(64): 119 characters
(CONTRACTS §5). The first is a letter, so that eleven digits are never taken for one of ours.
"""

from base64 import b32encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.crypto import SigningKey, VerifyKey
from shared.ehc.codes import DynamicCode, Extension
from shared.errors import Malformed, NotAuthentic
from shared.reasons import Reason

EXTENSION_CHARACTERS = 119
MAX_EXTENSION_KID = 207
"""The largest whose five leading bits are a letter of base32 (25 = ``Z``)."""
MAX_TTL_SECONDS = 255
_BYTES = 74
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648 §6
_BASE32 = frozenset(_ALPHABET)
_TO_BASE_32 = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # as int() reads it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_extension(extension: Extension) -> str:
    """The 119 characters. Raises Malformed for a field that does not fit its width."""
    data = _head(extension) + extension.signature
    if len(data) != _BYTES:
        raise Malformed(Reason.CODE_EXTENSION_MALFORMED)
    return b32encode(data).decode().rstrip("=")


def decode_extension(text: str) -> Extension:
    """Read the 119 characters. Raises Malformed."""
    if len(text) != EXTENSION_CHARACTERS:
        raise Malformed(Reason.CODE_EXTENSION_MALFORMED)
    data = decode_base32(text)
    if data is None or data[0] > MAX_EXTENSION_KID:
        raise Malformed(Reason.CODE_EXTENSION_MALFORMED)
    return Extension(
        kid=data[0],
        nonce=data[1:5],
        issued_at=int.from_bytes(data[5:9], "big"),
        ttl_seconds=data[9],
        signature=data[10:],
    )


def extension_signed_bytes(code: DynamicCode, extension: Extension) -> bytes:
    """What the signature covers: id, type 0, validity, payment, and all else in the extension.

    Each text stands behind its length, so that no two codes have the same bytes. The code's own
    extension and the given one's signature are left out. Raises Malformed.
    """
    texts = [text.encode() for text in (code.ehc_id, "0", code.validity, code.payment or "")]
    return b"".join(
        (
            b"onecode extension 1\0",
            *(len(text).to_bytes(2, "big") + text for text in texts),
            _head(extension),
        )
    )


def sign_extension(  # noqa: PLR0913 - the extension's four fields
    key: SigningKey,
    code: DynamicCode,
    *,
    kid: int,
    nonce: bytes,
    issued_at: datetime,
    ttl_seconds: int,
) -> DynamicCode:
    """The code with an extension signed for it; ``issued_at`` is cut to the second.

    Raises Malformed for a field that does not fit its width.
    """
    seconds = (issued_at - _EPOCH) // timedelta(seconds=1)
    unsigned = Extension(kid, nonce, seconds, ttl_seconds, b"")
    signature = key.sign(extension_signed_bytes(code, unsigned))
    return replace(code, extension=replace(unsigned, signature=signature))


def verify_extension(key: VerifyKey, code: DynamicCode) -> Extension:
    """The code's extension, if ``key`` signed it for this very code. Raises NotAuthentic.

    A tail spliced from another code and an invented one cannot be told apart here: CODE_FORGED.
    """
    extension = code.extension
    if not isinstance(extension, Extension):
        raise NotAuthentic(Reason.CODE_FORGED, "no extension of ours")
    try:
        key.verify(extension.signature, extension_signed_bytes(code, extension))
    except NotAuthentic as error:
        raise NotAuthentic(Reason.CODE_FORGED, f"kid {extension.kid}") from error
    return extension


def extension_times(extension: Extension) -> tuple[datetime, datetime]:
    """When the code was issued and when it expires, aware UTC."""
    issued_at = _EPOCH + timedelta(seconds=extension.issued_at)
    return issued_at, issued_at + timedelta(seconds=extension.ttl_seconds)


def decode_base32(text: str) -> bytes | None:
    """Unpadded base32 (RFC 4648) whose spare bits are zero, so that one value has one text.

    None for anything else. By way of Python's own base 32: every scan of a signed code passes.
    """
    if not text or not _BASE32.issuperset(text):
        return None
    bits = int(text.translate(_TO_BASE_32), 32)
    size, spare = divmod(5 * len(text), 8)
    if spare > 4 or bits & (1 << spare) - 1:
        return None
    return (bits >> spare).to_bytes(size, "big")


def _head(extension: Extension) -> bytes:
    fits = (
        0 <= extension.kid <= MAX_EXTENSION_KID
        and len(extension.nonce) == 4
        and 0 <= extension.issued_at < 1 << 32
        and 0 <= extension.ttl_seconds <= MAX_TTL_SECONDS
    )
    if not fits:
        raise Malformed(Reason.CODE_EXTENSION_MALFORMED, "a field does not fit its width")
    return (
        bytes([extension.kid])
        + extension.nonce
        + extension.issued_at.to_bytes(4, "big")
        + bytes([extension.ttl_seconds])
    )
