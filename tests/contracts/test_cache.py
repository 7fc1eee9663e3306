"""What every Cache does, also the one that tests of the counter use."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from agent.cache.answers import open_cache
from agent.ports import Cache, CachedAnswer
from shared.clock import ManualClock
from shared.reasons import Reason
from tests.factories import IDENTITY
from tests.fakes import NOON, MemoryCache

OpenCache = Callable[[Path], AbstractAsyncContextManager[Cache]]


@asynccontextmanager
async def _in_memory(_directory: Path) -> AsyncIterator[Cache]:
    yield MemoryCache()


@asynccontextmanager
async def _sealed(directory: Path) -> AsyncIterator[Cache]:
    async with open_cache(
        directory / "cache.db", directory / "cache.key", ManualClock(NOON)
    ) as cache:
        yield cache


@pytest.fixture(params=[_sealed, _in_memory], ids=["sealed", "memory"])
async def cache(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cache]:
    open_one: OpenCache = request.param
    async with open_one(tmp_path) as cache:
        yield cache


async def test_the_last_word_of_central_is_recalled(cache: Cache) -> None:
    """An identity, then a refusal: the counter is given the later one, whole."""
    known = CachedAnswer(IDENTITY, None, NOON)
    refused = CachedAnswer(None, Reason.CARD_CANCELLED, NOON)
    assert await cache.recall(b"t" * 32) is None
    await cache.remember(b"t" * 32, known)
    assert await cache.recall(b"t" * 32) == known
    await cache.remember(b"t" * 32, refused)
    assert await cache.recall(b"t" * 32) == refused


async def test_tokens_do_not_share_answers(cache: Cache) -> None:
    """One card's answer is never another's."""
    await cache.remember(b"t" * 32, CachedAnswer(IDENTITY, None, NOON))
    assert await cache.recall(b"u" * 32) is None
