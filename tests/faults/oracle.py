"""The standing oracle: the account proved from both files, by code that shares nothing with ours.

Reads the box's and central's SQLite files with plain SQL and recomputes every hash with hashlib,
from CONTRACTS §2 alone: genesis = H(suite ‖ length ‖ box ‖ epoch), hash = H(prev ‖ seq ‖ id ‖
lane ‖ born ‖ H(body)). So a defect in ``shared.ledger`` cannot hide itself here.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

PENDING, SETTLED, TOMBSTONED = 0, 1, 2
GIVEN_UP = 3
"""Central's standing of a row that it knows by a tombstone alone."""


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One row as the box's file has it."""

    epoch: int
    seq: int
    id: bytes
    hash: bytes
    state: int
    lane: int = 0


def read_box(file: Path) -> list[BoxRow]:
    """The box's rows; asserts that every hash and link is right, and that sequences have no gap but
    those that the file itself names as lost with a damaged one."""
    with _snapshot(file) as database:
        epochs = {
            number: (box, suite, seq, head)
            for number, box, suite, seq, head in database.execute(
                'SELECT number, box, suite, seq, hash FROM "epoch"'
            )
        }
        pruned = _pruned(database)
        lost = _lost(database)
        rows = []
        for epoch, (box, suite, head_seq, head_hash) in sorted(epochs.items()):
            name = box.encode()
            genesis = _digest(bytes([suite, len(name)]) + name + epoch.to_bytes(4, "big"))
            before, last = pruned.get(epoch, (0, genesis))
            expected = before + 1
            for seq, id, lane, born, prev, body, body_hash, digest, state in database.execute(
                "SELECT seq, id, lane, born, prev, body, body_hash, hash, state"
                ' FROM "row" WHERE epoch = ? ORDER BY seq',
                (epoch,),
            ):
                missing = {(epoch, each) for each in range(expected, seq)}
                jump = f"the box's sequence jumps from {expected - 1} to {seq}"
                assert seq >= expected, jump
                assert missing <= lost, jump
                assert (epoch, seq) not in lost, f"row {seq} is here and said to be lost"
                assert missing or prev == last, f"row {seq} does not name the row before"
                hashed = prev + seq.to_bytes(8, "big") + id + bytes([lane])
                assert body is not None or state != PENDING, f"row {seq} cannot be sent"
                assert body is None or _digest(body) == body_hash, f"row {seq} has another body"
                hashed += born.to_bytes(8, "big") + body_hash
                assert digest == _digest(hashed), f"row {seq} is not what was hashed"
                assert seq != head_seq or digest == head_hash, "the noted head is another row"
                rows.append(BoxRow(epoch, seq, id, digest, state, lane))
                expected, last = seq + 1, digest
            missing = {(epoch, each) for each in range(expected, head_seq + 1)}
            assert missing <= lost, "rows are missing before the noted head"
    assert len({row.id for row in rows}) == len(rows), "an id was given twice"
    return rows


def read_lost(file: Path) -> set[tuple[int, int]]:
    """Epoch and sequence of each row that went with a damaged file of the box."""
    with _snapshot(file) as database:
        return _lost(database)


def read_ends(file: Path) -> dict[int, int]:
    """How far the box knows each epoch but the last: what came behind went with a damaged file."""
    with _snapshot(file) as database:
        found = database.execute('SELECT number, seq FROM "epoch" ORDER BY number').fetchall()
    return dict(found[:-1])


def read_pruned(file: Path) -> dict[int, tuple[int, bytes]]:
    """Up to where each epoch's rows went behind a head that central countersigned, and the hash of
    the last that went."""
    with _snapshot(file) as database:
        return _pruned(database)


def _pruned(database: sqlite3.Connection) -> dict[int, tuple[int, bytes]]:
    return {
        epoch: (seq, hash)
        for epoch, seq, hash in database.execute("SELECT epoch, pruned, pruned_hash FROM anchor")
    }


