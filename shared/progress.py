"""How far a long command is, on a terminal's last line; nothing where nobody looks."""

import sys


class Progress:
    """Counts on standard error; ``end`` wipes the line."""

    def __init__(self, words: str, every: int = 1000) -> None:
        self._words = words
        self._every = every
        self._shown = sys.stderr.isatty()
        self.count = 0

    def add(self, some: int = 1) -> None:
        """So much more is done."""
        before, self.count = self.count, self.count + some
        if self._shown and before // self._every != self.count // self._every:
            print(f"\r{self._words} {self.count}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """All is done."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
