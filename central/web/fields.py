"""Shapes that many operations share, with the patterns that the document shows."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import msgspec

from shared.ids import BoxId

Label = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$",
        min_length=1,
        max_length=31,
        description="lower-case letters, digits and inner hyphens",
    ),
]
BoxName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?/[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$",
        max_length=63,
        description="<site>/<box>",
    ),
]
Text = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="one line of plain text",
    ),
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
Time = Annotated[datetime, msgspec.Meta(tz=True)]

T = TypeVar("T")


class PersonPath(msgspec.Struct, frozen=True):
    """A person."""

    person: UUID


class CardPath(msgspec.Struct, frozen=True):
    """A card."""

    card: UUID


class SitePath(msgspec.Struct, frozen=True):
    """A site."""

    site: Label


class BoxPath(msgspec.Struct, frozen=True):
    """A box."""

    site: Label
    box: Label

    @property
    def id(self) -> BoxId:
        """The box's id."""
        return BoxId(self.site, self.box)


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which part of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None

    @property
    def key(self) -> bytes | None:
        """The key of the item that the part begins behind."""
        return None if self.cursor is None else bytes.fromhex(self.cursor)

    @property
    def text_key(self) -> str:
        """The key where it is a text; empty before all others."""
        return (self.key or b"").decode(errors="replace")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list; ``next`` is the cursor of what follows, null at the end."""

    items: list[T]
    next: str | None


def build_cursor(key: bytes, count: int, limit: int) -> str | None:
    """A cursor behind the last item of a part, of ``count`` items where ``limit`` were asked."""
    return key.hex() if count == limit else None
