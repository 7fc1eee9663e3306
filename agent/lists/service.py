"""Central's lists at work: takes heads, fetches what is behind them, answers the counter.

What is taken is signed by central and no older than what is here; a change that does not lead to
what was announced is refused, and the whole list fetched again. Implements ``agent.listed.Lists``.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from agent.cache.sealed_file import CacheState
from agent.config import BoxConfig
from agent.listed import CodeKeys, Heeded, KnownKey, Listed
from agent.lists.file import Found, KeySet, ListFile, Proof, Standing
from agent.lists.shelf import Shelf, open_shelf
from shared.clock import from_microseconds
from shared.crypto import STD
from shared.errors import NotAuthentic, OneCodeError, Refused
from shared.lists import (
    KEY_AHEAD,
    NO_DIGEST,
    START,
    KeysPage,
    ListHead,
    Page,
    PersonsPage,
    Position,
    RevokedPage,
    card_token,
    check_site,
    end_of,
    keys_digest,
    open_head,
)
from shared.messages import ListName
from shared.reasons import Reason

log = logging.getLogger(__name__)

MOST_PERSONS = 100_000
OLD = timedelta(hours=24)
"""From this age on somebody is told."""
_BACK = timedelta(minutes=5)
"""How far behind a list's time our clock may be before it tells nothing of its age."""
_LONG_AGO = from_microseconds(0)
_FETCHED = (ListName.KEYS, ListName.REVOKED, ListName.PERSONS)
_NEEDED = (ListName.KEYS, ListName.REVOKED)


