"""What waits for workstations that listen now: in memory, bounded, and for ten seconds at most.

A text that is no code of ours is nowhere else in the box. Nobody who does not listen is kept
anything for: typed minutes later, it would land in the wrong patient's form.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.clock import Clock

KEEP_SECONDS = 10.0
MOST_WAITING = 64
MOST_MAILBOXES = 32


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as JSON."""

    number: int
    body: bytes = field(repr=False)
    until_ns: int


class Mailbox:
    """One listener's letters, in order, until they are taken or too old."""

    def __init__(self, owner: str, clock: Clock) -> None:
        self.owner = owner  # a workstation's id
        self.heard_ns = clock.monotonic_ns()
        self.waiting = 0  # takers at this moment
        self._clock = clock
        self._letters: deque[Letter] = deque(maxlen=MOST_WAITING)
        self._came = asyncio.Event()

    def put(self, letter: Letter) -> None:
        """One more; of too many the oldest is dropped."""
        self._letters.append(letter)
        self._came.set()

    def drop_old(self) -> None:
        """Forget what nobody took in time."""
        now = self._clock.monotonic_ns()
        while self._letters and self._letters[0].until_ns <= now:
            self._letters.popleft()

    async def take(self, after: int, seconds: float) -> list[Letter]:
        """Letters with a number above ``after``, which acknowledges the others; none after so
        long."""
        while self._letters and self._letters[0].number <= after:
            self._letters.popleft()
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self.drop_old()
                    if self._letters:
                        return list(self._letters)
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return []
        finally:
            self.waiting -= 1
            self.heard_ns = self._clock.monotonic_ns()


class Post:
    """All mailboxes: those of open connections, and one for each workstation that asks again and
    again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: list[Mailbox] = []
        self._asked: dict[str, Mailbox] = {}
        self.last = 0
        """The number of the latest letter."""

    @contextmanager
    def listening(self, owner: str) -> Iterator[Mailbox]:
        """A mailbox for as long as a connection lasts."""
        mailbox = Mailbox(owner, self._clock)
        self._open.append(mailbox)
        try:
            yield mailbox
        finally:
            self._open.remove(mailbox)

    def asking(self, owner: str) -> Mailbox:
        """The mailbox of a workstation that asks: kept while it asks again within ten seconds."""
        self._forget_silent()
        return self._asked.setdefault(owner, Mailbox(owner, self._clock))

    @property
    def is_full(self) -> bool:
        """Whether no more connections may listen."""
        return len(self._open) >= MOST_MAILBOXES

    def tell(self, body: bytes) -> int:
        """Give everyone who listens a message; how many workstations these are."""
        self._forget_silent()
        mailboxes = [*self._open, *self._asked.values()]
        if not mailboxes:
            return 0
        self.last += 1
        until = self._clock.monotonic_ns() + int(KEEP_SECONDS * 1_000_000_000)
        letter = Letter(self.last, body, until)
        for mailbox in mailboxes:
            mailbox.put(letter)
        asyncio.get_running_loop().call_later(KEEP_SECONDS + 0.1, self._drop_old)
        return len({mailbox.owner for mailbox in mailboxes})

    def forget(self, owner: str) -> None:
        """Nothing waits for this workstation any more."""
        self._asked.pop(owner, None)

    def _drop_old(self) -> None:
        for mailbox in (*self._open, *self._asked.values()):
            mailbox.drop_old()

    def _forget_silent(self) -> None:
        now = self._clock.monotonic_ns()
        keep_ns = int(KEEP_SECONDS * 1_000_000_000)
        self._asked = {
            owner: each
            for owner, each in self._asked.items()
            if each.waiting or now - each.heard_ns < keep_ns
        }
