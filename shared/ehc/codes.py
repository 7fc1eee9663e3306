"""What a scanned text can be: the values, frozen, without the rules that read them.

No value shows an id, a validity or a foreign text in its ``repr``: a whole code belongs in no log.
"""

from dataclasses import dataclass, field

from shared.messages import CodeClass


@dataclass(frozen=True, slots=True)
class StaticCode:
    """``<ehc_id>:1``. ``ehc_id`` is 64 upper-case hex characters, or 48 of the older generation."""

    ehc_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Extension:
    """The signed tail of the dynamic codes issued here (CONTRACTS §5), 74 bytes.

    ``kid`` names the issuing domain's key, ``nonce`` is 4 bytes, ``issued_at`` whole seconds
    since 1970 UTC in 4 bytes, ``ttl_seconds`` 1 byte, ``signature`` 64 bytes.
    """

    kid: int
    nonce: bytes
    issued_at: int
    ttl_seconds: int
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ForeignExtension:
    """Eleven digits in the extension's place: another issuer's, kept as they are."""

    digits: str = field(repr=False)


AnyExtension = Extension | ForeignExtension


@dataclass(frozen=True, slots=True)
class DynamicCode:
    """``<ehc_id>:0:<validity>[:<payment>[:<extension>]]``; ``validity`` is 32 hex characters.

    ``payment`` is None where the text has no payment, and never empty.
    """

    ehc_id: str = field(repr=False)
    validity: str = field(repr=False)
    payment: str | None = field(default=None, repr=False)
    extension: AnyExtension | None = None


@dataclass(frozen=True, slots=True)
class TemporaryCode:
    """A code a box issued while it was alone (CONTRACTS §5), 75 bytes.

    ``box_number`` has 4 bytes, ``kid`` (the box's signing key) 1, ``serial`` 6, ``signature`` 64.
    """

    box_number: int
    kid: int
    serial: int = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ForeignText:
    """Text outside our grammars (payment, insurance, drug codes), untouched; never logged."""

    text: str = field(repr=False)


Code = StaticCode | DynamicCode | TemporaryCode


def code_class(code: Code) -> CodeClass:
    """The class a record names; EXTENDED only with an extension of our own form."""
    if isinstance(code, StaticCode):
        return CodeClass.STATIC
    if isinstance(code, TemporaryCode):
        return CodeClass.TEMPORARY
    return CodeClass.EXTENDED if isinstance(code.extension, Extension) else CodeClass.DYNAMIC
