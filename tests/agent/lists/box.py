"""A box as far as its lists go: the real file, the real fetching, a centre to ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.config import BoxConfig, BrokerAddress
from agent.listed import Listed
from agent.lists.fetching import Fetching
from agent.lists.service import SiteLists, open_lists
from central.cards.card import Card
from shared.messages import ListName
from tests.central.lists.centre import ListCentre


def config_of(centre: ListCentre) -> BoxConfig:
    """What the box was told when it joined."""
    return BoxConfig(
        box=str(centre.box),
        counter="window 1",
        site_name="示范医院",
        broker=BrokerAddress("localhost", 1),
        central_public=centre.keys.central_public.hex(),
        code_keys={str(kid): key.hex() for kid, key in centre.keys.code_keys.items()},
        announcements=centre.keys.announcements_public.hex(),
    )


@dataclass
class ListBox:
    """The lists of one box."""

    centre: ListCentre
    lists: SiteLists
    fetching: Fetching

    async def hear(self, *heads: bytes) -> None:
        """Take heads, all that the centre has where none are given, and fetch what is due."""
        for head in heads or self.centre.heads():
            await self.lists.take_head(head)
        await self.fetch()

    async def catch_up(self) -> None:
        """The centre composes, and the box hears of it."""
        self.centre.compose()
        await self.hear()

    async def fetch(self) -> None:
        """Fetch until nothing is due, or nothing more comes of it."""
        before = None
        while self.lists.due and (now := (set(self.lists.due), len(self.centre.asks))) != before:
            before = now
            for what in ListName:
                if what in self.lists.due:
                    await self.fetching._fetch(what)

    async def find(self, card: Card) -> Listed:
        return await self.lists.find(card.ehc_id)


@asynccontextmanager
async def open_list_box(directory: Path, centre: ListCentre) -> AsyncIterator[ListBox]:
    """A box in ``directory``, opened again with what was there."""
    config = config_of(centre)
    paths = directory / "lists.db", directory / "cache.key"
    async with open_lists(*paths, config, centre.clock.now) as lists:
        fetching = Fetching(lists, centre.box, centre, jitter_seconds=0, pause_seconds=0)
        yield ListBox(centre, lists, fetching)
