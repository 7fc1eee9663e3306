"""Fetches what is due of the lists, a page an ask, while the line is up; gives way to all else.

A jitter keeps the boxes of a hospital from asking in the same second. A head may be withheld, so
what was not confirmed for a while is asked for without one.
"""

import asyncio
import random
from datetime import timedelta
from typing import Protocol

from agent.lists.service import SiteLists
from shared.backoff import Backoff
from shared.clock import to_microseconds
from shared.errors import Refused, Unavailable
from shared.ids import BoxId, new_record_id
from shared.lists import Page, Position, SignedList, open_page
from shared.messages import Ask, ListAsk, ListName, ListReply, RefusalReply, Reply
from shared.reasons import Reason

DEADLINE = timedelta(seconds=20)
_STALE = timedelta(minutes=15)
"""Three times as long as central takes to confirm what has not changed."""
_FIRST_RETRY_SECONDS = 2.0
_MOST_RETRY_SECONDS = 120.0


class Uplink(Protocol):
    """The line, as fetching needs it."""

    async def ask(self, ask: Ask, deadline_seconds: float) -> Reply:
        """Raises Unavailable."""
        ...

    async def wait_up(self) -> None: ...


class Fetching:
    """Fetches while ``run`` runs."""

    def __init__(
        self,
        lists: SiteLists,
        box: BoxId,
        uplink: Uplink,
        *,
        jitter_seconds: float = 3.0,
        pause_seconds: float = 0.1,
    ) -> None:
        """``pause_seconds`` is between the pages of one list."""
        self._lists = lists
        self._box = box
        self._uplink = uplink
        self._jitter_seconds = jitter_seconds
        self._pause_seconds = pause_seconds

    async def run(self) -> None:
        """Until cancelled."""
        await self._lists.prove()
        if ListName.PERSONS in self._lists.missing:
            self._lists.want(ListName.PERSONS)  # a site that has nobody yet announces no list
        backoff = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS)
        while True:
            if not self._lists.due:
                await self._wait_due()
                if not self._lists.never_came:  # else less is allowed until it comes
                    jitter = random.uniform(0, self._jitter_seconds)  # noqa: S311 - no secret
                    await asyncio.sleep(jitter)
            await self._lists.mend()
            await self._uplink.wait_up()
            for what in ListName:
                if what in self._lists.due:
                    await self._fetch(what)
            if self._lists.due:
                await asyncio.sleep(backoff.next_seconds())
            else:
                backoff.reset()

    async def _wait_due(self) -> None:
        try:
            async with asyncio.timeout(_STALE.total_seconds()):
                await self._lists.wait_due()
        except TimeoutError:
            self._lists.want_stale(_STALE)

    async def _fetch(self, what: ListName) -> None:
        try:
            await self._fetch_pages(what)
        except Unavailable:
            return  # the line says why
        except Refused as refusal:
            self._lists.refuse(what, refusal)
            if refusal.reason in {Reason.LIST_DIGEST, Reason.LIST_OLDER}:
                await self._lists.begin_anew(what)
            return
        self._lists.done(what)

    async def _fetch_pages(self, what: ListName) -> None:
        position: Position | None = await self._lists.begin(what)
        while position is not None:
            page = await self._fetch_page(what, position)
            position = await self._lists.take_page(what, page)
            if position is not None:
                await asyncio.sleep(self._pause_seconds)

    async def _fetch_page(self, what: ListName, position: Position) -> Page:
        at = self._lists.central_now()
        ask = ListAsk(
            id=new_record_id(at).bytes,
            box=str(self._box),
            born=to_microseconds(at),
            expires_at=to_microseconds(at + DEADLINE),
            counter="",
            list=what,
            revision=position.revision,
            after=position.key,
        )
        reply = await self._uplink.ask(ask, DEADLINE.total_seconds())
        if isinstance(reply, RefusalReply):
            raise Refused(reply.reason, what)
        if not isinstance(reply, ListReply):
            raise Refused(Reason.MESSAGE_MALFORMED, what)
        if self._lists.announcements is None:
            raise Refused(Reason.KEY_UNKNOWN, "announcements")
        return open_page(self._lists.announcements, SignedList(reply.body, reply.signature))
