"""Where a damaged queue file goes: into a folder named by the time, whole, and never deleted.

Beside the queue stands ``queue.db.epochs``: which epochs have ever begun here, so that no file,
however lost, lets one begin a second time. Knows nothing of what a queue holds.
"""

import logging
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from shared.config import replace_file
from shared.errors import Unavailable
from shared.reasons import Reason

T = TypeVar("T")

log = logging.getLogger(__name__)

TAILS = ("-wal", "-shm", "")
"""The file itself goes last."""
_MOVING, _DAMAGE, _SALVAGED = "moving.json", "damage.json", "salvaged.json"


class Begun(msgspec.Struct, frozen=True):
    """Which epochs of a box's ledger have begun in this directory, the oldest first."""

    box: str
    epochs: tuple[int, ...]


class Damage(msgspec.Struct, frozen=True):
    """What was found, and when; ``record`` is the id of the record that tells central."""

    box: str
    found_at: int  # microseconds since 1970 UTC
    record: bytes
    epochs: tuple[int, ...]  # that the file held, as far as anybody knows
    next: int  # the epoch that begins in its place
    detail: str


class Range(msgspec.Struct, frozen=True, array_like=True):
    """Sequences of one epoch, both included."""

    epoch: int
    first: int
    last: int


class Ended(msgspec.Struct, frozen=True, array_like=True):
    """An epoch that went with a file, and the last sequence that is known of it."""

    epoch: int
    seq: int


class Salvaged(msgspec.Struct, frozen=True):
    """What came of a quarantined file: so many rows are back, these are lost."""

    rows: int
    ended: tuple[Ended, ...]
    lost: tuple[Range, ...]


class Aside:
    """One quarantined file, and what was found."""

    def __init__(self, folder: Path, name: str, damage: Damage) -> None:
        self.folder = folder
        self.file = folder / name
        self.damage = damage

    @property
    def salvaged(self) -> Salvaged | None:
        """What came of it; None while that is not known: then it is salvaged, once more or not."""
        return _read(self.folder / _SALVAGED, Salvaged)

    def keep(self, salvaged: Salvaged) -> None:
        """All that can be salvaged is back in the queue. Raises Unavailable."""
        replace_file(self.folder / _SALVAGED, msgspec.json.encode(salvaged))


class Quarantine:
    """The quarantine of the queue at ``queue``. Its writer's lock is held by whoever moves."""

    def __init__(self, queue: Path) -> None:
        self._queue = queue
        self._directory = queue.with_name("quarantine")
        self._begun = queue.with_name(queue.name + ".epochs")

    def read_epochs(self, box: str) -> tuple[int, ...]:
        """Which epochs of this box have begun here. Raises Unavailable."""
        try:
            begun = msgspec.json.decode(self._begun.read_bytes(), type=Begun)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.warning("%s cannot be read: it is written anew", self._begun.name)
            return ()
        return begun.epochs if begun.box == box else ()

    def note_epochs(self, box: str, epochs: Sequence[int]) -> None:
        """These epochs have begun. Raises Unavailable."""
        known = self.read_epochs(box)
        if not set(epochs) <= set(known):
            begun = Begun(box, tuple(sorted({*known, *epochs})))
            replace_file(self._begun, msgspec.json.encode(begun))

    def set_aside(self, damage: Damage, at: datetime) -> Aside:
        """Move the queue's files into a folder of their own. Raises Unavailable.

        Cut off anywhere, ``finish`` goes on: what is left of the files must not be opened alone.
        """
        try:
            folder = self._new_folder(at)
            replace_file(folder / _MOVING, msgspec.json.encode(damage))
            self._move(folder)
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error
        log.error("the queue is damaged (%s): it lies in %s now", damage.detail, folder)
        return Aside(folder, self._queue.name, damage)

    def finish(self) -> None:
        """Go on with a move that was cut off. Raises Unavailable."""
        try:
            for moving in self._directory.glob(f"*/{_MOVING}"):
                self._move(moving.parent)
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error

    def list_aside(self) -> list[Aside]:
        """Every file that was ever set aside, the oldest first."""
        read = (
            (path, _read(path, Damage)) for path in sorted(self._directory.glob(f"*/{_DAMAGE}"))
        )
        return [Aside(path.parent, self._queue.name, damage) for path, damage in read if damage]

    def _new_folder(self, at: datetime) -> Path:
        name = f"{at:%Y%m%dT%H%M%S}"
        self._directory.mkdir(mode=0o700, exist_ok=True)
        for number in range(1000):
            folder = self._directory / (f"{name}-{number}" if number else name)
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            _sync(self._directory)
            _sync(self._directory.parent)
            return folder
        raise Unavailable(Reason.STORE_UNAVAILABLE, name)

    def _move(self, folder: Path) -> None:
        for tail in TAILS:
            old = self._queue.with_name(self._queue.name + tail)
            if old.exists():
                old.replace(folder / old.name)
        _sync(self._queue.parent)
        (folder / _MOVING).replace(folder / _DAMAGE)
        _sync(folder)


def _read(path: Path, shape: type[T]) -> T | None:
    """A file of the quarantine; None for one that is not there, or that damage has reached too."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        log.warning("%s cannot be read: %s", path, error)
        return None


def _sync(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
