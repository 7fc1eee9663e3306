"""What contradicts: two rows of one sequence, links, heads; and tombstones, which close gaps."""

import pytest

from central.fleet.states import BoxState
from central.ingest.evidence_store import list_evidence
from central.ingest.ledger import Replayed
from shared.codec import batches
from shared.crypto import STD
from shared.ledger import Account, Lane, append, hash_of, signed_bytes
from shared.reasons import Reason
from tests.central.ingest.boxes import BOX, PaperBox
from tests.central.ingest.centre import AT, Centre
from tests.central.ingest.custody import parked_reasons, receipt_for, take


def test_two_rows_of_one_sequence_are_a_fork(centre: Centre, box: PaperBox) -> None:
    """The second hash is not taken and put on record; the box is quarantined; the rest is taken."""
    first = box.scan()
    before = box.head
    box.scan()
    take(centre, box.encode())
    twin, _, head = append(STD, before, first.id, Lane.USE, 5, b"another life")
    later, _, head = append(STD, head, bytes(15) + b"1", Lane.USE, 6, b"later")
    receipt = take(centre, batches.encode(box.sign(head, (first, twin, later))))
    assert receipt == receipt_for([first])
    with centre.database.unit():
        assert centre.fleet.box(BOX).state is BoxState.QUARANTINED
    (report,) = centre.ingest.ledger.verify(BOX)
    assert not report.holds
    named = {(finding.reason, finding.first) for finding in report.findings}
    assert named == {(Reason.LEDGER_FORK, 2), (Reason.LEDGER_LINK, 3)}
    assert report.account == Account(2, 2, 0, 0)


def test_good_rows_beside_a_fork_keep_the_account(centre: Centre, box: PaperBox) -> None:
    """What is taken of a forked batch is counted as created: its head agrees with a taken row."""
    first = box.scan()
    take(centre, box.encode())
    twin = first._replace(born=5)
    later = box.scan()
    assert take(centre, box.encode([twin, later])) == receipt_for([later])
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.account == Account(2, 2, 0, 0)
    assert [(each.reason, each.first) for each in report.findings] == [(Reason.LEDGER_FORK, 1)]


def test_a_link_that_contradicts_is_found_from_either_side(centre: Centre, box: PaperBox) -> None:
    """A row that does not name its neighbour is a fork, whichever of the two came first."""
    rows = [box.scan() for _ in range(3)]
    liar = rows[1]._replace(prev=bytes(32))
    for order in ([rows[0], liar, rows[2]], [rows[2], liar]):
        receipt = take(centre, batches.encode(box.sign(box.head, tuple(order))))
        assert receipt == receipt_for([row for row in order if row is not liar])
    reasons = [finding.reason for finding in centre.ingest.ledger.verify(BOX)[0].findings]
    assert reasons == [Reason.LEDGER_LINK]
    assert centre.ingest.ledger.verify(BOX)[0].account == Account(3, 2, 1, 0)


def test_two_heads_of_one_sequence_are_a_fork(centre: Centre, box: PaperBox) -> None:
    """A clone that went on from an old copy is found by its signed head alone."""
    row = box.scan()
    take(centre, box.encode())
    clone = box.head._replace(hash=bytes(32))
    take(centre, batches.encode(box.sign(clone, (row,))))
    (finding,) = centre.ingest.ledger.verify(BOX)[0].findings
    assert (finding.reason, finding.first) == (Reason.LEDGER_FORK, 1)
    with centre.database.unit():
        assert centre.fleet.box(BOX).state is BoxState.QUARANTINED


def test_tombstones_close_gaps(centre: Centre, box: PaperBox) -> None:
    """Rows given up are counted as such; one that comes after all is received instead."""
    rows = [box.scan() for _ in range(4)]
    hashes = [hash_of(STD, row) for row in rows]
    grave = box.bury(rows[1:3], hashes[1:3])
    take(centre, box.encode([rows[0], rows[3], grave]))
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.account == Account(5, 3, 0, 2)
    assert report.holds
    assert take(centre, box.encode([rows[1]])) == receipt_for([rows[1]])
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.account == Account(5, 4, 0, 1)
    assert report.holds
    forged = box.bury([rows[2]], [bytes(32)])
    take(centre, box.encode([forged]))
    assert Reason.LEDGER_FORK in {
        finding.reason for finding in centre.ingest.ledger.verify(BOX)[0].findings
    }


