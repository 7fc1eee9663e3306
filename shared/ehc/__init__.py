"""The electronic health code (电子健康码): national derivation and QR text. Pure.

``derivation`` computes the national quantities, ``codes`` are the values, ``text`` reads and
builds what a scanner reads, ``extension`` and ``temporary`` are this system's signed additions
(CONTRACTS §5). Nothing here knows which codes were issued, or holds a key of its own.
"""

from shared.ehc.codes import (
    AnyExtension,
    Code,
    DynamicCode,
    Extension,
    ForeignExtension,
    ForeignText,
    StaticCode,
    TemporaryCode,
    code_class,
)
from shared.ehc.derivation import Derivation, ProtectKey, RootKey, mindex_id_of, user_factor
from shared.ehc.extension import (
    MAX_EXTENSION_KID,
    MAX_TTL_SECONDS,
    extension_signed_bytes,
    extension_times,
    sign_extension,
    verify_extension,
)
from shared.ehc.temporary import (
    sign_temporary,
    temporary_kid,
    temporary_serial,
    temporary_signed_bytes,
    verify_temporary,
)
from shared.ehc.text import MAX_SCAN_BYTES, build_code, parse_code

__all__ = [
    "MAX_EXTENSION_KID",
    "MAX_SCAN_BYTES",
    "MAX_TTL_SECONDS",
    "AnyExtension",
    "Code",
    "Derivation",
    "DynamicCode",
    "Extension",
    "ForeignExtension",
    "ForeignText",
    "ProtectKey",
    "RootKey",
    "StaticCode",
    "TemporaryCode",
    "build_code",
    "code_class",
    "extension_signed_bytes",
    "extension_times",
    "mindex_id_of",
    "parse_code",
    "sign_extension",
    "sign_temporary",
    "temporary_kid",
    "temporary_serial",
    "temporary_signed_bytes",
    "user_factor",
    "verify_extension",
    "verify_temporary",
]
