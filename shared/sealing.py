"""Record bodies, sealed at birth to central's public key: box, broker and spool tell nothing.

One HPKE encapsulation a start of the box carries a fresh key; each body is then AES-GCM under
that key with a counter for nonce (CONTRACTS §4: an exchange a row would halve the speed). The
encapsulation must be durable before the first row sealed under it.

Body: form (1 byte), suite (1), encapsulation id (16), counter (8), ciphertext with tag.
"""

import os
from struct import Struct
from typing import NamedTuple

from shared.crypto import KEY_BYTES, TAG_BYTES, RecipientKey, Suite, suite
from shared.errors import Malformed
from shared.ids import BoxId
from shared.reasons import Reason

BODY_FORM = 1
"""A sealed body's first byte."""
_ID_BYTES = 16
_COUNTER_BYTES = 8
_HEADER_BYTES = 2 + _ID_BYTES + _COUNTER_BYTES
SEAL_BYTES = _HEADER_BYTES + TAG_BYTES
"""How much longer a sealed body is than what is in it."""
_NONCE = Struct(">4xQ")
_BOUND = Struct(f">{2 + _ID_BYTES}s16sBQ")
"""What a row's body is bound to, in one call: as ``_bound_to_row``, of parts of these widths."""


class Encapsulation(NamedTuple):
    """A wrapped body key; ``id`` is the start of the digest of ``wrapped``: no swapping."""

    id: bytes
    wrapped: bytes


class BodySealer:
    """The box's half. Not to be used after a fork of the process: the counter would repeat."""

    def __init__(self, suite: Suite, central_public: bytes, box: BoxId) -> None:
        key = os.urandom(KEY_BYTES)
        wrapped = suite.encapsulate(central_public, key, _bound_to(box))
        self.encapsulation = Encapsulation(encapsulation_id(suite, wrapped), wrapped)
        self._seal = suite.aead(key).seal
        self._prefix = bytes([BODY_FORM, suite.id]) + self.encapsulation.id
        self._counter = 0

    def seal(self, plaintext: bytes, id: bytes, lane: int, born: int) -> bytes:
        """The sealed body, bound to the row's id, lane and birth."""
        self._counter += 1
        nonce, prefix = _NONCE.pack(self._counter), self._prefix
        bound = _BOUND.pack(prefix, id, lane, born)
        return prefix + nonce[-_COUNTER_BYTES:] + self._seal(nonce, plaintext, bound)


def encapsulation_id(suite: Suite, wrapped: bytes) -> bytes:
    """The id that bodies sealed under an encapsulation carry."""
    return suite.digest(wrapped)[:_ID_BYTES]


def parse_encapsulation_id(body: bytes) -> bytes:
    """Which encapsulation a body needs. Raises Malformed."""
    if len(body) < _HEADER_BYTES or body[0] != BODY_FORM:
        raise Malformed(Reason.MESSAGE_MALFORMED, "not a sealed body")
    return body[2 : 2 + _ID_BYTES]


def peek_encapsulation_id(body: bytes) -> bytes:
    """The same of a body that was not looked at: whatever stands there."""
    return body[2 : 2 + _ID_BYTES]


def unwrap_body_key(key: RecipientKey, box: BoxId, wrapped: bytes) -> bytes:
    """Central's half: the body key inside an encapsulation. Raises NotAuthentic."""
    return key.decapsulate(wrapped, _bound_to(box))


def wrap_pair_key(suite: Suite, central_public: bytes, signing_public: bytes, key: bytes) -> bytes:
    """A joining box's pair key, sealed to central and bound to the box's signing key."""
    return suite.encapsulate(central_public, key, _bound_to_joining(signing_public))


def unwrap_pair_key(recipient: RecipientKey, signing_public: bytes, wrapped: bytes) -> bytes:
    """Central's half of ``wrap_pair_key``: 32 bytes. Raises NotAuthentic, Malformed."""
    key = recipient.decapsulate(wrapped, _bound_to_joining(signing_public))
    if len(key) != KEY_BYTES:
        raise Malformed(Reason.KEY_MALFORMED, "pair key")
    return key


def wrap_file_key(suite: Suite, central_public: bytes, box: BoxId, key: bytes) -> bytes:
    """A queue file's key, sealed to central and bound to the box."""
    return suite.encapsulate(central_public, key, _bound_to_file(box))


def unwrap_file_key(recipient: RecipientKey, box: BoxId, wrapped: bytes) -> bytes:
    """Central's half of ``wrap_file_key``. Raises NotAuthentic."""
    return recipient.decapsulate(wrapped, _bound_to_file(box))


def open_body(body_key: bytes, body: bytes, id: bytes, lane: int, born: int) -> bytes:
    """The plaintext of a sealed body. Raises Malformed, NotAuthentic, Refused (suite)."""
    parse_encapsulation_id(body)
    prefix, counter = body[: 2 + _ID_BYTES], body[2 + _ID_BYTES : _HEADER_BYTES]
    aead = suite(body[1]).aead(body_key)
    return aead.open(_nonce(counter), body[_HEADER_BYTES:], _bound_to_row(prefix, id, lane, born))


def _nonce(counter: bytes) -> bytes:
    return b"\0\0\0\0" + counter


def _bound_to(box: BoxId) -> bytes:
    return b"onecode body key 1\0" + str(box).encode()


def _bound_to_file(box: BoxId) -> bytes:
    return b"onecode queue file key 1\0" + str(box).encode()


def _bound_to_joining(signing_public: bytes) -> bytes:
    return b"onecode pair key 1\0" + signing_public


def _bound_to_row(prefix: bytes, id: bytes, lane: int, born: int) -> bytes:
    return prefix + id + lane.to_bytes(1, "big") + born.to_bytes(8, "big")
