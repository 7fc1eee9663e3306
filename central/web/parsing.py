"""From what came over the wire to typed structs, strictly: what a schema does not allow is refused.

Raises WrongForm with the field's name, never its value.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from multidict import MultiMapping

from central.web.problems import WrongForm, read_place

T = TypeVar("T")


_DATE = re.compile(r"\d{4}-")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
KEY_PATTERN = "^[0-9A-Za-z_-]{8,64}$"
_KEY = re.compile(KEY_PATTERN.strip("^$"))


def parse_text_fields(given: Mapping[str, str], shape: type[T], where: str) -> T:
    """A struct from texts: path parameters or a query.

    A number is written as JSON writes an integer, a truth as ``true`` or ``false``.
    """
    for name, text in given.items():
        if _CONTROL.search(text):
            raise WrongForm(f"{where}.{name}")
    try:
        found = msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise WrongForm(f"{where}.{read_place(error)}") from error
    for name, text in given.items():
        # The library reads "null" as a value left out, and a bare number as a time.
        value = getattr(found, name)
        if value is None or (isinstance(value, datetime) and not _DATE.match(text)):
            raise WrongForm(f"{where}.{name}")
    return found


def parse_uuid(text: str) -> UUID:
    """The only parameter of a path."""
    try:
        return msgspec.convert(text, UUID)
    except msgspec.ValidationError as error:
        raise WrongForm("path") from error


def parse_query(given: MultiMapping[str], shape: type[T]) -> T:
    """A query's struct; each name at most once."""
    texts = dict(given)
    if len(texts) != len(given):
        raise WrongForm("query")
    return parse_text_fields(texts, shape, "query")


def parse_body(data: bytes, decoder: "msgspec.json.Decoder[Any]") -> Any:
    """A JSON body."""
    try:
        try:
            return decoder.decode(data)
        except msgspec.ValidationError:
            # 60.0 is an integer too (JSON Schema, validation §6.1.1), which the library refuses.
            return msgspec.convert(_with_integers(msgspec.json.decode(data)), decoder.type)
    except msgspec.ValidationError as error:
        raise WrongForm(f"body.{read_place(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongForm("body") from error


def _with_integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_with_integers(each) for each in value]
    if isinstance(value, dict):
        return {name: _with_integers(each) for name, each in value.items()}
    return value


def parse_key(text: str) -> str:
    """An Idempotency-Key."""
    if not _KEY.fullmatch(text):
        raise WrongForm("header.Idempotency-Key")
    return text
