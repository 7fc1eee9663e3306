"""Reads that may take long: one thread with a connection of its own, which cannot write.

Each piece of work sees the database as it stood at one moment, and holds up no writer.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Self, TypeVar

from central.storage.database import Database

T = TypeVar("T")


class Reader(AbstractAsyncContextManager["Reader"]):
    """Use as ``async with Reader(database) as reader``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "central-reader", self._database.make_read_only)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._loop.run_in_executor(self._thread, self._database.close)
        await asyncio.to_thread(self._thread.shutdown)

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` in the reader's thread; its result. Raises what it raised."""
        return await self._loop.run_in_executor(self._thread, partial(self._read, work))

    def _read(self, work: Callable[[], T]) -> T:
        with self._database.moment():
            return work()
