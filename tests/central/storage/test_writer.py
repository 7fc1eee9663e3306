"""The writer: group commit, isolation of what fails, and a stop that drains."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import peewee
import pytest

from central.storage.database import Database, open_database
from central.storage.writer import Writer
from shared.errors import Refused, Unavailable
from shared.reasons import Reason


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database("sqlite:///central.db", tmp_path)
    database.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY)")
    yield database
    database.close()


class Works:
    """Pieces of work, and a gate that holds the writer's thread inside the first."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.entered = threading.Event()
        self.gate = threading.Event()

    def hold(self) -> None:
        self.entered.set()
        assert self.gate.wait(10)

    def insert(self, id: int) -> int:
        self.database.execute("INSERT INTO thing (id) VALUES (?)", (id,))
        return id

    def insert_and_refuse(self, id: int) -> int:
        self.insert(id)
        raise Refused(Reason.RECORD_POISON)

    def stored(self) -> list[int]:
        return [row[0] for row in self.database.execute("SELECT id FROM thing ORDER BY id")]


async def run_behind(
    writer: Writer, works: Works, *pieces: Callable[[], int]
) -> list[int | BaseException]:
    """Queue all pieces while the thread is held in one before them, then let it go."""
    holding = asyncio.create_task(writer.run(works.hold))
    await asyncio.to_thread(works.entered.wait, 10)
    waiting = [asyncio.create_task(writer.run(piece)) for piece in pieces]
    await asyncio.sleep(0)
    works.gate.set()
    await holding
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_one_poisonous_member_is_alone(database: Database) -> None:
    """It is rolled back and hears its own error; the others of its group commit."""
    works = Works(database)
    async with Writer(database) as writer:
        results = await run_behind(
            writer,
            works,
            partial(works.insert, 1),
            partial(works.insert_and_refuse, 2),
            partial(works.insert, 1),
            partial(works.insert, 3),
        )
    assert [results[0], results[3]] == [1, 3]
    assert isinstance(results[1], Refused)
    assert isinstance(results[2], peewee.IntegrityError)
    assert works.stored() == [1, 3]


async def test_what_waits_goes_in_one_transaction(database: Database) -> None:
    """Units that queue up behind a commit are committed together."""
    works = Works(database)
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    def watch() -> None:
        database.connection.set_trace_callback(count)

    async with Writer(database) as writer:
        await writer.run(watch)
        commits = 0
        pieces = [partial(works.insert, id) for id in range(99)]
        assert await run_behind(writer, works, *pieces) == list(range(99))
    assert commits == 2


async def test_a_failed_commit_fails_every_member(database: Database) -> None:
    """Nobody hears of success that is not durable."""
    works = Works(database)
    database.execute("CREATE TABLE child (id REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED)")

    def orphan() -> int:
        database.execute("INSERT INTO child (id) VALUES (7)")
        return 7

    async with Writer(database) as writer:
        results = await run_behind(writer, works, partial(works.insert, 1), orphan)
        assert all(isinstance(result, peewee.IntegrityError) for result in results)
        assert await writer.run(partial(works.insert, 5)) == 5
    assert works.stored() == [5]


async def test_a_lost_transaction_is_not_continued(database: Database) -> None:
    """When SQLite gives up the whole transaction, what follows in the group is not committed."""
    works = Works(database)

    def lose() -> int:
        database.execute("ROLLBACK")
        return 0

    async with Writer(database) as writer:
        results = await run_behind(
            writer, works, partial(works.insert, 1), lose, partial(works.insert, 2)
        )
        assert all(isinstance(result, Exception) for result in results)
        assert await writer.run(partial(works.insert, 3)) == 3
    assert works.stored() == [3]


async def test_stopping_drains(database: Database) -> None:
    """What was handed over before the stop is durable after it."""
    works = Works(database)
    async with Writer(database) as writer:
        tasks = [asyncio.create_task(writer.run(partial(works.insert, id))) for id in range(9)]
        await asyncio.sleep(0)
    assert [await task for task in tasks] == list(range(9))
    assert works.stored() == list(range(9))


async def test_a_task_that_no_longer_waits_harms_nobody(database: Database) -> None:
    """A cancelled task's work may still happen; the thread and its neighbours go on."""
    works = Works(database)
    async with Writer(database) as writer:
        holding = asyncio.create_task(writer.run(works.hold))
        await asyncio.to_thread(works.entered.wait, 10)
        gone = asyncio.create_task(writer.run(partial(works.insert, 1)))
        await asyncio.sleep(0)
        gone.cancel()
        works.gate.set()
        await holding
        assert await writer.run(partial(works.insert, 2)) == 2
    assert gone.cancelled()
    assert 2 in works.stored()


async def test_patient_work_lets_prompt_work_go_first(database: Database) -> None:
    """Behind a backlog of batches an ask waits for one of them, not for all."""
    works = Works(database)
    order: list[str] = []
    async with Writer(database) as writer:
        holding = asyncio.create_task(writer.run(works.hold))
        await asyncio.to_thread(works.entered.wait, 10)
        batches = [
            asyncio.create_task(writer.run(partial(order.append, f"batch {n}"), patient=True))
            for n in range(3)
        ]
        asks = [asyncio.create_task(writer.run(partial(order.append, "ask"))) for _ in range(2)]
        await asyncio.sleep(0)
        works.gate.set()
        await asyncio.gather(holding, *batches, *asks)
    assert order == ["ask", "ask", "batch 0", "batch 1", "batch 2"]


async def test_what_waits_has_an_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database stands still patient work is refused, not gathered; prompt work waits."""
    monkeypatch.setattr("central.storage.writer._MOST_PATIENT", 2)
    works = Works(database)
    async with Writer(database) as writer:
        holding = asyncio.create_task(writer.run(works.hold))
        await asyncio.to_thread(works.entered.wait, 10)
        patient = [
            asyncio.create_task(writer.run(partial(works.insert, id), patient=True))
            for id in (1, 2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await writer.run(partial(works.insert, 3), patient=True)
        prompt = asyncio.create_task(writer.run(partial(works.insert, 4)))
        works.gate.set()
        await asyncio.gather(holding, prompt, *patient)
    assert works.stored() == [1, 2, 4]
