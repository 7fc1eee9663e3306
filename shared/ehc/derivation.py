"""The national formula: from a document and a name to an ``ehc_id``, and the validity of a code.

Source: ehc-standard §1, each quantity pinned by the specification's own sample person. Inputs
are taken as they are: normalising numbers and names is ``shared.residents``' business.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from shared.crypto import Sm4, sm3
from shared.errors import Malformed
from shared.reasons import Reason

KEY_BYTES = 16
CHINA = timezone(timedelta(hours=8), "UTC+8")
"""The zone of the time inside ``validity``: the sample's has no zone, China has only one."""

_PLAIN_BYTES = 32  # id_type ‖ id_number, zero-padded
_BCD_BYTES = 7  # YYYYMMDDHHMMSS
_BLOCK_BYTES = 16


class Derivation(NamedTuple):
    """The quantities of one person under one root key, in upper-case hex."""

    mindex_id: str  # 64; personal data: an unsalted hash
    factor: str  # 16
    ehc_id: str  # 64


def mindex_id_of(id_type: str, id_number: str, name: str) -> str:
    """HEX(SM3(UTF-8(id_type ‖ id_number ‖ name))), 64 characters."""
    return sm3(_utf8(id_type + id_number + name)).hex().upper()


def user_factor(mindex_id: str) -> bytes:
    """XOR of the four 8-byte groups of a ``mindex_id``: 8 bytes."""
    digest = bytes.fromhex(mindex_id)
    factor = 0
    for start in range(0, len(digest), 8):
        factor ^= int.from_bytes(digest[start : start + 8], "big")
    return factor.to_bytes(8, "big")


class RootKey:
    """A root key ready for use. Keeps its encryptor: not to be shared between threads."""

    def __init__(self, key: bytes) -> None:
        """``key`` is 16 bytes. Raises Malformed."""
        self._cipher = _cipher(key)

    def user_key(self, factor: bytes) -> bytes:
        """SM4(root, factor ‖ ~factor): the diversification of the physical card, 16 bytes."""
        complement = bytes(byte ^ 0xFF for byte in factor)
        return self._cipher.encrypt(factor + complement)

    def derive(self, id_type: str, id_number: str, name: str) -> Derivation:
        """All of a person's quantities. Raises Malformed for a number over 30 bytes."""
        mindex_id = mindex_id_of(id_type, id_number, name)
        factor = user_factor(mindex_id)
        # The formula says ASCII; officers' cards hold Chinese characters, taken as UTF-8 here
        # as in mindex_id. For ASCII the two are the same bytes.
        plain = _utf8(id_type + id_number)
        if len(id_type) != 2 or not 2 < len(plain) <= _PLAIN_BYTES:
            raise Malformed(Reason.DOCUMENT_NUMBER_MALFORMED, "type is 2 and number 1–30 bytes")
        cipher = Sm4(self.user_key(factor))
        ehc_id = cipher.encrypt(plain.ljust(_PLAIN_BYTES, b"\0")).hex().upper()
        return Derivation(mindex_id, factor.hex().upper(), ehc_id)


class ProtectKey:
    """The key of ``validity``, which never leaves central. Not to be shared between threads."""

    def __init__(self, key: bytes) -> None:
        """``key`` is 16 bytes. Raises Malformed."""
        self._cipher = _cipher(key)

    def build_validity(self, at: datetime) -> str:
        """SM4(protect, BCD(time in China), zero-padded on the right): 32 hex characters."""
        bcd = bytes.fromhex(at.astimezone(CHINA).strftime("%Y%m%d%H%M%S").zfill(2 * _BCD_BYTES))
        return self._cipher.encrypt(bcd.ljust(_BLOCK_BYTES, b"\0")).hex().upper()

    def open_validity(self, validity: str) -> datetime | None:
        """The time inside, aware UTC; None when this key did not build it."""
        try:
            block = bytes.fromhex(validity)
        except ValueError:
            return None
        if len(block) != _BLOCK_BYTES:
            return None
        plain = self._cipher.decrypt(block)
        digits = plain[:_BCD_BYTES].hex()
        if any(plain[_BCD_BYTES:]) or not digits.isdecimal():
            return None
        try:
            at = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
            return at.astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def _cipher(key: bytes) -> Sm4:
    if len(key) != KEY_BYTES:
        raise Malformed(Reason.REQUEST_MALFORMED, "an SM4 key is 16 bytes")
    return Sm4(key)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Malformed(Reason.DOCUMENT_NUMBER_MALFORMED, "not Unicode text") from error
