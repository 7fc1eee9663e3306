"""The text inside a QR: read into a value, or refused with a reason for each way to be wrong.

National grammar (ehc-standard §2): ``id ":" type [":" validity [":" payment [":" extension]]]``,
type 0 dynamic, 1 static. One value has one text: an empty payment stands only before an
extension, and nothing else may be empty. What is not ours at all is handed on, not refused.
"""

import re
from typing import NoReturn

from shared.ehc.codes import (
    AnyExtension,
    Code,
    DynamicCode,
    ForeignExtension,
    ForeignText,
    StaticCode,
    TemporaryCode,
)
from shared.ehc.extension import decode_extension, encode_extension
from shared.ehc.temporary import decode_temporary, encode_temporary
from shared.errors import Malformed
from shared.reasons import Reason

MAX_SCAN_BYTES = 512
"""The longest code of ours has 284 characters; a longer scan was not meant for us."""
ID_CHARACTERS = 64
OLD_ID_CHARACTERS = 48  # an older generation: read and looked up, never issued

_STATIC, _DYNAMIC = "1", "0"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SEPARATORS = re.compile(r"[\x04\x1c-\x1f]")
"""Between the fields of a drug's or device's label (GS1 General Specifications §7.8, FNC1 sent as
GS; ISO/IEC 15434 RS and EOT). No code of ours holds one."""
_HEX = re.compile(r"[0-9A-F]+")
_VALIDITY = re.compile(r"[0-9A-F]{32}")
_PAYMENT = re.compile(r"[!-9;-~]{1,64}")  # the standard leaves it open: visible ASCII, no colon
_FOREIGN_EXTENSION = re.compile(r"[0-9]{11}")
_LOWER = re.compile(r"[a-z]")

_WITH_TYPE = re.compile(r"(?:[0-9A-Fa-f]{8,}|[^\W_]{40,}):[01](?::.*)?")
"""A national type behind something like an id. A clock, a ratio or a MAC address is shorter."""
_BARE_ID = re.compile(r"(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{40,}(?::.*)?")
"""Most of an id, its type lost or wrong. A letter is asked for, because device labels (GS1) run to
70 digits; of 10^8 halves of an id one has none. Payment (18), drug trace (20) and insurance codes
(up to 36) are shorter."""
_TEMPORARY = re.compile(r"TM[0-9A-Z]{38,}", re.IGNORECASE)


def parse_code(scan: str | bytes) -> Code | ForeignText:
    """Read one scan. Raises Malformed with a CODE_… reason and no part of the scan."""
    text = _read_text(scan)
    if _SEPARATORS.search(text):
        bare = _SEPARATORS.sub("", text)
        damaged = _WITH_TYPE.fullmatch(bare) or _TEMPORARY.fullmatch(bare)
        if damaged or _CONTROL.search(bare):
            _refuse(Reason.CODE_CONTROL_CHARACTER)
        return ForeignText(text)
    if _CONTROL.search(text):
        _refuse(Reason.CODE_CONTROL_CHARACTER)
    return _parse(text)


def build_code(code: Code) -> str:
    """The one text of a code. Raises Malformed, also for an id of the older generation."""
    if isinstance(code, TemporaryCode):
        return encode_temporary(code)
    if len(code.ehc_id) != ID_CHARACTERS:
        raise Malformed(Reason.CODE_ID_LENGTH, "only ids of 64 characters are issued")
    text = f"{code.ehc_id}:{_STATIC}"
    if isinstance(code, DynamicCode):
        fields = [code.ehc_id, _DYNAMIC, code.validity]
        if code.payment is not None or code.extension is not None:
            fields.append(code.payment or "")
        if code.extension is not None:
            fields.append(_build_extension(code.extension))
        text = ":".join(fields)
    if parse_code(text) != code:
        _refuse(Reason.CODE_PAYMENT_MALFORMED)  # the only field that could be read differently
    return text


def _read_text(scan: str | bytes) -> str:
    try:
        data = scan.encode() if isinstance(scan, str) else scan
        if len(data) > MAX_SCAN_BYTES:
            _refuse(Reason.CODE_TOO_LONG)
        text = data.decode()
    except UnicodeError as error:
        raise Malformed(Reason.CODE_NOT_TEXT) from error
    if not text:
        _refuse(Reason.CODE_EMPTY)
    return text


def _parse(text: str) -> Code | ForeignText:
    national = text.replace("：", ":")
    if _WITH_TYPE.fullmatch(national) or _BARE_ID.fullmatch(national):
        return _parse_national(national.split(":"))
    if _TEMPORARY.fullmatch(text):
        _refuse_lower_case(text)
        return decode_temporary(text)
    return ForeignText(text)


def _parse_national(fields: list[str]) -> StaticCode | DynamicCode:
    ehc_id, *rest = fields
    _refuse_lower_case(ehc_id)
    if not _HEX.fullmatch(ehc_id):
        _refuse(Reason.CODE_ID_NOT_HEX)
    if len(ehc_id) not in {ID_CHARACTERS, OLD_ID_CHARACTERS}:
        _refuse(Reason.CODE_ID_LENGTH)
    if not rest or not rest[0]:
        _refuse(Reason.CODE_TYPE_MISSING)
    kind, *tail = rest
    if kind == _STATIC:
        if tail:
            _refuse(Reason.CODE_STATIC_TAIL)
        return StaticCode(ehc_id)
    if kind != _DYNAMIC:
        _refuse(Reason.CODE_TYPE_UNKNOWN)
    return _parse_dynamic(ehc_id, tail)


def _parse_dynamic(ehc_id: str, tail: list[str]) -> DynamicCode:
    if not tail or not tail[0]:
        _refuse(Reason.CODE_VALIDITY_MISSING)
    if len(tail) > 3:
        _refuse(Reason.CODE_TOO_MANY_FIELDS)
    validity = tail[0]
    _refuse_lower_case(validity)
    if not _VALIDITY.fullmatch(validity):
        _refuse(Reason.CODE_VALIDITY_MALFORMED)
    payment = tail[1] if len(tail) > 1 else None
    if payment == "" and len(tail) == 3:
        payment = None
    if payment is not None and not _PAYMENT.fullmatch(payment):
        _refuse(Reason.CODE_PAYMENT_MALFORMED)
    extension = _parse_extension(tail[2]) if len(tail) == 3 else None
    return DynamicCode(ehc_id, validity, payment, extension)


def _parse_extension(text: str) -> AnyExtension:
    if _FOREIGN_EXTENSION.fullmatch(text):
        return ForeignExtension(text)
    _refuse_lower_case(text)
    return decode_extension(text)


def _build_extension(extension: AnyExtension) -> str:
    if not isinstance(extension, ForeignExtension):
        return encode_extension(extension)
    if not _FOREIGN_EXTENSION.fullmatch(extension.digits):
        _refuse(Reason.CODE_EXTENSION_MALFORMED)
    return extension.digits


def _refuse_lower_case(text: str) -> None:
    # A keyboard scanner under CapsLock turns the case of everything it types.
    if _LOWER.search(text):
        _refuse(Reason.CODE_LOWER_CASE)


def _refuse(reason: Reason) -> NoReturn:
    raise Malformed(reason)
