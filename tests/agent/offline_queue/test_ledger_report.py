"""The proof from the file: each planted wrong is found and named by its sequence."""

from pathlib import Path

import pytest

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.store import Position
from shared.crypto import STD
from shared.errors import Damaged, Unavailable
from shared.ledger import Account, hash_of
from shared.messages import Settled
from shared.reasons import Reason
from tests.agent.offline_queue.box import NOON, ORIGIN, opened, print_draft, scan_draft, tampering


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Eight rows: 1 settled, 3 given up by row 6, 7 in lane print."""
    async with opened(tmp_path / "queue.db") as outbox:
        first = await outbox.commit(scan_draft())
        for _ in range(4):
            await outbox.commit(scan_draft())
        await outbox.settle(1, [Settled(1, hash_of(STD, first))])
        await outbox.tombstone([Position(1, 3)], Reason.STORE_UNAVAILABLE, ORIGIN, NOON)
        await outbox.commit(print_draft())
        await outbox.commit(scan_draft())
    async with opened(tmp_path / "queue.db"):
        pass
    return tmp_path / "queue.db"


def test_an_honest_file_has_no_findings(path: Path) -> None:
    """The account is counted from the rows, the head is the last row's."""
    report = verify_queue(path)
    assert report.findings == ()
    assert report.holds
    assert report.account == Account(created=8, acknowledged=1, pending=6, tombstoned=1)
    assert (report.head.epoch, report.head.seq) == (1, 8)


FLIPPED = "SET {0} = CAST(substr({0}, 1, 9) || x'00' || substr({0}, 11) AS BLOB)"

PLANTED = {
    "body-flipped": (f'UPDATE "row" {FLIPPED.format("body")} WHERE seq = 4', "ledger-hash", 4),
    "body-hash-flipped": (
        f'UPDATE "row" {FLIPPED.format("body_hash")} WHERE seq = 4',
        "ledger-hash",
        4,
    ),
    "id-flipped": (f'UPDATE "row" {FLIPPED.format("id")} WHERE seq = 4', "ledger-hash", 4),
    "born-changed": ('UPDATE "row" SET born = born + 1 WHERE seq = 4', "ledger-hash", 4),
    "lane-changed": ('UPDATE "row" SET lane = 3 WHERE seq = 4', "ledger-hash", 4),
    "hash-flipped": (f'UPDATE "row" {FLIPPED.format("hash")} WHERE seq = 4', "ledger-hash", 4),
    "link-flipped": (f'UPDATE "row" {FLIPPED.format("prev")} WHERE seq = 4', "ledger-link", 4),
    "row-deleted": ('DELETE FROM "row" WHERE seq = 4', "ledger-gap", 4),
    "first-row-deleted": ('DELETE FROM "row" WHERE seq = 1', "ledger-gap", 1),
    "last-row-deleted": ('DELETE FROM "row" WHERE seq = 8', "ledger-gap", 8),
    "noted-head-changed": (f"UPDATE epoch {FLIPPED.format('hash')}", "ledger-fork", 8),
    "width-wrong": ("UPDATE \"row\" SET prev = x'00' WHERE seq = 4", "ledger-state", 4),
    "lane-out-of-range": ('UPDATE "row" SET lane = 999 WHERE seq = 4', "ledger-state", 4),
    "settled-by-hand": ('UPDATE "row" SET state = 1 WHERE seq = 4', "ledger-state", 0),
    "unknown-state": ('UPDATE "row" SET state = 7 WHERE seq = 4', "ledger-state", 4),
    "floor-too-high": ("UPDATE epoch SET floor = 4", "ledger-state", 4),
    "body-lost": ('UPDATE "row" SET body = NULL WHERE seq = 4', "ledger-state", 4),
    "given-up-by-nobody": (
        "UPDATE \"row\" SET state = 2, tombstone = x'00' WHERE seq = 4",
        "ledger-state",
        4,
    ),
    "given-up-by-a-print": (
        (
            'UPDATE "row" SET state = 2, tombstone = (SELECT id FROM "row" WHERE seq = 7)'
            " WHERE seq = 4"
        ),
        "ledger-state",
        4,
    ),
    "dear-lane-given-up": (
        (
            'UPDATE "row" SET state = 2, tombstone = (SELECT id FROM "row" WHERE seq = 6)'
            " WHERE seq = 7"
        ),
        "ledger-state",
        7,
    ),
    "named-but-pending": (
        'UPDATE "row" SET tombstone = (SELECT id FROM "row" WHERE seq = 6) WHERE seq = 4',
        "ledger-state",
        4,
    ),
    "key-lost": ("DELETE FROM encapsulation", "encapsulation-missing", 4),
    "key-swapped": (
        f"UPDATE encapsulation {FLIPPED.format('wrapped')}",
        "encapsulation-missing",
        4,
    ),
    "epoch-from-nowhere": ('UPDATE "row" SET epoch = 9 WHERE seq = 8', "ledger-gap", 8),
}


@pytest.mark.parametrize(("plant", "reason", "seq"), PLANTED.values(), ids=PLANTED)
def test_each_planted_wrong_is_found(path: Path, plant: str, reason: str, seq: int) -> None:
    """A changed, lost, added or mislabelled row is named; the file is only read."""
    with tampering(path) as connection:
        connection.execute(plant)
    before = path.read_bytes()
    report = verify_queue(path)
    assert not report.holds
    assert (reason, seq) in {(finding.reason, finding.first) for finding in report.findings}
    assert path.read_bytes() == before


def test_swapped_rows_are_found(path: Path) -> None:
    """Two rows that change places, whole, keep their hashes but not their links."""
    with tampering(path) as connection:
        for old, new in ((4, 99), (5, 4), (99, 5)):
            connection.execute('UPDATE "row" SET seq = ? WHERE seq = ?', (new, old))
    findings = verify_queue(path).findings
    assert {finding.first for finding in findings} >= {4, 5}


async def test_a_file_in_use_can_be_verified(path: Path) -> None:
    """The proof reads beside the writer, and neither waits for the other."""
    async with opened(path) as outbox:
        await outbox.commit(scan_draft())
        assert verify_queue(path).account.created == 9
        await outbox.commit(scan_draft())
        assert verify_queue(path).account.created == 10


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    """And none is made by asking."""
    with pytest.raises(Unavailable, match=Reason.STORE_UNAVAILABLE):
        verify_queue(tmp_path / "queue.db")
    assert list(tmp_path.iterdir()) == []


def test_noise_is_damaged(tmp_path: Path) -> None:
    """Not a database: a person must look."""
    (tmp_path / "queue.db").write_bytes(bytes(range(256)) * 16)
    with pytest.raises(Damaged, match=Reason.STORE_DAMAGED):
        verify_queue(tmp_path / "queue.db")
