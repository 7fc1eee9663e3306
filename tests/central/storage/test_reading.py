"""Reading beside the writer: a thread of its own, or a glance in the loop; neither can write."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from central.storage.database import Database, open_database
from central.storage.glance import Glances
from central.storage.reader import Reader
from central.storage.writer import Writer
from shared.errors import Unavailable

COUNT = "SELECT count(*) FROM thing"
INSERT = "INSERT INTO thing VALUES (1)"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database("sqlite:///central.db", tmp_path)
    database.execute("CREATE TABLE thing (id INTEGER)")
    yield database
    database.close()


def count(database: Database) -> int:
    return int(database.execute(COUNT).fetchone()[0])


async def test_a_reading_is_of_one_moment(database: Database) -> None:
    """What is committed while somebody reads is seen by the next reading, not by this one."""
    async with Writer(database) as writer, Reader(database) as reader:
        loop = asyncio.get_running_loop()

        def read_twice() -> tuple[int, int]:
            first = count(database)
            write = writer.run(partial(database.execute, INSERT))
            asyncio.run_coroutine_threadsafe(write, loop).result(10)
            return first, count(database)

        assert await reader.run(read_twice) == (0, 0)
        assert await reader.run(partial(count, database)) == 1


async def test_a_reader_cannot_write(database: Database) -> None:
    """A bug in a list changes nothing, and the next reading is as before."""
    async with Reader(database) as reader:
        with pytest.raises(Unavailable):
            await reader.run(partial(database.execute, INSERT))
        assert await reader.run(partial(count, database)) == 0


async def test_a_glance_lasts_one_turn(database: Database) -> None:
    """Whoever was told that a write is durable finds it; the loop itself cannot write."""
    async with Writer(database) as writer:
        glances = Glances(database)
        glances.glance()
        glances.glance()
        assert count(database) == 0
        await writer.run(partial(database.execute, INSERT))
        glances.glance()
        assert count(database) == 1
        with pytest.raises(Unavailable):
            database.execute(INSERT)
        await asyncio.sleep(0)
        assert not database.in_unit
