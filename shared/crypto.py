"""Named cryptographic operations over `cryptography`, by suite. No policy, no key storage.

``std`` is SHA-256, Ed25519, X25519 in HPKE (RFC 9180), HKDF and AES-256-GCM. ``gm`` (SM3, SM2,
SM4-GCM) must fit behind the same names. The EHC itself always uses SM3 and SM4, whatever the
suite: ``sm3`` and ``Sm4`` at the end of the file.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM
from cryptography.hazmat.primitives.hpke import Suite as HpkeSuite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import Malformed, NotAuthentic, Refused
from shared.reasons import Reason

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class SuiteId(IntEnum):
    """The number a suite has in stored and transmitted bytes."""

    STD = 1
    GM = 2


class SigningKey(Protocol):
    """A private signing key."""

    @property
    def public_bytes(self) -> bytes: ...

    def to_bytes(self) -> bytes: ...

    def sign(self, data: bytes) -> bytes: ...


class VerifyKey(Protocol):
    """A public signing key."""

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises NotAuthentic."""
        ...


class Aead(Protocol):
    """Authenticated encryption under one key; the caller never repeats a nonce."""

    def seal(self, nonce: bytes, plaintext: bytes, bound_to: bytes, /) -> bytes: ...

    def open(self, nonce: bytes, ciphertext: bytes, bound_to: bytes) -> bytes:
        """Raises NotAuthentic."""
        ...


class RecipientKey(Protocol):
    """The private half of a key that others encapsulate to."""

    @property
    def public_bytes(self) -> bytes: ...

    def to_bytes(self) -> bytes: ...

    def decapsulate(self, encapsulation: bytes, bound_to: bytes) -> bytes:
        """The secret inside. Raises NotAuthentic."""
        ...


class Suite(Protocol):
    """One family of algorithms behind our names."""

    @property
    def id(self) -> SuiteId: ...

    def digest(self, data: bytes) -> bytes: ...

    def mac(self, key: bytes, data: bytes) -> bytes: ...

    def derive(self, secret: bytes, purpose: bytes) -> bytes:
        """A key of KEY_BYTES for one purpose."""
        ...

    def new_signing_key(self) -> SigningKey: ...

    def signing_key(self, private: bytes) -> SigningKey:
        """Raises Malformed."""
        ...

    def verify_key(self, public: bytes) -> VerifyKey:
        """Raises Malformed."""
        ...

    def aead(self, key: bytes) -> Aead:
        """Raises Malformed."""
        ...

    def new_recipient_key(self) -> RecipientKey: ...

    def recipient_key(self, private: bytes) -> RecipientKey:
        """Raises Malformed."""
        ...

    def encapsulate(self, public: bytes, secret: bytes, bound_to: bytes) -> bytes:
        """Wrap a secret so that only the holder of the private half opens it. Raises Malformed."""
        ...


def suite(number: int) -> Suite:
    """The suite with this number. Raises Refused for one we do not have."""
    if number == SuiteId.STD:
        return STD
    raise Refused(Reason.SUITE_UNKNOWN, f"suite {number}")


@contextmanager
def _key_material() -> Iterator[None]:
    """The library's ValueError for bytes that are no key becomes ours."""
    try:
        yield
    except ValueError as error:
        raise Malformed(Reason.KEY_MALFORMED) from error


class _Ed25519Signing:
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public_bytes(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def to_bytes(self) -> bytes:
        return self._key.private_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


class _Ed25519Verify:
    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    def verify(self, signature: bytes, data: bytes) -> None:
        try:
            self._key.verify(signature, data)
        except InvalidSignature as error:
            raise NotAuthentic(Reason.SIGNATURE_WRONG) from error


class _AesGcm:
    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        # The library's own: one call less for each row of a backlog.
        self.seal = self._aead.encrypt

    def open(self, nonce: bytes, ciphertext: bytes, bound_to: bytes) -> bytes:
        try:
            return self._aead.decrypt(nonce, ciphertext, bound_to)
        except (InvalidTag, ValueError) as error:
            raise NotAuthentic(Reason.SEAL_BROKEN) from error


class _X25519Recipient:
    def __init__(self, key: X25519PrivateKey) -> None:
        self._key = key

    @property
    def public_bytes(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def to_bytes(self) -> bytes:
        return self._key.private_bytes_raw()

    def decapsulate(self, encapsulation: bytes, bound_to: bytes) -> bytes:
        try:
            return _HPKE.decrypt(encapsulation, self._key, bound_to)
        except (InvalidTag, ValueError) as error:
            raise NotAuthentic(Reason.SEAL_BROKEN) from error


_HPKE = HpkeSuite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class _Std:
    id = SuiteId.STD

    def digest(self, data: bytes) -> bytes:
        # the standard library's is four times faster on short data, and three make a row
        return hashlib.sha256(data).digest()

    def mac(self, key: bytes, data: bytes) -> bytes:
        mac = hmac.HMAC(key, hashes.SHA256())
        mac.update(data)
        return mac.finalize()

    def derive(self, secret: bytes, purpose: bytes) -> bytes:
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=purpose).derive(secret)

    def new_signing_key(self) -> SigningKey:
        return _Ed25519Signing(Ed25519PrivateKey.generate())

    def signing_key(self, private: bytes) -> SigningKey:
        with _key_material():
            return _Ed25519Signing(Ed25519PrivateKey.from_private_bytes(private))

    def verify_key(self, public: bytes) -> VerifyKey:
        with _key_material():
            return _Ed25519Verify(Ed25519PublicKey.from_public_bytes(public))

    def aead(self, key: bytes) -> Aead:
        if len(key) != KEY_BYTES:
            raise Malformed(Reason.KEY_MALFORMED)
        return _AesGcm(key)

    def new_recipient_key(self) -> RecipientKey:
        return _X25519Recipient(X25519PrivateKey.generate())

    def recipient_key(self, private: bytes) -> RecipientKey:
        with _key_material():
            return _X25519Recipient(X25519PrivateKey.from_private_bytes(private))

    def encapsulate(self, public: bytes, secret: bytes, bound_to: bytes) -> bytes:
        with _key_material():
            return _HPKE.encrypt(secret, X25519PublicKey.from_public_bytes(public), bound_to)


STD: Suite = _Std()


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905), 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


class Sm4:
    """SM4 in ECB over whole blocks (GB/T 32907), as the EHC formula uses it.

    The encryptor is kept: one reused is ten times faster than a new one a call (measured).
    Not to be shared between threads.
    """

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(SM4(key), modes.ECB())  # noqa: S305 - the national formula is ECB
        self._encryptor = cipher.encryptor()
        self._decryptor = cipher.decryptor()

    def encrypt(self, blocks: bytes) -> bytes:
        """``blocks`` is a whole number of 16-byte blocks."""
        return self._encryptor.update(blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        """The inverse of ``encrypt``."""
        return self._decryptor.update(blocks)
