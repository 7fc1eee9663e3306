"""Batches into custody: every authentic row once, in any order; what is wrong is named."""

from itertools import pairwise

import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.ingest.inbox import MOST_CRASHES, RowCrashError
from shared.codec import batches
from shared.crypto import STD
from shared.errors import NotAuthentic, Refused, Unavailable
from shared.ledger import Account, Lane
from shared.messages import Batch
from shared.reasons import Reason
from shared.sealing import BodySealer
from tests.central.ingest.boxes import BOX, OTHER, PaperBox, add_box, future_record
from tests.central.ingest.centre import AT, Centre
from tests.central.ingest.custody import parked_reasons, receipt_for, take


def test_a_batch_is_taken_and_its_account_holds(centre: Centre, box: PaperBox) -> None:
    """Every row is interpreted once, the receipt names each by its hash, the ledger proves it."""
    rows = [box.scan() for _ in range(5)]
    assert take(centre, box.encode()) == receipt_for(rows)
    assert centre.noted("test.record") == dict.fromkeys((row.id.hex() for row in rows), 1)
    (report,) = centre.ingest.ledger.verify()
    assert report.account == Account(5, 5, 0, 0)
    assert report.holds
    assert report.gaps == ()


def test_the_same_batch_gets_the_same_receipt(centre: Centre, box: PaperBox) -> None:
    """A receipt that was lost is given again; nothing is interpreted a second time."""
    rows = [box.scan() for _ in range(3)]
    first = take(centre, box.encode())
    assert take(centre, box.encode()) == first == receipt_for(rows)
    assert set(centre.noted("test.record").values()) == {1}
    assert take(centre, box.encode(rows[1:])) == receipt_for(rows[1:])
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.account == Account(3, 3, 0, 0)


def test_a_hole_is_an_open_gap_until_it_is_filled(centre: Centre, box: PaperBox) -> None:
    """Out of order and with rows missing, everything is taken; links are checked on filling."""
    rows = [box.scan() for _ in range(6)]
    take(centre, box.encode([rows[5], rows[1]]))
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.account == Account(6, 2, 4, 0)
    assert [(gap.first, gap.last) for gap in report.gaps] == [(1, 1), (3, 5)]
    assert report.holds
    assert take(centre, box.encode([rows[4], rows[2], rows[0], rows[3]])) is not None
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.account == Account(6, 6, 0, 0)
    assert report.gaps == report.findings == ()


def test_what_cannot_be_interpreted_is_parked_among_the_good(centre: Centre, box: PaperBox) -> None:
    """Custody is taken of all; each unreadable row waits in sight with its own reason."""
    good = [box.scan()]
    box.append_plaintext(future_record(box.id))
    box.append_plaintext(b"\xc1")
    box.append_body(b"no body at all")
    broken = bytearray(box.sealer.seal(b"x", bytes(16), 0, 0))
    box.append_body(bytes(broken))
    stranger = BodySealer(STD, centre.keys.central_public, box.id)
    box.append_body(stranger.seal(b"x", bytes(16), 0, 0))
    box.scan(box=OTHER)
    good.append(box.scan())
    assert take(centre, box.encode()) == receipt_for(box.rows)
    assert set(centre.noted("test.record")) == {row.id.hex() for row in good}
    assert parked_reasons(centre) == {
        2: Reason.SCHEMA_UNKNOWN,
        3: Reason.MESSAGE_MALFORMED,
        4: Reason.MESSAGE_MALFORMED,
        5: Reason.SEAL_BROKEN,
        6: Reason.ENCAPSULATION_MISSING,
        7: Reason.NOT_FOR_THIS_BOX,
    }
    (report,) = centre.ingest.ledger.verify(BOX)
    assert (report.account, report.parked) == (Account(8, 8, 0, 0), 6)
    assert report.holds


