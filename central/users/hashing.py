"""Argon2 beside the loop: in threads, few at once, and no endless queue before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.errors import Refused
from shared.passwords import hash_password, verify_password
from shared.reasons import Reason

_AT_ONCE = 2
_MOST_INSIDE = 64  # two a turn of 25 ms: the last one waits a second


class Hashing:
    """Hashes and verifies; more than a second's worth of work is refused, not gathered."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._inside = 0

    async def hash(self, text: str) -> str:
        """The PHC text of a password or PIN. Raises Refused (TOO_MANY_REQUESTS)."""
        async with self._turn():
            return await asyncio.to_thread(hash_password, text)

    async def verify(self, text: str, phc: str) -> bool:
        """Whether they belong together. Raises Refused (TOO_MANY_REQUESTS)."""
        async with self._turn():
            return await asyncio.to_thread(verify_password, text, phc)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._inside >= _MOST_INSIDE:
            raise Refused(Reason.TOO_MANY_REQUESTS)
        self._inside += 1
        try:
            async with self._room:
                yield
        finally:
            self._inside -= 1
