"""The sealed cache: survives a restart, tells nothing, ages, stays small, and never stands in the
way of a scan."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from agent.cache.answers import open_cache
from agent.cache.sealed_file import CacheState
from agent.ports import CachedAnswer
from shared.clock import ManualClock
from shared.errors import Refused
from shared.reasons import Reason
from tests.factories import IDENTITY
from tests.fakes import NOON

TOKEN = b"k" * 32
ANSWER = CachedAnswer(IDENTITY, None, NOON)


class Place:
    """Where a box keeps its cache."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "cache.db"
        self.key = directory / "cache.key"
        self.clock = ManualClock(NOON)

    def all_bytes(self) -> bytes:
        """Everything on the disk."""
        return b"".join(file.read_bytes() for file in self.file.parent.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def _fill(place: Place) -> None:
    async with open_cache(place.file, place.key, place.clock) as cache:
        assert cache.state == CacheState.READY
        await cache.remember(TOKEN, ANSWER)


async def test_an_answer_survives_a_restart(place: Place) -> None:
    """Identity and refusal both come back as they were; the last word counts."""
    await _fill(place)
    refusal = CachedAnswer(None, Reason.CARD_SUSPENDED, NOON)
    async with open_cache(place.file, place.key, place.clock) as cache:
        assert cache.state == CacheState.READY
        assert await cache.recall(TOKEN) == ANSWER
        assert await cache.recall(b"x" * 32) is None
        await cache.remember(TOKEN, refusal)
        assert await cache.recall(TOKEN) == refusal


async def test_key_and_file_are_private_and_tell_nothing(place: Place) -> None:
    """The key is made at first use, 32 bytes, 0600; no value of an identity is on the disk."""
    async with open_cache(place.file, place.key, place.clock) as cache:
        await cache.remember(TOKEN, ANSWER)
        modes = {file.stat().st_mode & 0o777 for file in place.file.parent.iterdir()}
        stored = place.all_bytes()
    assert modes == {0o600}
    assert len(place.key.read_bytes()) == 32
    for value in (IDENTITY.name, IDENTITY.document, IDENTITY.patient_id):
        assert value.encode() not in stored


async def test_an_answer_ages(place: Place) -> None:
    """Not recalled after its time to live, nor when a clock that jumped makes its age unknown."""
    async with open_cache(place.file, place.key, place.clock, ttl=timedelta(hours=1)) as cache:
        await cache.remember(TOKEN, ANSWER)
        place.clock.set_wall(NOON + timedelta(minutes=59))
        assert await cache.recall(TOKEN) == ANSWER
        place.clock.set_wall(NOON + timedelta(minutes=60))
        assert await cache.recall(TOKEN) is None
        place.clock.set_wall(NOON - timedelta(days=365))
        assert await cache.recall(TOKEN) is None
        place.clock.set_wall(NOON - timedelta(minutes=2))
        assert await cache.recall(TOKEN) == ANSWER


async def test_the_oldest_make_room(place: Place) -> None:
    """Bounded by number; what central said last stays."""
    async with open_cache(place.file, place.key, place.clock, limit=3) as cache:
        for number in range(5):
            answered_at = NOON + timedelta(seconds=number)
            await cache.remember(bytes([number]) * 32, CachedAnswer(IDENTITY, None, answered_at))
        await cache.flush()
        kept = [await cache.recall(bytes([number]) * 32) is not None for number in range(5)]
    assert kept == [False, False, True, True, True]


async def test_under_another_key_the_cache_is_empty_and_says_so(place: Place) -> None:
    """A box with a new key cannot read the old answers, and does not keep them."""
    await _fill(place)
    place.key.unlink()
    async with open_cache(place.file, place.key, place.clock) as cache:
        assert cache.state == CacheState.KEY_CHANGED
        assert await cache.recall(TOKEN) is None
        await cache.remember(TOKEN, ANSWER)
    async with open_cache(place.file, place.key, place.clock) as cache:
        assert cache.state == CacheState.READY
        assert await cache.recall(TOKEN) == ANSWER


async def test_a_key_cut_short_is_made_anew(place: Place) -> None:
    """A power cut during the first start must not stop every later one."""
    await _fill(place)
    place.key.write_bytes(b"short")
    async with open_cache(place.file, place.key, place.clock) as cache:
        assert cache.state == CacheState.KEY_CHANGED
    assert len(place.key.read_bytes()) == 32
    assert place.key.stat().st_mode & 0o777 == 0o600


async def test_a_key_that_others_may_read_is_refused(place: Place) -> None:
    """A mistake of installation, said at installation."""
    await _fill(place)
    place.key.chmod(0o644)
    with pytest.raises(Refused, match=Reason.CONFIG_MALFORMED):
        async with open_cache(place.file, place.key, place.clock):
            pass


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "noise": lambda content: bytes(range(256)) * 32,
    "truncated": lambda content: content[:5000],
    "first-page": lambda content: content[:40] + b"\xff" * 4000 + content[4040:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_a_damaged_file_is_begun_anew_and_says_so(
    place: Place, damage: Callable[[bytes], bytes]
) -> None:
    """Comfort is lost, nothing else: the next answer is remembered."""
    await _fill(place)
    place.file.write_bytes(damage(place.file.read_bytes()))
    async with open_cache(place.file, place.key, place.clock) as cache:
        assert cache.state == CacheState.REBUILT
        assert await cache.recall(TOKEN) is None
        await cache.remember(TOKEN, ANSWER)
        assert await cache.recall(TOKEN) == ANSWER


async def test_a_spoilt_entry_is_not_believed(place: Place) -> None:
    """A sealed answer moved to another card's token does not open; the rest still does."""
    other = b"o" * 32
    async with open_cache(place.file, place.key, place.clock) as cache:
        await cache.remember(TOKEN, ANSWER)
        await cache.remember(other, ANSWER)
        await cache.flush()
        _move(place.file, TOKEN, b"m" * 32)
        assert await cache.recall(b"m" * 32) is None
        spoilt = cache.state
        assert await cache.recall(other) == ANSWER
        assert (spoilt, cache.state) == (CacheState.LOST, CacheState.READY)


def _move(file: Path, old: bytes, new: bytes) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE answer SET token = ? WHERE token = ?", (new, old))


async def test_without_a_disk_the_box_goes_on(tmp_path: Path) -> None:
    """Neither file nor key can be made: nothing is remembered, nothing is raised."""
    nowhere = Place(tmp_path / "nowhere")
    async with open_cache(nowhere.file, nowhere.key, nowhere.clock) as cache:
        assert cache.state == CacheState.LOST
        await cache.remember(TOKEN, ANSWER)
        assert await cache.recall(TOKEN) is None
