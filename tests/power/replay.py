"""A log of ``write_log.c``, and what a power cut leaves of the files in the worst case.

A file has what was written before its last sync was called, and nothing later; or, where asked, any
of what was written later, in any order, as a disk's cache may have it. A new file is there once it
was synced, a rename or removal once its directory was: before, either way.
"""

import random
import struct
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct("=IIQQQ")


class Kind(IntEnum):
    """As in ``write_log.c``."""

    CREATED = 1
    WRITTEN = 2
    TRUNCATED = 3
    SYNCED = 4
    RENAMED = 5
    UNLINKED = 6


class Entry(NamedTuple):
    """One call; ``end`` is where it ends in the log, in bytes."""

    kind: Kind
    path: str
    offset: int
    data: bytes
    before: int
    end: int


def read_entries(log: Path) -> list[Entry]:
    """Every whole entry."""
    return list(_parse(log.read_bytes()))


def _parse(log: bytes) -> Iterator[Entry]:
    at = 0
    while at + _HEADER.size <= len(log):
        kind, path_bytes, offset, data_bytes, before = _HEADER.unpack_from(log, at)
        at += _HEADER.size
        end = at + path_bytes + data_bytes
        if end > len(log):
            return
        path = log[at : at + path_bytes].decode()
        yield Entry(Kind(kind), path, offset, log[at + path_bytes : end], before, end)
        at = end


class _File:
    """What is durable of one file, and what was done to it since."""

    def __init__(self, durable: bytes = b"") -> None:
        self.durable = bytearray(durable)
        self.later: list[tuple[int, Entry]] = []

    def sync(self, before: int) -> None:
        """All that was there when the sync was called is durable."""
        for number, entry in self.later:
            if number < before:
                _apply(self.durable, entry)
        self.later = [(number, entry) for number, entry in self.later if number >= before]


def _apply(content: bytearray, entry: Entry) -> None:
    if entry.kind is Kind.TRUNCATED:
        del content[entry.offset :]
        content.extend(bytes(max(0, entry.offset - len(content))))
    else:
        content.extend(bytes(max(0, entry.offset - len(content))))
        content[entry.offset : entry.offset + len(entry.data)] = entry.data


class Replay:
    """The files at one cut after another, each later than the one before."""

    def __init__(self, directory: Path, base: Path, entries: list[Entry]) -> None:
        """``directory`` is what the log's paths are below, ``base`` a copy of it from before."""
        self._directory = directory
        self._entries = entries
        self._done = 0
        self._names = {
            str(path.relative_to(base)): _File(path.read_bytes())
            for path in base.rglob("*")
            if path.is_file()
        }
        self._durable_names = dict(self._names)

    def cut_after(self, count: int, out: Path, chance: random.Random | None = None) -> None:
        """Write to ``out`` what is left when the power goes after so many entries.

        With ``chance``, any of what was not synced is there too.
        """
        for number in range(self._done, count):
            self._take(number, self._entries[number])
        self._done = max(self._done, count)
        names = self._durable_names
        if chance is not None and chance.random() < 0.5:
            names = self._names
        for name, file in names.items():
            if name.endswith("-shm"):
                continue
            content = bytearray(file.durable)
            if chance is not None:
                for _, entry in file.later:
                    if chance.random() < 0.5:
                        _apply(content, entry)
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)

    def _take(self, number: int, entry: Entry) -> None:
        name = self._name(entry.path)
        if entry.kind is Kind.SYNCED:
            if name in self._names:
                self._names[name].sync(entry.before)
                self._durable_names[name] = self._names[name]
            else:
                self._sync_names(name)
        elif entry.kind is Kind.CREATED:
            self._names[name] = _File()
        elif entry.kind is Kind.RENAMED:
            self._names[self._name(entry.data.decode())] = self._names.pop(name)
        elif entry.kind is Kind.UNLINKED:
            self._names.pop(name, None)
        elif name in self._names:
            self._names[name].later.append((number, entry))

    def _sync_names(self, directory: str) -> None:
        """What is below a directory bears its names from now on."""

        def is_below(name: str) -> bool:
            return str(Path(name).parent) == (directory or ".")

        kept = {name: file for name, file in self._durable_names.items() if not is_below(name)}
        now = {name: file for name, file in self._names.items() if is_below(name)}
        self._durable_names = kept | now

    def _name(self, path: str) -> str:
        relative = Path(path).relative_to(self._directory)
        return "" if relative == Path() else str(relative)
