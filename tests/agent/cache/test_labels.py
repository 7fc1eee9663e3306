"""The sealed journal of labels: survives a power cut, tells nothing, forgets, and never stands in
the way of printing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.cache.labels import LAYOUT, open_labels
from agent.cache.sealed_file import open_sealed_file
from shared.errors import Refused
from shared.reasons import Reason
from tests.kept_labels import make_kept


class Place:
    """Where a box keeps its labels."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "labels.db"
        self.key = directory / "cache.key"

    def all_bytes(self) -> bytes:
        """Everything on the disk."""
        return b"".join(file.read_bytes() for file in self.file.parent.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_a_label_survives_a_restart_and_tells_nothing(place: Place) -> None:
    """Whole, with what it needs to be printed again; the file has no name, code or id in clear."""
    kept = make_kept()
    async with open_labels(place.file, place.key) as labels:
        await labels.keep(kept)
        assert place.file.stat().st_mode & 0o777 == 0o600
        on_disk = place.all_bytes()
    for secret in (kept.label.name.encode(), kept.label.code.encode(), kept.label.id.bytes):
        assert secret not in on_disk
    async with open_labels(place.file, place.key) as labels:
        assert await labels.load() == [kept]
        assert labels.trouble is None


def test_every_label_is_synced_before_it_is_kept(place: Place) -> None:
    """FULL, in WAL: with NORMAL a power cut takes what was committed last."""
    file = open_sealed_file(place.file, place.key, LAYOUT)
    assert file is not None
    with closing(file):
        assert file.connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_what_is_forgotten_is_not_in_the_file(place: Place) -> None:
    """Not even sealed: its bytes are overwritten, in the log too."""
    kept = make_kept()
    async with open_labels(place.file, place.key) as labels:
        await labels.keep(kept)
        with closing(sqlite3.connect(place.file)) as database:
            ((sealed,),) = database.execute("SELECT sealed FROM label").fetchall()
        assert sealed in place.all_bytes()
        labels.erase_soon([kept.registration])
        assert await labels.load() == []
        assert sealed not in place.all_bytes()


@pytest.mark.parametrize("garbage", [b"not a database at all", b"SQLite format 3\0" + bytes(200)])
async def test_a_damaged_file_is_begun_anew_and_says_so(place: Place, garbage: bytes) -> None:
    """Labels of before cannot be printed again; those from now on can."""
    place.file.write_bytes(garbage)
    async with open_labels(place.file, place.key) as labels:
        assert labels.trouble is Reason.LABELS_LOST
        assert await labels.load() == []
        kept = make_kept()
        await labels.keep(kept)
        assert await labels.load() == [kept]


async def test_a_label_of_another_row_is_not_believed(place: Place) -> None:
    """Sealed to its registration: moved to another it is erased, and the rest stays."""
    first, second = make_kept(), make_kept()
    async with open_labels(place.file, place.key) as labels:
        await labels.keep(first)
        await labels.keep(second)
    with closing(sqlite3.connect(place.file)) as database, database:
        database.execute(
            "UPDATE label SET sealed = (SELECT sealed FROM label WHERE registration = ?)"
            " WHERE registration = ?",
            (first.registration.bytes, second.registration.bytes),
        )
    async with open_labels(place.file, place.key) as labels:
        assert await labels.load() == [first]
        assert labels.trouble is Reason.LABELS_LOST
        assert await labels.load() == [first]
    with closing(sqlite3.connect(place.file)) as database:
        assert database.execute("SELECT count(*) FROM label").fetchone() == (1,)


async def test_another_key_begins_anew(place: Place) -> None:
    """A disk moved to another box tells it nothing."""
    async with open_labels(place.file, place.key) as labels:
        await labels.keep(make_kept())
    place.key.unlink()
    async with open_labels(place.file, place.key) as labels:
        assert await labels.load() == []
        assert labels.trouble is Reason.LABELS_LOST


async def test_no_file_at_all_keeps_nothing_and_stops_nothing(place: Place) -> None:
    """A disk that allows nothing: printing goes on, and it is said."""
    place.file.mkdir()
    async with open_labels(place.file, place.key) as labels:
        await labels.keep(make_kept())
        labels.keep_soon(make_kept())
        labels.erase_soon([make_kept().registration])
        assert await labels.load() == ()
        assert labels.trouble is Reason.LABELS_LOST


async def test_a_table_that_goes_away_is_said_and_comes_back(place: Place) -> None:
    """LOST while it cannot be written; READY when it can again."""
    async with open_labels(place.file, place.key) as labels:
        with closing(sqlite3.connect(place.file)) as database:
            database.execute("ALTER TABLE label RENAME TO gone")
        await labels.keep(make_kept())
        assert labels.trouble is Reason.LABELS_LOST
        with closing(sqlite3.connect(place.file)) as database:
            database.execute("ALTER TABLE gone RENAME TO label")
        await labels.keep(make_kept())
        assert labels.trouble is None


async def test_a_key_that_others_may_read_is_refused(place: Place) -> None:
    """As the cache's: the same key."""
    place.key.write_bytes(bytes(32))
    place.key.chmod(0o644)
    with pytest.raises(Refused):
        async with open_labels(place.file, place.key):
            pass
