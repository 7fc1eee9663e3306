"""Opens the queue for its writer, whatever the file is like: a damaged one is set aside, whole,
and a fresh one begins in its place, in an epoch of its own (docs/adr/0020).

Used at every opening, the first and those after a failure. What was in a file set aside comes back
beside the box's work (``salvage.py``): no patient waits for it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.offline_queue.database import take_lock
from agent.offline_queue.inspection import check_files
from agent.offline_queue.journal import Journal, open_journal
from agent.offline_queue.quarantine import Damage, Quarantine
from agent.offline_queue.states import Edge
from shared.clock import Clock, to_microseconds
from shared.crypto import Suite
from shared.errors import Damaged
from shared.ids import BoxId, new_record_id
from shared.ledger import EPOCHS_A_MACHINE


@dataclass
class Opening:
    """How this box's queue is opened. ``epoch`` is the one that central gave this machine."""

    path: Path
    box: BoxId
    epoch: int
    suite: Suite
    central_public: bytes
    clock: Clock
    observe: Callable[[Edge], None]
    _damage: Damaged | None = field(default=None, init=False)

    def __call__(self) -> Journal:
        """Raises Unavailable, and Refused as ``open_journal``; Damaged for a fresh file alone."""
        quarantine = Quarantine(self.path)
        with self._locked():
            quarantine.finish()
            chosen, begun = self._choose(quarantine)
            try:
                if self._damage is not None:
                    raise self._damage
                check_files(self.path, begun if chosen in begun else ())
            except Damaged as error:
                chosen = self._set_aside(quarantine, error)
        try:
            journal = self._open(chosen)
        except Damaged as error:
            with self._locked():
                chosen = self._set_aside(quarantine, error)
            journal = self._open(chosen)
        quarantine.note_epochs(str(self.box), list(journal.standings))
        return journal

    def note_damage(self, error: Damaged) -> None:
        """The open file is damaged: the next opening sets it aside."""
        self._damage = error

    def _choose(self, quarantine: Quarantine) -> tuple[int, tuple[int, ...]]:
        """The epoch to write in, and those that have begun here."""
        begun = quarantine.read_epochs(str(self.box))
        damages = (aside.damage for aside in quarantine.list_aside())
        nexts = [damage.next for damage in damages if damage.box == str(self.box)]
        own = range(self.epoch, self.epoch + EPOCHS_A_MACHINE)
        return max([self.epoch, *(each for each in (*begun, *nexts) if each in own)]), begun

    def _set_aside(self, quarantine: Quarantine, error: Damaged) -> int:
        """Move the file away; the epoch that begins in its place."""
        now = self.clock.now()
        last, begun = self._choose(quarantine)
        damage = Damage(
            box=str(self.box),
            found_at=to_microseconds(now),
            record=new_record_id(now).bytes,
            epochs=tuple(sorted({*begun, last})),
            next=last + 1,
            detail=error.detail,
        )
        quarantine.set_aside(damage, now)
        self._damage = None
        return damage.next

    def _open(self, epoch: int) -> Journal:
        at = self.clock.now()
        return open_journal(
            self.path, self.box, epoch, self.suite, self.central_public, at, self.observe
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """No other process opens or moves the file meanwhile."""
        lock = take_lock(self.path.with_name(self.path.name + ".lock"))
        try:
            yield
        finally:
            os.close(lock)
