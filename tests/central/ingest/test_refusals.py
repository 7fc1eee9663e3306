"""What is refused is audited with its reason, and a flood of it fills nothing."""

from datetime import timedelta

import msgspec
import pytest

from central.audit.service import Audit
from central.ingest.inbox import MOST_BATCH_BYTES
from central.ingest.refusals import BETWEEN_ROWS, Refusals, Refused
from central.storage.writer import Writer
from shared.clock import ManualClock
from shared.codec import batches
from shared.crypto import STD
from shared.errors import Malformed, NotAuthentic, Unavailable
from shared.errors import Refused as RefusedError
from shared.ids import BoxId
from shared.ledger import Account
from shared.reasons import Reason
from shared.topics import UP
from tests.central.ingest.boxes import BOX, OTHER, PaperBox
from tests.central.ingest.centre import AT, Centre
from tests.central.ingest.custody import receipt_for, take
from tests.central.ingest.wire import Wire, prove_both, running_box, serving


def forged(box: PaperBox) -> bytes:
    """A batch under a signature of somebody else's."""
    batch = box.batch()
    key = STD.new_signing_key()
    box.signing_key, own = key, box.signing_key
    signature = box.batch().signature
    box.signing_key = own
    return batches.encode(box.sign(batch.head, batch.rows)).replace(batch.signature, signature)


def changed(box: PaperBox) -> bytes:
    """A row changed after signing."""
    return box.encode().replace(box.rows[0].body[-8:], bytes(8))


def of_another(box: PaperBox) -> bytes:
    """Another box's batch, whole."""
    return box.encode().replace(str(box.id).encode(), str(OTHER).encode())


def huge(box: PaperBox) -> bytes:
    """Ten megabytes."""
    return box.encode() + bytes(10_000_000)


def long_body(box: PaperBox) -> bytes:
    """A body that no box can give birth to."""
    batch = box.batch()
    row = batch.rows[0]._replace(body=bytes(65 * 1024))
    return batches.encode(msgspec.structs.replace(batch, rows=(row, *batch.rows[1:])))


BAD = {
    "forged": (forged, NotAuthentic, Reason.SIGNATURE_WRONG),
    "changed": (changed, NotAuthentic, Reason.SIGNATURE_WRONG),
    "another's": (of_another, RefusedError, Reason.NOT_FOR_THIS_BOX),
    "ten-megabytes": (huge, Malformed, Reason.BODY_TOO_LARGE),
    "long-body": (long_body, Malformed, Reason.BODY_TOO_LARGE),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_batch_is_refused_whole_and_harms_nothing(
    centre: Centre, box: PaperBox, bad: str
) -> None:
    """With its reason; the same rows, honestly signed, are taken before and after."""
    build, error, reason = BAD[bad]
    first, second = box.scan(), box.scan()
    take(centre, box.encode([first]))
    with pytest.raises(error) as raised:
        take(centre, build(box))
    assert raised.value.reason is reason
    assert take(centre, box.encode()) == receipt_for([first, second])
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.holds
    assert report.account == Account(2, 2, 0, 0)


def test_a_gap_another_order_and_the_future_are_no_refusals(centre: Centre, box: PaperBox) -> None:
    """Taken and accounted for."""
    rows = [box.scan() for _ in range(4)]
    rows.append(box.append_plaintext(b"\x81\xa7version\x09"))
    take(centre, box.encode([rows[4], rows[1], rows[3]]))
    (report,) = centre.ingest.ledger.verify(BOX)
    assert report.holds
    assert report.account == Account(5, 3, 2, 0)
    assert report.parked == 1


def counter(centre: Centre, clock: ManualClock) -> Refusals:
    """Refusals that nobody writes by itself."""
    return Refusals(Audit(centre.database, centre.keys.audit_mac), Writer(centre.database), clock)


async def test_a_flood_is_one_row_a_minute(centre: Centre) -> None:
    """The first at once; ten thousand more are a number in the next row; a box for itself."""
    refusals, clock = counter(centre, ManualClock(AT)), ManualClock(AT)
    refusals.note(BOX, UP, Reason.SIGNATURE_WRONG)
    due = refusals.list_due(clock.now())
    assert due == [Refused(BOX, Reason.SIGNATURE_WRONG, UP, 1)]
    refusals.note_written(due, clock.now())
    for _ in range(10_000):
        refusals.note(BOX, UP, Reason.SIGNATURE_WRONG)
    refusals.note(OTHER, "ask/scan", Reason.SEAL_BROKEN)
    assert [each.box for each in refusals.list_due(AT + timedelta(seconds=59))] == [OTHER]
    due = refusals.list_due(AT + BETWEEN_ROWS)
    assert due[0].times == 10_000
    refusals.note_written(due, AT + BETWEEN_ROWS)
    assert refusals.list_due(AT + 3 * BETWEEN_ROWS) == []


async def test_what_the_wire_brings_is_audited(wire: Wire) -> None:
    """Under the box's name, with reason and kind; its honest rows go on meanwhile."""
    files = wire.add_box(BoxId("site1", "box1"))
    async with serving(wire.centre), running_box(files) as box:
        await box.uplink.wait_up()
        await box.publish(UP, b"rubbish")
        await box.publish("ask/scan", b"not sealed" * 10)
        await box.publish(UP, bytes(MOST_BATCH_BYTES - 1000))
        await box.commit()
        await box.uplink.wait_drained()
        await prove_both(wire, box, 1)
        while (found := _refused(wire.centre)) != {"message-malformed", "suite-unknown"}:
            assert found <= {"message-malformed", "suite-unknown"}
            await box.commit()
            await box.uplink.wait_drained()


def _refused(centre: Centre) -> set[str]:
    rows = centre.database.execute(
        "SELECT json_extract(facts, '$.reason') FROM audit_row WHERE act = 'ingest.refuse'"
    )
    return {reason for (reason,) in rows}


async def test_ten_megabytes_do_not_pass_the_broker(wire: Wire) -> None:
    """It ends that connection; the box's own line, and its rows, are unharmed."""
    files = wire.add_box(BoxId("site1", "box1"))
    async with serving(wire.centre), running_box(files) as box:
        await box.uplink.wait_up()
        with pytest.raises(Unavailable, match=Reason.BROKER_UNAVAILABLE):
            await box.publish(UP, bytes(10_000_000))
        await box.commit()
        await box.uplink.wait_drained()
        await prove_both(wire, box, 1)
