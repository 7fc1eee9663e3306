"""Disk space set aside beside the queue: on a full disk the patient at the counter can finish.

A file that is really allocated, and given back to the disk piece by piece when a commit finds it
full. It is filled again by itself once there is room. The last quarter is for what is dear.
"""

import os
from pathlib import Path

RESERVE_BYTES = 8 << 20
"""Some ten thousand records."""
_PIECES = 16
_DEAR_SHARE = 4
_ROOM_FOR_REFILL = 4
"""Filled again when the disk has so many times its size: not to be given back a moment later."""


class Reserve:
    """Belongs to whoever holds the journal. Never raises: without it, the disk is just smaller."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size
        self._left = _allocated(path)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is in use."""
        return self._left >= self._size

    def fill(self) -> None:
        """Allocate what is missing, where the disk has plenty."""
        if self.is_whole:
            return
        try:
            room = os.statvfs(self._path.parent)
            if room.f_bavail * room.f_frsize < self._size * _ROOM_FOR_REFILL:
                return
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, self._size)
            finally:
                os.close(file)
        except OSError:
            return
        self._left = _allocated(self._path)

    def give(self, *, dear: bool) -> bool:
        """Give a piece back to the disk; whether there was one for this purpose."""
        kept = 0 if dear else self._size // _DEAR_SHARE
        left = max(kept, self._left - self._size // _PIECES)
        if left >= self._left:
            return False
        try:
            os.truncate(self._path, left)
        except OSError:
            return False
        self._left = left
        return True


def _allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0
