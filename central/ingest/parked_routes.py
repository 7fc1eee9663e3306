"""The API's operations on parked rows: what is in custody and cannot be read yet."""

from datetime import datetime
from typing import Any

import msgspec

from central.ingest.parked import BEGINNING, Parked
from central.ingest.store import ParkedRow, Place
from central.users.roles import Permission
from central.web.fields import BoxName, Cursor, Page, PageQuery
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.clock import from_microseconds
from shared.errors import Malformed
from shared.ids import parse_box_id
from shared.reasons import Reason


class ParkedView(msgspec.Struct, frozen=True):
    """A row in custody that could not be interpreted, and why."""

    box: str
    epoch: int
    seq: int
    record: str
    reason: Reason
    words_zh: str
    words_en: str
    parked_at: datetime


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows to try again: a box's or all that one sees, behind the last answer's ``next``."""

    box: BoxName | None = None
    cursor: Cursor | None = None


class ReplayedView(msgspec.Struct, frozen=True):
    """What became of them; ``next`` is where to go on, null at the end."""

    interpreted: int
    still_parked: int
    next: str | None


class ParkedRoutes:
    """Parked rows over HTTP."""

    def __init__(self, parked: Parked) -> None:
        self._parked = parked

    def operations(self) -> list[AnyOperation]:
        """What can be seen and done."""
        return [
            Operation(
                id="listParked",
                method="GET",
                path="/parked",
                tag="account",
                summary_zh="已收妥但还读不懂的记录",
                summary_en="Rows in custody that cannot be read yet",
                permission=Permission.BOXES_READ,
                work=Work.LIST,
                query_shape=PageQuery,
                answer=Page[ParkedView],
                run=self._list,
            ),
            Operation(
                id="replayParked",
                method="POST",
                path="/parked/replay",
                tag="account",
                summary_zh="再试读这些记录，例如升级之后",
                summary_en="Try them again, after an upgrade say",
                permission=Permission.BOXES_WRITE,
                work=Work.WRITE,
                body_shape=Replay,
                answer=ReplayedView,
                run=self._replay,
            ),
        ]

    def _list(self, call: Call[Nothing, PageQuery, Any]) -> Page[ParkedView]:
        query = call.query
        found = self._parked.list(
            call.principal.site, after=_parse_key(query.key), limit=query.limit + 1
        )
        rows = found[: query.limit]
        following = _build_key(place_of(rows[-1])) if len(found) > len(rows) else None
        return Page([view_parked(row) for row in rows], following)

    def _replay(self, call: Call[Nothing, Nothing, Replay]) -> ReplayedView:
        body, principal = call.body, call.principal
        box = parse_box_id(body.box) if body.box else None
        if box is not None:
            principal.check_site(box.site)
        after = _parse_key(bytes.fromhex(body.cursor) if body.cursor else None)
        done = self._parked.replay(
            call.at, principal.actor, site=principal.site, box=box, after=after
        )
        following = _build_key(done.next) if done.next else None
        return ReplayedView(done.interpreted, done.still_parked, following)


def view_parked(row: ParkedRow) -> ParkedView:
    """A parked row as the API shows it."""
    reason = Reason(row.reason)
    return ParkedView(
        str(row.box),
        row.epoch,
        row.row.seq,
        row.row.id.hex(),
        reason,
        reason.words.zh,
        reason.words.en,
        from_microseconds(row.parked_at),
    )


def place_of(row: ParkedRow) -> Place:
    """Where a page goes on behind this row."""
    return str(row.box), row.epoch, row.row.seq


def _build_key(place: Place) -> str:
    box, epoch, seq = place
    return (epoch.to_bytes(4, "big") + seq.to_bytes(8, "big") + box.encode()).hex()


def _parse_key(key: bytes | None) -> Place:
    """Raises Malformed for what was no answer's ``next``."""
    if key is None:
        return BEGINNING
    epoch, seq = int.from_bytes(key[:4], "big"), int.from_bytes(key[4:12], "big")
    if seq >= 1 << 63:
        raise Malformed(Reason.REQUEST_MALFORMED, "cursor")
    return key[12:].decode(errors="replace"), epoch, seq
