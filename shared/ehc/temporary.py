"""Temporary codes: what a box issues while it is alone, signed by the box, resolved by central.

``TM`` ‖ base32(box number 4 ‖ kid 1 ‖ serial 6 ‖ Ed25519 64): 122 characters, the most that a
version 5-M symbol holds (CONTRACTS §5). ``T`` is no hex digit, so no national reader takes one
for a national code.

Kid and serial come from what the box has anyway: the number of the key that signs its rows, and
the id of the record that tells central of the code. No counter has to survive a crash or a
restored disk for a serial to be given once only (ADR 0019).
"""

from base64 import b32encode
from uuid import UUID

from shared.crypto import SigningKey, VerifyKey
from shared.ehc.codes import TemporaryCode
from shared.ehc.extension import decode_base32
from shared.errors import Malformed, NotAuthentic
from shared.reasons import Reason

PREFIX = "TM"
TEMPORARY_CHARACTERS = 122
_BYTES = 75
_SERIAL_BITS = 48


def temporary_kid(key_id: int) -> int:
    """The one byte that names a box's signing key in its temporary codes. Keys of one box that
    share it are tried one after the other."""
    return key_id & 0xFF


def temporary_serial(record: UUID) -> int:
    """The serial of the code that this record reports: the random end of its UUIDv7."""
    return record.int & (1 << _SERIAL_BITS) - 1


def encode_temporary(code: TemporaryCode) -> str:
    """The 122 characters. Raises Malformed for a field that does not fit its width."""
    data = _head(code.box_number, code.kid, code.serial) + code.signature
    if len(data) != _BYTES:
        raise Malformed(Reason.CODE_TEMPORARY_MALFORMED)
    return PREFIX + b32encode(data).decode()


def decode_temporary(text: str) -> TemporaryCode:
    """Read the 122 characters, prefix included. Raises Malformed."""
    data = decode_base32(text.removeprefix(PREFIX))
    if not text.startswith(PREFIX) or len(text) != TEMPORARY_CHARACTERS or data is None:
        raise Malformed(Reason.CODE_TEMPORARY_MALFORMED)
    return TemporaryCode(
        box_number=int.from_bytes(data[:4], "big"),
        kid=data[4],
        serial=int.from_bytes(data[5:11], "big"),
        signature=data[11:],
    )


def temporary_signed_bytes(box_number: int, kid: int, serial: int) -> bytes:
    """What a temporary code's signature covers. Raises Malformed."""
    return b"onecode temporary 1\0" + _head(box_number, kid, serial)


def sign_temporary(key: SigningKey, box_number: int, kid: int, serial: int) -> TemporaryCode:
    """A temporary code; the box never gives a ``serial`` twice. Raises Malformed."""
    signature = key.sign(temporary_signed_bytes(box_number, kid, serial))
    return TemporaryCode(box_number, kid, serial, signature)


def verify_temporary(key: VerifyKey, code: TemporaryCode) -> None:
    """Raises NotAuthentic (CODE_FORGED) unless the box's ``key`` signed this code."""
    try:
        key.verify(code.signature, temporary_signed_bytes(code.box_number, code.kid, code.serial))
    except NotAuthentic as error:
        raise NotAuthentic(Reason.CODE_FORGED, f"box number {code.box_number}") from error


def _head(box_number: int, kid: int, serial: int) -> bytes:
    try:
        return box_number.to_bytes(4, "big") + kid.to_bytes(1, "big") + serial.to_bytes(6, "big")
    except OverflowError as error:
        raise Malformed(Reason.CODE_TEMPORARY_MALFORMED, "a field does not fit") from error
