"""Reads records out of the pages of an SQLite file, however damaged, without SQLite.

The file's own trees are not followed, for whatever leads to a page may be gone: every page is
taken as a leaf or an inner page of some table, newest version first, and whatever decodes is
handed on. Whether it is what was written is for the rows' own hashes to say. Only reads; the
layout is SQLite's (fileformat2, sections 1.6, 2.1 and 4).
"""

import os
import struct
from collections.abc import Iterator
from functools import cache
from operator import mul
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

Value = None | int | bytes | str
Record = tuple[Value, ...]

PAGE_BYTES = 4096
"""What SQLite gives a new file, and so every queue."""
_HEADER_BYTES = 100
"""Of the file, at the start of the first page."""
_WAL_HEADER = struct.Struct(">8I")
_FRAME_HEADER = struct.Struct(">6I")
_WAL_MAGIC = 0x377F0682
_INDEX_INNER, _INDEX_LEAF, _TABLE_LEAF = 2, 10, 13
_WORD = 0xFFFFFFFF
_MOST_BYTES = 1 << 20
"""No record of ours is longer: a body has 64 KiB at the most."""
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class Frame(NamedTuple):
    """A page in the write-ahead log: where its content begins, and whether it ends a commit."""

    page: int
    offset: int
    commits: bool
    valid: bool  # SQLite reads it: every checksum up to here is right


class PageFile:
    """A database file and its write-ahead log, opened to read. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._database = os.open(path, os.O_RDONLY) if path.exists() else None
        wal = path.with_name(path.name + "-wal")
        self._wal = os.open(wal, os.O_RDONLY) if wal.exists() else None
        self.pages = -(-_size(self._database) // PAGE_BYTES)
        self.frames = tuple(self._read_frames())
        self._newest = {frame.page: frame.offset for frame in self.frames}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for file in (self._database, self._wal):
            if file is not None:
                os.close(file)

    @property
    def size(self) -> int:
        """How long file and log are together."""
        return _size(self._database) + _size(self._wal)

    @property
    def unread_commits(self) -> int:
        """Commits in the log of which SQLite reads nothing, for a checksum before them is wrong.

        One may be a commit that a power cut tore; nobody heard of it. More were promised.
        """
        return sum(frame.commits and not frame.valid for frame in self.frames)

    def records(self) -> Iterator[Record]:
        """Every record that decodes, the newest version of each first."""
        for frame in reversed(self.frames):
            yield from self._records_of(frame.page, self._from_log(frame.offset))
        for page in range(1, self.pages + 1):
            yield from self._records_of(page, self._from_file(page))

    def _records_of(self, number: int, page: bytes) -> Iterator[Record]:
        start = _HEADER_BYTES if number == 1 else 0
        kind = page[start]
        # A page whose first byte is no kind may be a damaged leaf: nothing is lost by trying.
        kind = kind if kind in {_INDEX_INNER, _TABLE_LEAF} else _INDEX_LEAF
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        first = start + (12 if kind == _INDEX_INNER else 8)
        for at in range(first, min(first + 2 * count, PAGE_BYTES - 1), 2):
            cell = int.from_bytes(page[at : at + 2], "big")
            try:
                yield self._read_cell(page, cell, kind)
            except (IndexError, ValueError, struct.error):
                continue

    def _read_cell(self, page: bytes, at: int, kind: int) -> Record:
        if kind == _INDEX_INNER:
            at += 4
        length, at = _varint(page, at)
        row = None
        if kind == _TABLE_LEAF:
            row, at = _varint(page, at)
        if length > _MOST_BYTES:
            raise ValueError(length)
        local = _local_bytes(length, kind)
        payload = page[at : at + local]
        if local < length:
            following = int.from_bytes(page[at + local : at + local + 4], "big")
            payload += self._read_overflow(following, length - local)
        record = _decode(payload)
        return record if row is None else (row, *record[1:])

    def _read_overflow(self, page: int, length: int) -> bytes:
        parts = []
        while length > 0:
            offset = self._newest.get(page)
            content = self._from_file(page) if offset is None else self._from_log(offset)
            parts.append(content[4 : 4 + length])
            length -= len(parts[-1])
            page = int.from_bytes(content[:4], "big")
        return b"".join(parts)

    def _from_file(self, page: int) -> bytes:
        return _read(self._database, (page - 1) * PAGE_BYTES)

    def _from_log(self, offset: int) -> bytes:
        return _read(self._wal, offset)

    def _read_frames(self) -> Iterator[Frame]:
        """The frames of the log's present round: earlier ones have two other salts. Where the
        log's own header is damaged, the first frame says which round it is."""
        size = _size(self._wal)
        if self._wal is None or size < _WAL_HEADER.size + _FRAME_HEADER.size:
            return
        header = os.pread(self._wal, _WAL_HEADER.size, 0)
        magic, _, page_bytes, _, *salts, sum1, sum2 = _WAL_HEADER.unpack(header)
        order = ">" if magic & 1 else "<"
        sums = _checksum(order, header[:24], 0, 0)
        valid = magic & ~1 == _WAL_MAGIC and sums == (sum1, sum2) and page_bytes == PAGE_BYTES
        if not valid:
            first = os.pread(self._wal, _FRAME_HEADER.size, _WAL_HEADER.size)
            salts = list(_FRAME_HEADER.unpack(first)[2:4])
        step = _FRAME_HEADER.size + PAGE_BYTES
        for at in range(_WAL_HEADER.size, size - step + 1, step):
            frame = os.pread(self._wal, step, at)
            page, pages, *frame_salts, sum1, sum2 = _FRAME_HEADER.unpack(frame[:24])
            if valid:
                sums = _checksum(order, frame[:8] + frame[24:], *sums)
                valid = frame_salts == salts and sums == (sum1, sum2)
            if page and (valid or any(a == b for a, b in zip(salts, frame_salts, strict=True))):
                yield Frame(page, at + _FRAME_HEADER.size, pages != 0, valid)