def test_a_refused_record_leaves_no_trace_and_can_be_replayed(
    centre: Centre, box: PaperBox
) -> None:
    """What its handler wrote is rolled back; a replay, once the cause is gone, interprets it."""
    row = box.scan()
    centre.notebook.refuse = Reason.PERSON_UNKNOWN
    assert take(centre, box.encode()) == receipt_for([row])
    assert centre.noted("test.record") == {}
    assert parked_reasons(centre) == {1: Reason.PERSON_UNKNOWN}
    centre.notebook.refuse = Reason.CARD_CANCELLED
    assert centre.ingest.ledger.replay(AT).still_parked == 1
    assert parked_reasons(centre) == {1: Reason.CARD_CANCELLED}
    centre.notebook.refuse = None
    assert centre.ingest.ledger.replay(AT).interpreted == 1
    assert centre.noted("test.record") == {row.id.hex(): 1}
    assert parked_reasons(centre) == {}
    assert centre.ingest.ledger.verify(BOX)[0].holds


def test_a_missing_encapsulation_may_come_later(centre: Centre, box: PaperBox) -> None:
    """A row parked for want of its key is read as soon as another batch brings it."""
    first = box.scan()
    take(centre, batches.encode(box.batch([first], sealed=False)))
    assert parked_reasons(centre) == {1: Reason.ENCAPSULATION_MISSING}
    take(centre, box.encode([box.scan()]))
    assert parked_reasons(centre) == {}
    assert set(centre.noted("test.record").values()) == {1}


def test_a_key_is_kept_by_the_unit_that_commits(centre: Centre, box: PaperBox) -> None:
    """A unit that was undone leaves the key in memory only: the next one keeps it for replays."""
    box.scan()
    centre.notebook.full_disks = 1
    with pytest.raises(Unavailable):
        take(centre, box.encode())
    centre.notebook.refuse = Reason.PERSON_UNKNOWN
    take(centre, box.encode())
    assert parked_reasons(centre) == {1: Reason.PERSON_UNKNOWN}
    kept = centre.database.execute("SELECT id FROM ledger_encapsulation").fetchall()
    assert kept == [(box.sealer.encapsulation.id,)]


def test_a_row_that_crashes_is_parked_the_third_time(centre: Centre, box: PaperBox) -> None:
    """A bug ends the process and is counted; in the end it blocks nothing and is in sight."""
    box.scan()
    poison = box.scan()
    box.scan()
    centre.notebook.crash_on = {poison.id}
    for _ in range(MOST_CRASHES):
        with pytest.raises(RowCrashError) as crash:
            take(centre, box.encode())
        assert centre.noted("test.record") == {}
        with centre.database.unit():
            centre.ingest.inbox.count_crash(crash.value)
    assert take(centre, box.encode()) == receipt_for(box.rows)
    assert len(centre.noted("test.record")) == 2
    assert parked_reasons(centre) == {2: Reason.RECORD_POISON}
    assert centre.ingest.ledger.replay(AT).still_parked == 1
    with pytest.raises(RowCrashError):
        centre.ingest.ledger.replay(AT, poisonous=True)
    centre.notebook.crash_on = set()
    assert centre.ingest.ledger.replay(AT, poisonous=True).interpreted == 1


def test_one_id_is_interpreted_once_wherever_it_stands(centre: Centre, box: PaperBox) -> None:
    """A record appended again at another sequence is in custody, and parked as known."""
    row = box.scan()
    box.append_body(row.body, row.id)
    assert take(centre, box.encode()) == receipt_for(box.rows)
    assert centre.noted("test.record") == {row.id.hex(): 1}
    assert parked_reasons(centre) == {2: Reason.ALREADY_EXISTS}


def test_the_database_itself_interprets_an_id_once(centre: Centre, box: PaperBox) -> None:
    """A second interpreted position with one box's id fails even past the inbox."""
    box.scan()
    take(centre, box.encode())
    columns = "standing, id, hash, prev, lane, born, body_hash, received_at"
    with pytest.raises(peewee.IntegrityError):
        centre.database.execute(
            f"INSERT INTO ledger_position (box_id, epoch, seq, {columns})"
            f" SELECT box_id, epoch, 2, {columns} FROM ledger_position"
        )


