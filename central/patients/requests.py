"""What the ``person`` commands read from standard input: JSON, because arguments show in ``ps``."""

from typing import TypeVar

import msgspec

from shared.errors import Malformed
from shared.reasons import Reason


class AddPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resident as their document says."""

    document_type: str
    document_number: str
    name: str
    sex: str = "0"  # GB/T 2261.1
    phone: str = ""


class AddDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more document of a person."""

    document_type: str
    document_number: str


class RenamePerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's new name."""

    name: str


R = TypeVar("R", AddPerson, AddDocument, RenamePerson)


def parse_request(data: bytes, shape: type[R]) -> R:
    """Read one JSON object. Raises Malformed, which names the fields and repeats no value."""
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fields = ", ".join(field.name for field in msgspec.structs.fields(shape))
        raise Malformed(Reason.REQUEST_MALFORMED, f"a JSON object of text: {fields}") from error
