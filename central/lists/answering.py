"""Pages of the lists for one box: what lies behind what it has, signed, at most so much at once.

An index leads to the first entry of a page, so a page costs its own entries and no more. Every
method runs inside the caller's unit of work.
"""

import logging
from datetime import datetime

from central.keys.service import Keys
from central.lists import store
from central.lists.service import ENTRY, Lists, open_entry
from shared.clock import to_microseconds
from shared.errors import Damaged
from shared.ids import BoxId
from shared.lists import (
    START,
    KeysPage,
    ListedPerson,
    ListHead,
    Page,
    PersonsPage,
    Position,
    RevokedCard,
    RevokedPage,
    sign_page,
)
from shared.messages import ListAsk, ListName, ListReply
from shared.reasons import Reason

_log = logging.getLogger(__name__)

_REVOKED_A_PAGE = 2_000
_PERSONS_A_PAGE = 200
"""Some 70 KB each."""
MOST_PERSONS = 100_000
"""The latest so many of a site are told to its boxes."""


class ListDesk:
    """Answers ``ask/list``."""

    def __init__(self, keys: Keys, lists: Lists) -> None:
        self._keys = keys
        self._lists = lists

    def answer(self, box: BoxId, ask: ListAsk, at: datetime) -> ListReply:
        """The page behind what the box has. From the start, where this centre does not know of
        that. Raises Refused (LIST_OLDER) for a revision that cannot be."""
        site = box.site if ask.list is ListName.PERSONS else ""
        since = Position(ask.revision, ask.after)
        head = self._lists.read_head(ask.list, site)
        if since.revision > head.revision:
            self._lists.go_beyond(ask.list, site, since.revision, at)
            head, since = self._lists.read_head(ask.list, site), START
        signed = sign_page(self._keys.sign_announcement, self._page(head, since))
        return ListReply(
            id=ask.id,
            central_at=to_microseconds(at),
            body=signed.body,
            signature=signed.signature,
        )

    def _page(self, head: ListHead, since: Position) -> Page:
        match head.what:
            case ListName.KEYS:
                keys = self._keys.list_code_keys()
                return KeysPage(head=head, since=since, keys=keys, token_key=self._keys.list_key)
            case ListName.REVOKED:
                return _revoked(head, since)
            case ListName.PERSONS:
                return self._persons(head, since)

    def _persons(self, head: ListHead, since: Position) -> PersonsPage:
        begin = since
        if since == START and head.count > MOST_PERSONS:
            latest = store.find_latest(head.site, MOST_PERSONS)
            begin = Position(*latest) if latest else since
        rows = store.list_persons(head.site, begin.revision, begin.key, _PERSONS_A_PAGE + 1)
        more, rows = len(rows) > _PERSONS_A_PAGE, rows[:_PERSONS_A_PAGE]
        return PersonsPage(
            head=head,
            since=since,
            next=Position(rows[-1].revision, rows[-1].id) if more else None,
            persons=tuple(filter(None, map(self._open, rows))),
        )

    def _open(self, row: store.Person) -> ListedPerson | None:
        """None for an entry that is damaged: the others are told all the same."""
        try:
            return open_entry(self._keys.open(ENTRY, row.entry))
        except Damaged as error:
            _log.error("a listed person cannot be read: %s", error)
            return None


def _revoked(head: ListHead, since: Position) -> RevokedPage:
    rows = store.list_revoked(since.revision, since.key, _REVOKED_A_PAGE + 1)
    more, rows = len(rows) > _REVOKED_A_PAGE, rows[:_REVOKED_A_PAGE]
    return RevokedPage(
        head=head,
        since=since,
        next=Position(rows[-1].revision, rows[-1].token) if more else None,
        added=tuple(RevokedCard(row.token, Reason(row.reason)) for row in rows if row.reason),
        removed=tuple(row.token for row in rows if not row.reason),
    )