def _read(file: int | None, offset: int) -> bytes:
    if file is None or offset < 0:
        raise ValueError(offset)
    try:
        content = os.pread(file, PAGE_BYTES, offset)
    except OSError:  # a sector that cannot be read: its page is lost, and no other
        content = b""
    return content.ljust(PAGE_BYTES, b"\0")


def _size(file: int | None) -> int:
    return 0 if file is None else os.fstat(file).st_size


def _checksum(order: str, data: bytes, first: int, second: int) -> tuple[int, int]:
    """SQLite's own, which goes on from one frame to the next (fileformat2, section 4.2).

    It is linear: each word counts with a factor that its place alone decides. So a frame is two
    sums of products instead of a thousand steps, and a log of 32 MB is checked in a second.
    """
    words = (first, second, *struct.unpack(f"{order}{len(data) // 4}I", data))
    ones, others = _factors(len(words))
    return sum(map(mul, ones, words)) & _WORD, sum(map(mul, others, words)) & _WORD


@cache
def _factors(count: int) -> tuple[list[int], list[int]]:
    """How often each of two sums and of the words behind them is in the next two sums."""
    ones, others = [0] * count, [0] * count
    # Backwards: what the two sums before a pair of words contribute to the end.
    one_of_first, other_of_first, one_of_second, other_of_second = 1, 0, 0, 1
    for at in range(count - 2, 0, -2):
        # first' = first + even + second;  second' = second + odd + first'
        ones[at + 1], others[at + 1] = one_of_second, other_of_second
        one_of_first = (one_of_first + one_of_second) & _WORD
        other_of_first = (other_of_first + other_of_second) & _WORD
        ones[at], others[at] = one_of_first, other_of_first
        one_of_second = (one_of_second + one_of_first) & _WORD
        other_of_second = (other_of_second + other_of_first) & _WORD
    ones[0], others[0] = one_of_first, other_of_first
    ones[1], others[1] = one_of_second, other_of_second
    return ones, others


def _local_bytes(length: int, kind: int) -> int:
    """How much of a payload lies in the page itself; the rest overflows."""
    most = PAGE_BYTES - 35 if kind == _TABLE_LEAF else (PAGE_BYTES - 12) * 64 // 255 - 23
    if length <= most:
        return length
    least = (PAGE_BYTES - 12) * 32 // 255 - 23
    local = least + (length - least) % (PAGE_BYTES - 4)
    return local if local <= most else least


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(8):
        byte = data[at + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    return value << 8 | data[at + 8], at + 9


def _decode(payload: bytes) -> Record:
    """The values of a record. Raises IndexError, ValueError for what is none."""
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        width = _INTEGERS.get(kind, 0) if kind < 12 else (kind - 12) // 2
        content = payload[at : at + width]
        if len(content) != width or kind in {7, 10, 11}:
            raise ValueError(kind)
        at += width
        if kind >= 12:
            values.append(content.decode() if kind % 2 else content)
        elif kind == 0:
            values.append(None)
        else:
            values.append(
                kind - 8 if kind in {8, 9} else int.from_bytes(content, "big", signed=True)
            )
    return tuple(values)
