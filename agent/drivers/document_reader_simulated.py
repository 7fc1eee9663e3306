"""A SAM_V module without hardware: a peer at the other end of a serial line, for demos and tests.

It speaks the real frames. What is wrong with it, or with the wire, is set from outside.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import xor

from agent.drivers.sam_v import (
    FIND,
    PREAMBLE,
    READ,
    SELECT,
    Answer,
    CardText,
    Status,
    build_card,
)

Wire = Callable[[bytes], Iterable[bytes]]
"""How an answer gets through: the pieces that arrive."""

_COMMAND_BYTES = len(PREAMBLE) + 2 + 3


def whole(answer: bytes) -> Iterable[bytes]:
    """A perfect wire."""
    return (answer,)


@dataclass
class SimulatedSamModule:
    """Answers on the file descriptor of a line's other end, while ``open`` and ``close`` frame it.

    ``silent`` answers nothing; ``pulled`` loses the card between finding and reading.
    """

    fd: int
    wire: Wire = whole
    card: CardText | None = None
    silent: bool = False
    pulled: bool = False

    def __post_init__(self) -> None:
        self._held = bytearray()
        self._found = False  # a card is found once, until it is lifted

    def open(self) -> None:
        """Listen."""
        os.set_blocking(self.fd, False)
        asyncio.get_running_loop().add_reader(self.fd, self._read)

    def close(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_reader(self.fd)

    def lay(self, card: CardText) -> None:
        """A card lies on the reader."""
        self.card, self._found = card, False

    def lift(self) -> None:
        """The card is taken away."""
        self.card = None

    def _read(self) -> None:
        self._held += os.read(self.fd, 4096)
        while len(self._held) >= _COMMAND_BYTES:
            frame = bytes(self._held[:_COMMAND_BYTES])
            del self._held[:_COMMAND_BYTES]
            if self.silent:
                continue
            assert frame.startswith(PREAMBLE)
            assert reduce(xor, frame[len(PREAMBLE) :]) == 0
            for piece in self.wire(self._answer(frame[-3:-1]).to_bytes()):
                os.write(self.fd, piece)

    def _answer(self, command: bytes) -> Answer:
        if command == bytes(FIND) and self.card is not None and not self._found:
            self._found = True
            return Answer(Status.FOUND, bytes(4))
        there = self.card if self._found and not self.pulled else None
        if command == bytes(SELECT) and there is not None:
            return Answer(Status.DONE, bytes(8))
        if command == bytes(READ) and there is not None:
            return Answer(Status.DONE, build_card(there))
        return Answer(Status.NO_CARD if command == bytes(FIND) else Status.NOT_SELECTED, b"")
