"""A scanner on a real pseudo-terminal: tests write to one end, the driver opens the other."""

import os
import tty
from pathlib import Path


class Pseudoterminal:
    """Plugged in and pulled at one path, as a device with a stable name is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fds: list[int] = []

    def plug_in(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        self.path.symlink_to(os.ttyname(slave))
        self._fds = [master, slave]

    @property
    def master(self) -> int:
        """The other end, while plugged in."""
        return self._fds[0]

    def write(self, data: bytes) -> None:
        assert os.write(self._fds[0], data) == len(data)

    def pull(self) -> None:
        self.path.unlink()
        self.close()

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)
        self._fds = []
