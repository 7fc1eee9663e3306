"""From what came over the wire to typed structs, strictly: what a schema does not allow is refused.

Raises Malformed (REQUEST_MALFORMED) with the field's name, never its value.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from multidict import MultiMapping

from central.web.problems import read_place
from shared.errors import Malformed
from shared.reasons import Reason

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
KEY_PATTERN = "^[0-9A-Za-z_-]{8,64}$"
_KEY = re.compile(KEY_PATTERN.strip("^$"))


def parse_text_fields(given: Mapping[str, str], shape: type[T], where: str) -> T:
    """A struct from texts: path parameters or a query.

    A number is written as JSON writes an integer, a truth as ``true`` or ``false``.
    """
    for name, text in given.items():
        if _CONTROL.search(text):
            raise Malformed(Reason.REQUEST_MALFORMED, f"{where}.{name}")
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, f"{where}.{read_place(error)}") from error


def parse_query(given: MultiMapping[str], shape: type[T]) -> T:
    """A query's struct; each name at most once."""
    texts = dict(given)
    if len(texts) != len(given):
        raise Malformed(Reason.REQUEST_MALFORMED, "query")
    return parse_text_fields(texts, shape, "query")


def parse_body(data: bytes, decoder: "msgspec.json.Decoder[Any]") -> Any:
    """A JSON body."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, f"body.{read_place(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(Reason.REQUEST_MALFORMED, "body") from error


def parse_key(text: str) -> str:
    """An Idempotency-Key."""
    if not _KEY.fullmatch(text):
        raise Malformed(Reason.REQUEST_MALFORMED, "header.Idempotency-Key")
    return text
