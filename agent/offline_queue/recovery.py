"""Reads a quarantined queue: what proves itself of it, in the ledger's order, each row judged.

Blocking, and slow for a large file: for a thread. Changes nothing but a scratch file of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.offline_queue.pages import PageFile, Record
from agent.offline_queue.quarantine import Aside
from agent.offline_queue.remains import (
    SavedCode,
    SavedEpoch,
    SavedRow,
    judge_state,
    parse_anchor,
    parse_code,
    parse_encapsulation,
    parse_epoch,
    parse_row,
)
from agent.offline_queue.salvage_store import Scratch
from agent.offline_queue.store import Kept
from shared.crypto import Suite
from shared.ids import BoxId
from shared.ledger import Head, Mark, genesis_head
from shared.sealing import Encapsulation

_LEAST_ROW_BYTES = 100
"""No row is shorter on disk: a noted head far beyond what the file could hold is noise."""


@dataclass
class Recovery:
    """One quarantined file, read. ``ended`` are the epochs that went with it, each with the head
    that is known of it."""

    box: BoxId
    suite: Suite
    scratch: Scratch
    keys: list[Encapsulation] = field(default_factory=list)
    codes: list[SavedCode] = field(default_factory=list)
    ended: dict[int, Head] = field(default_factory=dict)
    anchors: dict[int, Kept] = field(default_factory=dict)
    _noted: dict[int, SavedEpoch] = field(default_factory=dict)
    _kept: dict[int, Kept] = field(default_factory=dict)
    _epochs: frozenset[int] = frozenset()

    def rows(self) -> Iterator[SavedRow]:
        """What can be put back, oldest first, in the state it is to have.

        A row whose link contradicts the one before it is of another place, and left out.
        """
        last: Mark | None = None
        for row in self.scratch.rows():
            mark = row.mark
            if mark.seq <= self.start(mark.epoch).seq:
                continue
            expected = self._expected(mark, last)
            if mark.epoch not in self._epochs or mark.prev != expected:
                continue
            last = mark
            noted = self._noted.get(mark.epoch)
            named = self.scratch.is_namer(row.tombstone)
            yield row._replace(state=judge_state(row, noted.floor if noted else 0, named))

    def _expected(self, mark: Mark, last: Mark | None) -> bytes | None:
        if last is not None and last.epoch == mark.epoch and last.seq >= mark.seq - 1:
            return last.hash if last.seq == mark.seq - 1 else None
        start = self.start(mark.epoch)
        return start.hash if mark.seq == start.seq + 1 else mark.prev

    def start(self, epoch: int) -> Head:
        """Before an epoch's first row: its genesis, or where rows were pruned up to."""
        kept = self.anchors.get(epoch)
        return kept.start if kept else genesis_head(self.suite, self.box, epoch)

    def close(self) -> None:
        """Let the scratch file go."""
        self.scratch.close()

    def take(self, record: Record) -> None:
        """Keep whatever this is of ours."""
        if row := parse_row(self.suite, record):
            self.scratch.save(row)
        elif key := parse_encapsulation(self.suite, record):
            self.keys.append(key)
        elif code := parse_code(record):
            self.codes.append(code)
        elif epoch := parse_epoch(self.box, self.suite, record):
            self._noted.setdefault(epoch.head.epoch, epoch)
        elif kept := parse_anchor(record):
            self._kept.setdefault(kept.head.epoch, kept)

    def conclude(self, epochs: frozenset[int], following: int, size: int) -> None:
        """Find out how far each epoch had got. ``epochs`` have begun here, and none from
        ``following`` on; ``size`` is the file's, in bytes."""
        self._epochs = epochs | {number for number in self._noted if 0 < number < following}
        # Where rows were pruned is believed only if the first of the others says the same.
        self.anchors = {
            number: kept
            for number, kept in self._kept.items()
            if number in self._epochs and self.scratch.is_linked(kept.start)
        }
        self.ended = {number: self.start(number) for number in self._epochs}
        for row in self.rows():
            self.ended[row.mark.epoch] = Head(row.mark.epoch, row.mark.seq, row.mark.hash)
        for number in self._epochs & self._noted.keys():
            head, noted = self.ended[number], self._noted[number].head
            if head.seq < noted.seq <= head.seq + size // _LEAST_ROW_BYTES:
                self.ended[number] = noted
        self.keys = list(dict.fromkeys(self.keys))
        self.codes = list({code.token: code for code in reversed(self.codes)}.values())


def recover(aside: Aside, box: BoxId, suite: Suite) -> Recovery:
    """Read a quarantined file from its first page to its last.

    Raises OSError, sqlite3.Error (the scratch file's), Damaged and Unavailable as ``Aside``.
    """
    damage = aside.damage
    recovery = Recovery(box, suite, Scratch(aside.folder / "scratch.db"))
    with PageFile(aside.file) as pages:
        for record in pages.records():
            recovery.take(record)
        recovery.conclude(frozenset(damage.epochs), damage.next, pages.size)
    return recovery