@pytest.mark.parametrize("place", [2, 4])
def test_a_tombstone_that_contradicts_is_a_fork(centre: Centre, box: PaperBox, place: int) -> None:
    """A row given up under a hash that the next row, or the signed head, says otherwise."""
    rows = [box.scan() for _ in range(4)]
    present = [row for row in rows if row.seq != place]
    take(centre, box.encode(present))
    grave = box.bury([rows[place - 1]], [bytes(32)])
    take(centre, box.encode([grave]))
    with centre.database.unit():
        assert centre.fleet.box(BOX).state is BoxState.QUARANTINED
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.account == Account(5, 4, 1, 0)
    assert {finding.first for finding in report.findings} == {place}


def test_a_row_has_its_own_id_whatever_its_tombstone_said(centre: Centre, box: PaperBox) -> None:
    """A row that comes after its tombstone is kept by its own id: its hash and its use prove it."""
    row = box.scan()
    grave = box.bury([row._replace(id=bytes(16))], [hash_of(STD, row)])
    take(centre, box.encode([grave]))
    take(centre, box.encode([row]))
    box.append_body(row.body, row.id)
    take(centre, box.encode())
    assert centre.ingest.ledger.verify(BOX)[0].holds
    assert centre.noted("test.record") == {row.id.hex(): 1}


def test_neither_line_of_a_fork_is_interpreted_further(centre: Centre, box: PaperBox) -> None:
    """What comes after the fork is parked with that reason, from whichever of the two; what
    contradicts is kept whole, under its signature, beside what it contradicts."""
    rows = [box.scan() for _ in range(3)]
    before = box.head
    rows.append(box.scan())
    take(centre, box.encode())
    clone = append(STD, before, bytes(15) + b"1", Lane.USE, 5, rows[3].body)
    take(centre, batches.encode(box.sign(clone[2], (clone[0],))))
    later = box.scan()
    assert take(centre, box.encode([later])) == receipt_for([later])
    assert parked_reasons(centre) == {5: Reason.LEDGER_FORK}
    assert centre.ingest.ledger.replay(AT) == Replayed(0, 1)
    assert parked_reasons(centre) == {5: Reason.LEDGER_FORK}
    came, known = sorted(list_evidence(BOX), key=lambda line: line.row != clone[0])
    assert (came.row, came.signed.head) == (clone[0], clone[2])
    assert known.hash == hash_of(STD, rows[3])
    assert known.row == rows[3]._replace(body=b"")
    for line in (came, known):
        signed = line.signed
        hashes = [signed.hashes[at : at + 32] for at in range(0, len(signed.hashes), 32)]
        data = signed_bytes(STD, BOX, signed.key_id, signed.head, hashes)
        STD.verify_key(box.signing_key.public_bytes).verify(signed.signature, data)
        assert line.hash in hashes
    assert centre.ingest.ledger.replay(AT, set_aside=True) == Replayed(1, 0)


def test_a_forked_epoch_is_never_countersigned(centre: Centre, box: PaperBox) -> None:
    """Also when the box has joined again and is active: a box that prunes would prune evidence."""
    first, second = box.scan(), box.scan()
    take(centre, box.encode([first]))
    with centre.database.unit():
        assert centre.ingest.anchors.advance(BOX, 1) is not None
    take(centre, box.encode([first._replace(born=5), second]))
    with centre.database.unit():
        centre.database.execute("UPDATE box SET state = ?", (BoxState.ACTIVE.value,))
        assert centre.ingest.anchors.advance(BOX, 1) is None


def test_of_the_batch_that_shows_a_fork_nothing_is_interpreted(
    centre: Centre, box: PaperBox
) -> None:
    """Also not the rows that stand before what contradicts."""
    first, second = box.scan(), box.scan()
    take(centre, box.encode([second]))
    take(centre, box.encode([first, second._replace(born=5)]))
    assert parked_reasons(centre) == {1: Reason.LEDGER_FORK}
    assert set(centre.noted("test.record")) == {second.id.hex()}
