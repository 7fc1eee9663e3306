"""Secrets at rest: sealed under a key that the service manager gives, recognised by their magic.

systemd puts the key into ``$CREDENTIALS_DIRECTORY`` (``onecode-box.key``; systemd.exec(5),
LoadCredentialEncrypted=): held by the machine or its TPM, never beside what it opens. Which files
are secrets, and how they are written, is the business of ``shared.config`` and its callers.

Sealed file: magic (8 bytes), suite (1), nonce (12), ciphertext with tag; bound to the file's name.
"""

import os
from pathlib import Path

from shared.crypto import KEY_BYTES, NONCE_BYTES, STD, suite
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason

CREDENTIAL = "onecode-box.key"
CENTRAL_CREDENTIAL = "onecode-central.key"
"""32 random bytes each; a service is given its own."""

_DIRECTORY = "CREDENTIALS_DIRECTORY"
_MAGIC = b"ONECODE\x01"
_NONCE_AT = len(_MAGIC) + 1
_BODY_AT = _NONCE_AT + NONCE_BYTES


def read_credential() -> bytes | None:
    """The key for secrets at rest; None where no service manager gives one.

    Raises Unavailable when it cannot be read, Malformed (KEY_MALFORMED) for another length.
    """
    directory = os.environ.get(_DIRECTORY)
    if directory is None:
        return None
    for name in (CREDENTIAL, CENTRAL_CREDENTIAL):
        try:
            key = (Path(directory) / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Unavailable(Reason.CONFIG_MISSING, f"credential {name}") from error
        if len(key) != KEY_BYTES:
            raise Malformed(Reason.KEY_MALFORMED, f"credential {name} has {KEY_BYTES} bytes")
        return key
    return None


def is_sealed(content: bytes) -> bool:
    """Whether a secret file's content is sealed; no key or certificate begins like this."""
    return content.startswith(_MAGIC)


def seal_secret(name: str, secret: bytes, key: bytes) -> bytes:
    """The content of the file ``name``."""
    nonce = os.urandom(NONCE_BYTES)
    return _MAGIC + bytes([STD.id]) + nonce + STD.aead(key).seal(nonce, secret, _bound_to(name))


def open_secret(name: str, content: bytes, key: bytes | None) -> bytes:
    """The secret in a sealed file. Raises Refused (KEY_SEALED) without the key, Malformed,
    NotAuthentic for another key, another file's content or a changed one.
    """
    if key is None:
        raise Refused(Reason.KEY_SEALED, name)
    if len(content) <= _BODY_AT:
        raise Malformed(Reason.KEY_MALFORMED, name)
    aead = suite(content[len(_MAGIC)]).aead(key)
    return aead.open(content[_NONCE_AT:_BODY_AT], content[_BODY_AT:], _bound_to(name))


def _bound_to(name: str) -> bytes:
    return b"onecode secret at rest\0" + name.encode()
