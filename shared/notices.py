"""What central tells one box beyond receipts, replies and settings: notices, sealed on the command
topic and repeated until the box has them on its disk.

A notice carries its words, so that a box shows one of a kind it does not know yet. It names no
person: where somebody must be looked up, ``record`` or ``case`` leads there.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from shared.clock import to_microseconds
from shared.codec import Codec
from shared.ids import new_record_id
from shared.message_bases import Id, Time
from shared.reasons import Reason

MOST_TOGETHER = 20
"""Notices in one message; the next come when these are acknowledged."""
MOST_CHARACTERS = 300

Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""A kind or a reason, also one that this version does not know."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_CHARACTERS)]


class NoticeKind(StrEnum):
    """The kinds there are."""

    CASE_OPENED = "case-opened"  # something a person at central must decide
    CASE_DECIDED = "case-decided"
    ROW_PARKED = "row-parked"  # kept safely, and not understood yet
    ROW_REPLAYED = "row-replayed"
    TEMPORARY_RESOLVED = "temporary-resolved"


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that happened, in words for the counter. ``id`` is a UUIDv7: shown once."""

    id: Id
    at: Time  # central's clock
    kind: Word
    zh: Text
    en: Text
    reason: Word | None = None
    record: Id | None = None  # the box's own record it is about
    case: Id | None = None


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes on ``down/command``: the oldest notices that the box has not acknowledged."""

    box: str
    notices: Annotated[tuple[Notice, ...], msgspec.Meta(min_length=1, max_length=MOST_TOGETHER)]
    version: Literal[1] = 1


class Noticed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes back on ``ask/noticed``: these are on the box's disk."""

    box: str
    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=MOST_TOGETHER)]
    version: Literal[1] = 1


commands: Codec[Command] = Codec(Command)
acknowledgements: Codec[Noticed] = Codec(Noticed)


def new_notice(  # noqa: PLR0913 - what is told, and where it leads
    kind: NoticeKind,
    at: datetime,
    *,
    zh: str,
    en: str,
    reason: Reason | None = None,
    record: bytes | None = None,
    case: bytes | None = None,
) -> Notice:
    """A notice under an id of its own; words that are too long are cut."""
    return Notice(
        id=new_record_id(at).bytes,
        at=to_microseconds(at),
        kind=kind,
        zh=_cut(zh),
        en=_cut(en),
        reason=reason,
        record=record,
        case=case,
    )


def acknowledge(box: str, notices: Iterable[Notice]) -> Noticed:
    """The answer to a ``Command``."""
    return Noticed(box, tuple(notice.id for notice in notices))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
