"""Shapes that many operations share, with the patterns that the document shows."""

from typing import Annotated, Generic, TypeVar

import msgspec

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
LABEL_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$"

Id = Annotated[str, msgspec.Meta(pattern=_UUID, description="UUIDv7")]
Label = Annotated[
    str,
    msgspec.Meta(
        pattern=LABEL_PATTERN,
        min_length=1,
        max_length=31,
        description="lower-case letters, digits and inner hyphens",
    ),
]
Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f]")
]
Cursor = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([0-9a-f]{2}){1,80}$",
        min_length=2,
        max_length=160,
        description="opaque: the last answer's next",
    ),
]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]

T = TypeVar("T")


class PersonPath(msgspec.Struct, frozen=True):
    """A person."""

    person: Id


class CardPath(msgspec.Struct, frozen=True):
    """A card."""

    card: Id


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which part of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list; ``next`` is the cursor of what follows, null at the end."""

    items: list[T]
    next: str | None


def build_cursor(key: bytes) -> str:
    """A cursor behind the item with this key."""
    return key.hex()


def parse_cursor(cursor: str | None) -> bytes | None:
    """The key in a cursor; its text has been checked."""
    return None if cursor is None else bytes.fromhex(cursor)
