"""What every LabelJournal does, also the one that tests of the counter use."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cache.labels import open_labels
from agent.ports import LabelJournal
from tests.fakes import MemoryLabels
from tests.kept_labels import make_kept

OpenJournal = Callable[[Path], AbstractAsyncContextManager[LabelJournal]]


@asynccontextmanager
async def _in_memory(_directory: Path) -> AsyncIterator[LabelJournal]:
    yield MemoryLabels()


@asynccontextmanager
async def _sealed(directory: Path) -> AsyncIterator[LabelJournal]:
    async with open_labels(directory / "labels.db", directory / "cache.key") as labels:
        yield labels


@pytest.fixture(params=[_sealed, _in_memory], ids=["sealed", "memory"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LabelJournal]:
    open_one: OpenJournal = request.param
    async with open_one(tmp_path) as journal:
        yield journal


async def test_the_last_word_on_a_registration_is_loaded(journal: LabelJournal) -> None:
    """Whole, and the oldest registration first; what was kept soon is before what is kept later."""
    first, second = make_kept(), make_kept()
    journal.keep_soon(second)
    await journal.keep(first)
    later = replace(first, under_way=False, copies=1)
    journal.keep_soon(first)
    await journal.keep(later)
    assert set(await journal.load()) == {later, second}
    assert journal.trouble is None


async def test_what_is_erased_is_not_loaded(journal: LabelJournal) -> None:
    """And erasing what is not there is nothing."""
    first, second = make_kept(), make_kept()
    await journal.keep(first)
    await journal.keep(second)
    journal.erase_soon([first.registration, make_kept().registration])
    assert await journal.load() in ([second], (second,))
