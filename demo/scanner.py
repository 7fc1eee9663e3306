"""A scanner pad made of a pseudo-terminal: the box opens one end, the demonstration types."""

import os
import tty
from pathlib import Path
from types import TracebackType
from typing import Self


class PtyScanner:
    """What a serial scanner looks like from the box's side; use as a context manager.

    ``path`` is a link that leads to the terminal while the scanner is plugged in, as the names in
    ``/dev/serial/by-id`` do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master = -1
        self._slave = -1

    def __enter__(self) -> Self:
        self.plug_in()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.pull()

    @property
    def is_plugged_in(self) -> bool:
        """Whether there is a device."""
        return self._master >= 0

    def plug_in(self) -> None:
        """The device is there; again changes nothing."""
        if self.is_plugged_in:
            return
        # Our own slave end stays open: the line must not hang up when the box closes its end.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path.symlink_to(os.ttyname(self._slave))

    def pull(self) -> None:
        """The device is gone, also for whoever has it open; again changes nothing."""
        if not self.is_plugged_in:
            return
        self.path.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def scan(self, text: str) -> None:
        """Send one code as scanners do: the text, then a carriage return."""
        os.write(self._master, text.encode() + b"\r")