def _lost(database: sqlite3.Connection) -> set[tuple[int, int]]:
    return {
        (epoch, seq)
        for epoch, first, last in database.execute("SELECT epoch, first, last FROM lost_range")
        for seq in range(first, last + 1)
    }


def read_central(file: Path, box: str) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """Central's positions of a box: (epoch, seq) → (id, hash)."""
    with _snapshot(file) as database:
        return {
            (epoch, seq): (id, digest)
            for epoch, seq, id, digest in database.execute(
                "SELECT epoch, seq, id, hash FROM ledger_position WHERE box_id = ?", (box,)
            )
        }


def prove(box_file: Path, central_file: Path, box: str) -> int:
    """Everything the box created is at central exactly once and settled; how many rows that is."""
    rows = read_box(box_file)
    positions = read_central(central_file, box)
    pruned = read_pruned(box_file)
    acknowledged = sum(row.state == SETTLED for row in rows)
    pending = sum(row.state == PENDING for row in rows)
    tombstoned = sum(row.state == TOMBSTONED for row in rows)
    assert len(rows) == acknowledged + pending + tombstoned
    for row in rows:
        held = positions.get((row.epoch, row.seq))
        if row.state == SETTLED:
            assert held == (row.id, row.hash), (
                f"row {row.seq} is settled at the box and not what central holds"
            )
        elif held is not None:
            assert held == (row.id, row.hash), f"central holds another row {row.seq}"
    for epoch, (seq, hash) in pruned.items():
        missing = [each for each in range(1, seq + 1) if (epoch, each) not in positions]
        assert not missing, f"pruned at the box and not at central: {missing[:5]}"
        assert not seq or positions[epoch, seq][1] == hash, f"pruned behind another row {seq}"
    gone = {(epoch, each) for epoch, (seq, _) in pruned.items() for each in range(1, seq + 1)}
    here = {(row.epoch, row.seq) for row in rows} | read_lost(box_file) | gone
    ended = read_ends(box_file)
    unknown = {(epoch, seq) for epoch, seq in positions if seq <= ended.get(epoch, seq)} - here
    assert not unknown, "central holds rows the box never committed"
    assert len({id for id, _ in positions.values()}) == len(positions), "an id is held twice"
    accounts = read_accounts(central_file, box)
    ends: dict[int, int] = {}
    for epoch, seq in here:
        ends[epoch] = max(seq, ends.get(epoch, 0))
    for epoch, account in accounts.items():
        assert epoch in ended or account.created <= ends[epoch], (
            "central was told of rows the box never committed"
        )
    prove_labels(central_file)
    assert pending == 0, f"{pending} rows still wait"
    return len(rows) + len(gone)


@dataclass(frozen=True, slots=True)
class CentralAccount:
    """What central knows of one epoch: all that the box has signed for is one of the four."""

    created: int
    received: int
    tombstoned: int
    lost: int
    open: int