def test_no_row_costs_a_walk_through_its_boxs_ledger(centre: Centre, box: PaperBox) -> None:
    """Taking a batch asks nothing of the positions that an index does not find by its whole key."""
    box.scan()
    asked: list[str] = []
    centre.database.connection.set_trace_callback(asked.append)
    take(centre, box.encode())
    centre.database.connection.set_trace_callback(None)
    reads = [each for each in asked if each.startswith("SELECT") and "ledger_position" in each]
    steps = [
        step[3]
        for statement in reads
        for step in centre.database.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    assert len(steps) >= 2
    assert [step for step in steps if "SCAN" in step or step.endswith("(box_id=?)")] == []


def test_a_foreign_batch_is_refused(centre: Centre, box: PaperBox) -> None:
    """A batch is its signer's: not the topic's box, not another key's, not changed by a letter."""
    other = add_box(centre, OTHER)
    other.scan()
    with pytest.raises(Refused) as refusal:
        take(centre, other.encode())
    assert refusal.value.reason is Reason.NOT_FOR_THIS_BOX
    box.scan()
    batch = box.batch()
    stolen = box.sign(box.head, tuple(box.rows))
    for crooked in (
        replace(batch, signature=other.batch().signature),
        replace(batch, signature=b""),
        replace(batch, head=batch.head._replace(seq=9)),
        replace(batch, rows=(batch.rows[0]._replace(lane=Lane.TELEMETRY),)),
        replace(batch, rows=()),
    ):
        with pytest.raises(NotAuthentic) as forgery:
            take(centre, batches.encode(crooked))
        assert forgery.value.reason is Reason.SIGNATURE_WRONG
    with pytest.raises(NotAuthentic) as unknown:
        take(centre, batches.encode(replace(stolen, key_id=2)))
    assert unknown.value.reason is Reason.KEY_UNKNOWN
    for report in centre.ingest.ledger.verify():
        assert report.account == Account(0, 0, 0, 0)


@pytest.mark.parametrize(
    "crooked",
    [
        {"key_id": -1},
        {"key_id": 1 << 40},
        {"head": (-1, 1, bytes(32))},
        {"head": (1 << 33, 1, bytes(32))},
        {"head": (1, -1, bytes(32))},
        {"head": (1, 1 << 63, bytes(32))},
        {"head": (1, 1, b"")},
        {"rows": [(0, bytes(16), 0, 0, bytes(32), b"")]},
        {"rows": [(1, bytes(16), 0, (1 << 64) - 1, bytes(32), b"")]},
        {"rows": [(1, bytes(16), 999, 0, bytes(32), b"")]},
        {"rows": [(1, bytes(15), 0, 0, bytes(32), b"")]},
        {"rows": [(1, bytes(16), 0, 0, bytes(32), bytes(64 * 1024 + 1))]},
    ],
)
def test_numbers_out_of_range_are_refused(
    centre: Centre, box: PaperBox, crooked: dict[str, object]
) -> None:
    """What no box can have written ends in a refusal, never in an overflow."""
    import msgspec

    fields = msgspec.to_builtins(box.batch([box.scan()]), builtin_types=(bytes,))
    with pytest.raises(Refused):
        take(centre, msgspec.msgpack.encode({**fields, **crooked}))


@given(payload=st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(payload: bytes) -> None:
    """Whatever comes in on ``up`` is a batch or a typed refusal."""
    try:
        batches.decode(payload)
    except Refused:
        return


@given(data=st.data())
def test_any_order_and_repetition_gives_one_ledger(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """However rows are cut into batches, shuffled and repeated, each counts once."""
    from tests.central.ingest.centre import open_centre

    with open_centre(tmp_path_factory.mktemp("centre")) as centre:
        box = add_box(centre)
        rows = [box.scan() for _ in range(6)]
        sent = data.draw(st.lists(st.sampled_from(rows), max_size=12))
        order = [*sent, *data.draw(st.permutations(rows))]
        cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=4)))
        for first, last in pairwise([0, *cuts, len(order)]):
            take(centre, box.encode(order[first:last]))
        (report,) = centre.ingest.ledger.verify(BOX)
        assert report.account == Account(6, 6, 0, 0)
        assert report.findings == ()
        assert set(centre.noted("test.record").values()) == {1}


def replace(batch: Batch, **changes: object) -> Batch:
    """A batch with other fields under the old signature."""
    import msgspec

    return msgspec.structs.replace(batch, **changes)
