"""A disk's log of writes and flushes (QEMU's blklogwrites, dm-log-writes' format), and what a power
cut at one of its entries leaves in the worst case: nothing after the last flush.

Knows sectors, no file system.
"""

import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Linux, Documentation/admin-guide/device-mapper/log-writes.rst and dm-log-writes.c:
# struct log_write_super { __le64 magic; __le64 version; __le64 nr_entries; __le32 sectorsize; }
_SUPER = struct.Struct("<QQQI")
_MAGIC = 0x6A736677736872
# struct log_write_entry { __le64 sector; __le64 nr_sectors; __le64 flags; __le64 data_len; }
_ENTRY = struct.Struct("<QQQQ")
_FLUSH, _FUA, _DISCARD = 1, 2, 4


class Entry(NamedTuple):
    """One write or flush; ``begin`` and ``end`` are its place in the log, in bytes."""

    begin: int
    data: int  # where the written bytes stand in the log
    end: int
    offset: int  # where they belong on the disk
    flags: int

    @property
    def is_durable(self) -> bool:
        """Whether everything written up to here stays when the power goes."""
        return bool(self.flags & (_FLUSH | _FUA))


def read_entries(log: Path) -> list[Entry]:
    """Every whole entry, in the order of writing."""
    return list(_read_entries(log))


def _read_entries(log: Path) -> Iterator[Entry]:
    with log.open("rb") as file:
        magic, _, _, sector_bytes = _SUPER.unpack(file.read(_SUPER.size))
        assert magic == _MAGIC
        size = os.fstat(file.fileno()).st_size
        begin = sector_bytes
        while begin + sector_bytes <= size:
            file.seek(begin)
            sector, sectors, flags, _ = _ENTRY.unpack(file.read(_ENTRY.size))
            data = begin + sector_bytes
            end = data + (0 if flags & _DISCARD else sectors * sector_bytes)
            if not (sectors or flags) or end > size:
                return
            yield Entry(begin, data, end, sector * sector_bytes, flags)
            begin = end


class Replay:
    """The disk at one cut after another, each later than the one before."""

    def __init__(self, base: Path, log: Path, entries: list[Entry], image: Path) -> None:
        """``base`` is the disk before the log, ``image`` the file to build in."""
        self._log = log
        self._entries = entries
        self._image = image
        self._done = 0
        shutil.copyfile(base, image)

    def cut_after(self, count: int, out: Path) -> None:
        """Write to ``out`` what is left when the power goes after so many entries."""
        durable = [
            number for number in range(self._done, count) if self._entries[number].is_durable
        ]
        upto = durable[-1] + 1 if durable else self._done
        with self._log.open("rb") as log, self._image.open("r+b") as image:
            for entry in self._entries[self._done : upto]:
                log.seek(entry.data)
                image.seek(entry.offset)
                image.write(log.read(entry.end - entry.data))
        self._done = upto
        shutil.copyfile(self._image, out)
