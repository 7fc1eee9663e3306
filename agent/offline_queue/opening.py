"""Opens the queue for its writer, whatever the file is like: a damaged one is set aside, whole,
and a fresh one begins in its place, in an epoch of its own (docs/adr/0020).

Used at every opening, the first and those after a failure. What was in a file set aside comes back
beside the box's work (``salvage.py``): no patient waits for it.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from agent.offline_queue.beginning import open_journal
from agent.offline_queue.checkpoint import make_room
from agent.offline_queue.database import DISK_TROUBLES, take_lock, unavailable
from agent.offline_queue.inspection import check_files, noted_version
from agent.offline_queue.journal import Journal
from agent.offline_queue.migration import read_migrations
from agent.offline_queue.quarantine import Damage, Quarantine
from agent.offline_queue.states import Edge, FileEdge
from shared.clock import Clock, to_microseconds
from shared.crypto import Suite
from shared.errors import Damaged, Unavailable
from shared.ids import BoxId, new_record_id
from shared.ledger import EPOCHS_A_MACHINE
from shared.reasons import Reason

log = logging.getLogger(__name__)


class _Known(NamedTuple):
    """The epoch to write in, those that have begun here, and those that the file must hold."""

    chosen: int
    begun: tuple[int, ...]
    held: tuple[int, ...]


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
    observe_file: Callable[[FileEdge], None] = lambda _: None
    _damage: Damaged | None = field(default=None, init=False)

    def __call__(self) -> Journal:
        """Raises Unavailable, and Refused as ``open_journal``; Damaged for a fresh file alone."""
        try:
            return self._open_whole()
        except Unavailable as error:
            # A full or failing disk is waited for, whoever met it.
            cause = error.__cause__
            if isinstance(cause, OSError) and unavailable(cause).reason in DISK_TROUBLES:
                raise unavailable(cause) from error
            raise

    def _open_whole(self) -> Journal:
        quarantine = Quarantine(self.path)
        with self._locked():
            quarantine.finish()
            known = self._read_known(quarantine)
            try:
                if self._damage is not None:
                    raise self._damage
                check_files(self.path, known.held)
                self._change_schema()
            except Damaged as error:
                known = self._set_aside(quarantine, known, error)
        try:
            journal = self._open(known)
        except Damaged as error:
            with self._locked():
                known = self._set_aside(quarantine, known, error)
            journal = self._open(known)
        quarantine.note_epochs(str(self.box), list(journal.standings))
        make_room(self.path)
        return journal

    def _change_schema(self) -> None:
        if noted_version(self.path) in {0, read_migrations()[-1].number}:
            return
        # Loaded only after an upgrade: a box has little memory.
        from agent.offline_queue.swap import swap

        try:
            swap(self.path, read_migrations(), self.observe_file)
        except Unavailable as error:
            if error.reason is not Reason.STORE_FULL:
                raise
            log.warning("no room for a copy of the queue: its schema is changed in place")

    def note_damage(self, error: Damaged) -> None:
        """The open file is damaged: the next opening sets it aside."""
        self._damage = error

    def _read_known(self, quarantine: Quarantine) -> _Known:
        begun = quarantine.read_epochs(str(self.box))
        damages = (aside.damage for aside in quarantine.list_aside())
        following = max((each.next for each in damages if each.box == str(self.box)), default=0)
        latest = max(begun, default=0)
        own = range(self.epoch, self.epoch + EPOCHS_A_MACHINE)
        chosen = max([self.epoch, *(each for each in (latest, following) if each in own)])
        # After a file was set aside, until a fresh one has begun, there is none that must be here.
        held = (latest,) if latest and latest >= following else ()
        return _Known(chosen, begun, held)

    def _set_aside(self, quarantine: Quarantine, known: _Known, error: Damaged) -> _Known:
        """Move the file away."""
        now = self.clock.now()
        epochs = tuple(sorted({*known.begun, known.chosen}))
        damage = Damage(
            box=str(self.box),
            found_at=to_microseconds(now),
            record=new_record_id(now).bytes,
            epochs=epochs,
            next=max(epochs) + 1,
            detail=error.detail,
        )
        quarantine.set_aside(damage, now)
        self.observe_file(FileEdge.SET_ASIDE)
        self._damage = None
        return _Known(damage.next, epochs, ())

    def _open(self, known: _Known) -> Journal:
        at, public = self.clock.now(), self.central_public
        return open_journal(
            self.path, self.box, known.chosen, self.suite, public, at, self.observe, known.held
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """No other process opens or moves the file meanwhile."""
        lock = take_lock(self.path.with_name(self.path.name + ".lock"))
        try:
            yield
        finally:
            os.close(lock)
