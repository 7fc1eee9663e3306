"""Passwords and PINs as they are kept: Argon2id (RFC 9106) in PHC text form.

19 MiB, two passes, one lane (OWASP's minimum): some 25 ms of one core, so callers in a loop use a
thread; the library lets go of the interpreter meanwhile. What makes a good password stands in
``central.users``.
"""

import os
import unicodedata

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_MEMORY_KIB = 19 * 1024
_PASSES = 2
_LANES = 1
_SALT_BYTES = 16
_HASH_BYTES = 32


def hash_password(text: str) -> str:
    """A PHC text with a salt of its own: ``$argon2id$v=19$m=19456,t=2,p=1$…``."""
    kdf = Argon2id(
        salt=os.urandom(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return kdf.derive_phc_encoded(_normal(text))


def verify_password(text: str, phc: str) -> bool:
    """Whether ``text`` is what was hashed; False also for a text that is no Argon2id PHC."""
    try:
        Argon2id.verify_phc_encoded(_normal(text), phc)
    except (InvalidKey, ValueError):
        return False
    return True


def _normal(text: str) -> bytes:
    # SP 800-63B §5.1.1.2: the same characters from two keyboards are the same password
    return unicodedata.normalize("NFKC", text).encode(errors="surrogatepass")