class SiteLists:
    """The lists of one box, made by ``open_lists``. All methods belong to one event loop."""

    def __init__(
        self, shelf: Shelf, config: BoxConfig, central_now: Callable[[], datetime]
    ) -> None:
        """The code keys of ``config`` are the first ones."""
        self._shelf = shelf
        self._site = config.box_id.site
        self._owner = f"{config.box} {config.announcements}".encode()
        announcements = config.announcements
        self.announcements = STD.verify_key(bytes.fromhex(announcements)) if announcements else None
        self._first_keys = {
            int(kid): KnownKey(STD.verify_key(bytes.fromhex(key)))
            for kid, key in config.code_keys.items()
        }
        self.central_now = central_now
        self._standings: dict[ListName, Standing] = {}
        self._token_key: bytes | None = None
        self._keys = self._first_keys
        self._lost = False  # rows of the set were gone
        self._dropped: set[ListName] = set()  # not what was announced; on their way again
        self._whole = False  # the set of revoked cards that comes is the whole of it
        self._due = asyncio.Event()
        self.due: set[ListName] = set()
        """What is behind its head, or was never confirmed."""
        self.refused: dict[ListName, Reason] = {}
        """Why the last of a list was not taken, since one was."""
        self.refusals: Counter[Reason] = Counter()
        self.on_change: Callable[[], None] = lambda: None

    # --- what is known now -----------------------------------------------------------------------

    async def find(self, name: str) -> Listed:
        if self._token_key is None:
            return Listed()
        token = card_token(self._token_key, name)
        found = await self._shelf.ask(lambda file: file.find(token)) or Found(None, None)
        revoked_as_of = self.as_of(ListName.REVOKED)
        if found.reason is not None and revoked_as_of is None:
            revoked_as_of = _LONG_AGO  # of a list that is on its way again
        return Listed(
            revoked=found.reason,
            revoked_as_of=revoked_as_of,
            identity=found.identity,
            identity_as_of=self.as_of(ListName.PERSONS),
        )

    def code_keys(self) -> CodeKeys:
        age = self._age_of(ListName.KEYS)
        return CodeKeys(self._keys, complete=age is not None and age < KEY_AHEAD)

    def age(self) -> timedelta | None:
        ages = [self._age_of(what) for what in _NEEDED]
        known = [age for age in ages if age is not None]
        return max(known) if len(known) == len(ages) else None

    def heed(self) -> Heeded:
        """The age by which less is allowed: a list that never came, or is lost, is as old as can
        be."""
        if not self.missing:
            return Heeded(self.age())
        never = Reason.LEASE_LISTS_MISSING if self.never_came else Reason.LEASE_LISTS
        return Heeded(timedelta.max, never)

    @property
    def missing(self) -> set[ListName]:
        """What is not here: it never came, was lost, or was not what central had announced."""
        return set(_FETCHED) - self._standings.keys()

    @property
    def never_came(self) -> set[ListName]:
        """What is missing, and not known to have been here before."""
        return set() if self._are_lost() else self.missing - self._dropped

    @property
    def trouble(self) -> Reason | None:
        """What somebody should know of the lists, the gravest."""
        if self._shelf.state is CacheState.LOST or self._are_lost():
            return Reason.LIST_LOST
        if self.never_came:
            return Reason.LIST_MISSING
        for what in self.missing:
            return self.refused.get(what, Reason.LIST_DIGEST)
        age = self.age()
        if age is None:
            return Reason.CLOCK_WRONG
        if age >= OLD:
            return Reason.LIST_OLD
        return next(iter(self.refused.values()), None)

    def as_of(self, what: ListName) -> datetime | None:
        """When a list was last known to be whole; None before it came."""
        standing = self._standings.get(what)
        return from_microseconds(standing.head.at) if standing else None

    def count(self, what: ListName) -> int:
        """How many entries central says a list has."""
        standing = self._standings.get(what)
        return standing.head.count if standing else 0

    def _revision(self, what: ListName) -> int:
        standing = self._standings.get(what)
        return standing.head.revision if standing else 0

    def position(self, what: ListName) -> Position:
        """What the next page goes on from."""
        standing = self._standings.get(what)
        return standing.position if standing else START

    # --- heads -----------------------------------------------------------------------------------

    async def take_head(self, payload: bytes) -> None:
        """Take what came on a list's topic; what is not believed is counted and changes nothing."""
        what = None
        try:
            head = self._open_head(payload)
            what = head.what
            await self._compare(head)
        except Refused as refusal:
            self.refuse(what, refusal)

    def _open_head(self, payload: bytes) -> ListHead:
        if self.announcements is None:
            raise NotAuthentic(Reason.KEY_UNKNOWN, "announcements")
        head = open_head(self.announcements, payload)
        check_site(head, self._site)
        return head

    async def _compare(self, head: ListHead) -> None:
        standing = self._standings.get(head.what)
        if standing is None or head.revision > standing.head.revision:
            self.want(head.what)
        elif head.revision < standing.head.revision:
            if head.at > standing.head.at:  # no old one: central itself is behind, and is to know
                self.want(head.what)
            raise Refused(Reason.LIST_OLDER, f"{head.what} {head.revision}")
        elif head.digest != standing.head.digest:
            await self.begin_anew(head.what)
            raise Refused(Reason.LIST_DIGEST, head.what)
        elif standing.position != end_of(head.revision):
            self.want(head.what)  # not all of it has come
        elif head.at > standing.head.at:
            await self._confirm(head)

    async def _confirm(self, head: ListHead) -> None:
        await self._shelf.ask(lambda file: file.confirm(head))
        await self._take_up(head.what)
        self.refused.pop(head.what, None)
        self.on_change()

    # --- pages -----------------------------------------------------------------------------------

    async def begin(self, what: ListName) -> Position:
        """Begin to fetch a list; from where."""
        if what is ListName.REVOKED:
            self._whole = False
            await self._shelf.change(ListFile.begin_revoked)
        return self.position(what)

    async def take_page(self, what: ListName, page: Page) -> Position | None:
        """Take one page; what to go on from, None when that was all.

        Raises Refused (LIST_OLDER, LIST_DIGEST, MESSAGE_MALFORMED): nothing of the list changed,
        but persons, of whom each page stands alone.
        """
        head, change = page.head, self._shelf.change
        standing = self._standings.get(what)
        check_site(head, self._site)
        if head.what is not what:
            raise Refused(Reason.MESSAGE_MALFORMED, "another list")
        if standing is not None and head.revision < standing.head.revision:
            raise Refused(Reason.LIST_OLDER, f"{what} {head.revision}")
        match page:
            case KeysPage():
                if keys_digest(page.keys, page.token_key) != head.digest:
                    raise Refused(Reason.LIST_DIGEST, what)
                key_set = KeySet(page.keys, page.token_key)
                await change(lambda file: file.take_keys(head, key_set))
            case RevokedPage():
                if page.since == START:
                    await change(ListFile.begin_revoked)
                    self._whole = True
                await change(lambda file: file.gather_revoked(page))
                if page.next is not None:
                    return page.next
                whole, self._whole = self._whole or standing is None, False
                await change(lambda file: file.take_revoked(head, whole=whole))
            case PersonsPage():
                position = page.next or end_of(head.revision)
                if page.next is not None:  # those still to come are as they were
                    before = standing.head.at if standing else 0
                    head = msgspec.structs.replace(head, at=before)
                told, most = page.persons, MOST_PERSONS
                await change(lambda file: file.take_persons(head, position, told, most))
        await self._take_up(what)
        self.on_change()
        return page.next

    async def begin_anew(self, what: ListName) -> None:
        """The list is not what was announced: all of it is wanted again."""
        await self._shelf.ask(lambda file: file.forget(what))
        if self._standings.pop(what, None) is not None:
            self._dropped.add(what)
        self.want(what)

    def want(self, what: ListName) -> None:
        """It is to be fetched."""
        self.due.add(what)
        self._due.set()

    def done(self, what: ListName) -> None:
        """All of it has come."""
        self.due.discard(what)
        self.refused.pop(what, None)
        self.on_change()

    async def wait_due(self) -> None:
        """Return when something is to be fetched that was not before."""
        await self._due.wait()
        self._due.clear()

    def want_stale(self, since: timedelta) -> None:
        """Whatever was not confirmed for so long is to be fetched: a head may be withheld."""
        for what in _FETCHED:
            age = self._age_of(what)
            if age is None or age > since:
                self.want(what)

    def refuse(self, what: ListName | None, error: OneCodeError) -> None:
        """Something was not taken: counted, and said."""
        self.refusals[error.reason] += 1
        first = self.refusals[error.reason] == 1
        log.log(logging.WARNING if first else logging.DEBUG, "list refused: %s", error)
        if what is not None:
            self.refused[what] = error.reason
        self.on_change()

    # --- the file --------------------------------------------------------------------------------

    async def load(self) -> None:
        """Take up what the file holds, if it is this box's."""
        await self._shelf.ask(lambda file: file.belong(self._owner))
        for what in ListName:
            await self._take_up(what)

    async def prove(self) -> None:
        """Look through the revoked cards once: what is lost of them is fetched again."""
        proof: Proof | None = Proof()
        while proof is not None and proof.token is not None:
            begun = proof
            proof = await self._shelf.ask(lambda file: file.prove(begun))  # noqa: B023 - awaited
        standing = self._standings.get(ListName.REVOKED)
        wanted = (standing.head.digest, standing.head.count) if standing else (NO_DIGEST, 0)
        if proof is None or proof[1:] != wanted:
            self._lost = True
            await self.begin_anew(ListName.REVOKED)
            self.refuse(ListName.REVOKED, Refused(Reason.LIST_LOST, "revoked cards"))
        await self.mend()

    async def mend(self) -> None:
        """Where pages of the file cannot be read, an empty one takes its place."""
        if not self._shelf.damaged:
            return
        await self._shelf.begin_anew()
        self._standings.clear()
        await self.load()
        self.due.update(ListName)
        self.refuse(None, Refused(Reason.LIST_LOST, "damaged pages"))

    async def _take_up(self, what: ListName) -> None:
        standing = await self._shelf.ask(lambda file: file.read_standing(what))
        if standing is None:
            return
        if what is ListName.KEYS:
            key_set = await self._shelf.ask(ListFile.read_keys)
            if key_set is None:
                return
            self._token_key = key_set.token_key
            if standing.head.revision != self._revision(what):
                numbers = ", ".join(str(key.kid) for key in key_set.keys)
                log.info("code keys %s of revision %d", numbers, standing.head.revision)
            self._keys = self._first_keys | {
                key.kid: KnownKey(
                    STD.verify_key(key.public),
                    from_microseconds(key.from_at),
                    from_microseconds(key.until_at) if key.until_at is not None else None,
                )
                for key in key_set.keys
            }
        self._standings[what] = standing
        self._dropped.discard(what)

    def _are_lost(self) -> bool:
        """They were here, and have not come again."""
        lost = self._lost or self._shelf.state is not CacheState.READY
        return lost and bool(self.missing)

    def _age_of(self, what: ListName) -> timedelta | None:
        as_of = self.as_of(what)
        if as_of is None:
            return None
        age = self.central_now() - as_of
        return None if age < -_BACK else max(age, timedelta(0))


@asynccontextmanager
async def open_lists(
    path: Path, key_path: Path, config: BoxConfig, central_now: Callable[[], datetime]
) -> AsyncIterator[SiteLists]:
    """The lists at ``path`` under the key at ``key_path``; both are made at first use.

    Raises Refused only, when others may read the key.
    """
    async with open_shelf(path, key_path) as shelf:
        lists = SiteLists(shelf, config, central_now)
        await lists.load()
        yield lists
