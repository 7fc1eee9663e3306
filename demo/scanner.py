"""A scanner pad made of a pseudo-terminal: the box opens one end, the demonstration types."""

import os
import tty
from pathlib import Path
from types import TracebackType
from typing import Self


class PtyScanner:
    """What a serial scanner looks like from the box's side; use as a context manager."""

    def __init__(self) -> None:
        self._master = -1
        self._slave = -1

    def __enter__(self) -> Self:
        # Our own slave end stays open: the line must not hang up when the box closes its end.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._master)
        os.close(self._slave)

    @property
    def path(self) -> Path:
        """The device the box opens."""
        return Path(os.ttyname(self._slave))

    def scan(self, text: str) -> None:
        """Send one code as scanners do: the text, then a carriage return."""
        os.write(self._master, text.encode() + b"\r")
