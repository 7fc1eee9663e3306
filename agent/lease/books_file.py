"""The file of the books: sealed under a key of the box's own, replaced as a whole, durably.

A file that does not open is not believed in part: whoever reads it must take it for lost.
"""

import logging
import os
from pathlib import Path

import msgspec

from agent.lease.books import Books
from shared.config import read_secret, replace_secret
from shared.crypto import NONCE_BYTES, STD
from shared.errors import Damaged, Refused, Unavailable
from shared.reasons import Reason

log = logging.getLogger(__name__)

_BOUND = b"onecode lease books 1\0"
_decode = msgspec.msgpack.Decoder(Books).decode


class BooksFile:
    """Blocking; the first reading makes nothing."""

    def __init__(self, path: Path, secret: bytes) -> None:
        """``secret`` is something only this box has."""
        self._path = path
        self._aead = STD.aead(STD.digest(_BOUND + secret))

    def load(self) -> Books | None:
        """What was kept; None where nothing ever was. Raises Damaged (LEASE_LOST)."""
        if not self._path.exists():
            return None
        try:
            sealed = read_secret(self._path)
            plaintext = self._aead.open(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _BOUND)
            return _decode(plaintext)
        except (Refused, Unavailable, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Damaged(Reason.LEASE_LOST, str(error)) from error

    def keep(self, books: Books) -> None:
        """Keep it, durably. Raises Unavailable (disk)."""
        nonce = os.urandom(NONCE_BYTES)
        plaintext = msgspec.msgpack.encode(books)
        replace_secret(self._path, nonce + self._aead.seal(nonce, plaintext, _BOUND))
