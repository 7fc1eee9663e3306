"""What box and central say to each other past broker and bridge: sealed with the box's pair key.

The pair key is agreed when the box joins. A message is bound to its direction, its box and its
kind (the tail of its topic), so that nothing sealed for one place opens in another. What is
inside (request id, expiry) is the business of ``shared.messages``.
"""

import os
from enum import StrEnum

from shared.crypto import KEY_BYTES, NONCE_BYTES, STD, Aead, suite
from shared.errors import Malformed
from shared.ids import BoxId
from shared.reasons import Reason


class Direction(StrEnum):
    """Each direction has a key of its own: an ask can never come back as a reply."""

    UP = "up"
    DOWN = "down"


class PairKey:
    """Seals and opens messages between one box and central.

    Wire form: suite (1 byte), nonce (12), ciphertext with tag. Nonces are random: at one
    message a second for thirty years a key seals 2^30, below the 2^32 of NIST SP 800-38D §8.3.
    """

    def __init__(self, secret: bytes) -> None:
        """``secret`` is KEY_BYTES. Raises Malformed: half a key file is no key."""
        if len(secret) != KEY_BYTES:
            raise Malformed(Reason.KEY_MALFORMED)
        self._aeads: dict[Direction, Aead] = {
            direction: STD.aead(STD.derive(secret, b"onecode pair " + direction.encode()))
            for direction in Direction
        }

    def seal(self, direction: Direction, box: BoxId, kind: str, plaintext: bytes) -> bytes:
        """Seal one message of ``kind`` (such as ``ask/scan``) to or from ``box``."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._aeads[direction].seal(nonce, plaintext, _bound_to(direction, box, kind))
        return bytes([STD.id]) + nonce + sealed

    def open(self, direction: Direction, box: BoxId, kind: str, sealed: bytes) -> bytes:
        """The plaintext. Raises Malformed, NotAuthentic, or Refused for an unknown suite."""
        if len(sealed) <= 1 + NONCE_BYTES:
            raise Malformed(Reason.MESSAGE_MALFORMED, "sealed message is too short")
        suite(sealed[0])
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        return self._aeads[direction].open(nonce, ciphertext, _bound_to(direction, box, kind))


def _bound_to(direction: Direction, box: BoxId, kind: str) -> bytes:
    # None of the three can hold a NUL, so the joined form has one reading.
    return f"{direction}\0{box}\0{kind}".encode()