def read_accounts(file: Path, box: str) -> dict[int, CentralAccount]:
    """Central's account of each epoch of a box; asserts that marks hash to what is kept, that links
    hold wherever both neighbours are there, and created = received + tombstoned + lost + open."""
    accounts = {}
    with _snapshot(file) as database:
        for epoch, created, head, suite, counted in database.execute(
            "SELECT epoch, seq, hash, suite, received FROM ledger_head WHERE box_id = ?", (box,)
        ).fetchall():
            name = box.encode()
            genesis = _digest(bytes([suite, len(name)]) + name + epoch.to_bytes(4, "big"))
            before, last = 0, genesis
            received = tombstoned = 0
            for seq, standing, id, digest, prev, lane, born, body_hash in database.execute(
                "SELECT seq, standing, id, hash, prev, lane, born, body_hash"
                " FROM ledger_position WHERE box_id = ? AND epoch = ? ORDER BY seq",
                (box, epoch),
            ):
                if standing == GIVEN_UP:
                    tombstoned += 1
                else:
                    received += 1
                    hashed = prev + seq.to_bytes(8, "big") + id + bytes([lane])
                    hashed += born.to_bytes(8, "big") + body_hash
                    assert digest == _digest(hashed), f"central's row {seq} is not what was hashed"
                    assert seq != before + 1 or prev == last, f"central's row {seq} is not linked"
                assert seq != created or digest == head, "central's head is another row"
                before, last = seq, digest
            assert counted == received, f"{counted} rows were taken and {received} are there"
            end = max(created, before)
            lost = 0
            # A range may reach behind all that was ever signed: nobody knows where it ended.
            for first, last in database.execute(
                "SELECT first, last FROM ledger_lost WHERE box_id = ? AND epoch = ?", (box, epoch)
            ).fetchall():
                (here,) = database.execute(
                    "SELECT count(*) FROM ledger_position"
                    " WHERE box_id = ? AND epoch = ? AND seq BETWEEN ? AND ?",
                    (box, epoch, first, last),
                ).fetchone()
                lost += max(0, min(last, end) - first + 1) - here  # what came after all is received
            gaps = end - received - tombstoned - lost
            assert gaps >= 0, "more is held than was created"
            accounts[epoch] = CentralAccount(end, received, tombstoned, lost, gaps)
    return accounts


def prove_labels(central_file: Path) -> None:
    """No label's bytes are begun twice: SENDING is recorded before the first byte leaves."""
    with _snapshot(central_file) as database:
        twice = database.execute(
            "SELECT hex(label), count(*) FROM label_state WHERE state = 'sending'"
            " GROUP BY label HAVING count(*) > 1"
        ).fetchall()
    assert not twice, f"labels sent twice: {twice}"


def consumptions(central_file: Path) -> list[tuple[str, bytes]]:
    """Who used up which dynamic code: (box, record id), one for each code that is used."""
    with _snapshot(central_file) as database:
        return list(
            database.execute("SELECT used_box, used_id FROM issued_code WHERE used_id IS NOT NULL")
        )


def verdicts(central_file: Path, id: bytes) -> tuple[str, str]:
    """The box's verdict on a scan and central's own, as central holds them."""
    with _snapshot(central_file) as database:
        row: tuple[str, str] = database.execute(
            "SELECT box_verdict, verdict FROM scan WHERE id = ?", (id,)
        ).fetchone()
        return row


def label_states(central_file: Path, label: bytes) -> list[tuple[str, str | None]]:
    """What central has been told of a label, in the order it was born: (state, reason)."""
    with _snapshot(central_file) as database:
        return list(
            database.execute(
                "SELECT state, reason FROM label_state WHERE label = ? ORDER BY born_at, id",
                (label,),
            )
        )


def temporary_codes(central_file: Path, box: str) -> dict[bytes, bytes]:
    """Whom the temporary codes of a box lead to: the record that reported it → the person."""
    with _snapshot(central_file) as database:
        return dict(
            database.execute(
                "SELECT t.id, c.person_id FROM temporary_code t JOIN card c ON c.id = t.card_id"
                " WHERE t.box = ?",
                (box,),
            )
        )


def persons(central_file: Path) -> int:
    """How many persons central knows."""
    with _snapshot(central_file) as database:
        return int(database.execute("SELECT count(*) FROM person").fetchone()[0])


def forks(central_file: Path, box: str) -> list[tuple[int, int]]:
    """Where central holds two rows that a box signed for one place: (epoch, seq)."""
    with _snapshot(central_file) as database:
        return list(database.execute("SELECT epoch, seq FROM ledger_fork WHERE box_id = ?", (box,)))


def parked(central_file: Path) -> list[tuple[str, str]]:
    """What central holds and cannot interpret: (box, reason)."""
    with _snapshot(central_file) as database:
        return list(database.execute("SELECT box_id, reason FROM ledger_parked"))


@contextmanager
def _snapshot(file: Path) -> Iterator[sqlite3.Connection]:
    """The file as it is at one moment, while its owner goes on writing."""
    address = f"file:{file}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as database:
        database.execute("BEGIN")
        yield database


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
