"""What the counter page tells of notices and of the last absence, as plain data."""

from datetime import datetime
from uuid import UUID

import msgspec

from agent.notices.absence import Absence
from shared.clock import from_microseconds
from shared.notices import Notice


class NoticeView(msgspec.Struct, frozen=True):
    """One notice; ``record`` is the id of this box's scan or registration that it is about."""

    id: str
    at: datetime
    kind: str
    zh: str
    en: str
    record: str | None = None
    case: str | None = None


class AwayView(msgspec.Struct, frozen=True):
    """What happened while this box was away, until a clerk has seen it.

    ``since`` is None where nothing but notices is to be told. ``delivered`` counts records that
    central has taken since; ``notices`` come oldest first, ``more`` are not among them.
    """

    since: datetime | None
    until: datetime | None
    delivered: int
    notices: tuple[NoticeView, ...]
    more: int = 0


def view_away(absence: Absence, notices: list[Notice], most: int) -> AwayView | None:
    """None when there is nothing to tell."""
    if not notices and not absence.is_told:
        return None
    told = absence.is_told
    return AwayView(
        since=absence.since if told else None,
        until=absence.until if told else None,
        delivered=absence.delivered if told else 0,
        notices=tuple(map(_view, notices[:most])),
        more=max(0, len(notices) - most),
    )


def _view(notice: Notice) -> NoticeView:
    return NoticeView(
        id=notice.id.hex(),
        at=from_microseconds(notice.at),
        kind=notice.kind,
        zh=notice.zh,
        en=notice.en,
        record=None if notice.record is None else notice.record.hex(),
        case=None if notice.case is None else str(UUID(bytes=notice.case)),
    )
