"""What is refused is audited with its reason, and a flood of it fills nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from agent.transport.batches import MAX_BATCH_ROWS
from central.audit.service import Audit
from central.fleet.broker import NOTICES
from central.ingest.inbox import MOST_BATCH_BYTES
from central.ingest.refusals import BETWEEN_ROWS, CUT_OFF, Refusals, Refused
from central.storage.writer import Writer
from shared.clock import ManualClock
from shared.codec import batches
from shared.crypto import STD
from shared.errors import Malformed, NotAuthentic
from shared.errors import Refused as RefusedError
from shared.ids import BoxId
from shared.ledger import MAX_BODY_BYTES, Account
from shared.reasons import Reason
from shared.topics import UP
from tests.central.ingest.boxes import BOX, OTHER, PaperBox, scan_record
from tests.central.ingest.centre import AT, Centre
from tests.central.ingest.custody import receipt_for, take
from tests.central.ingest.wire import PATIENCE_SECONDS, Box, Wire, prove_both, running_box, serving


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


def _cut_off(centre: Centre) -> list[tuple[str, str, int]]:
    """Box, reason and count of what the audit has of packets that the broker cut off."""
    return list(
        centre.database.execute(
            "SELECT subject, json_extract(facts, '$.reason'), json_extract(facts, '$.count')"
            " FROM audit_row WHERE act = 'ingest.refuse'"
            " AND json_extract(facts, '$.kind') = 'cut-off' ORDER BY seq"
        )
    )


@asynccontextmanager
async def sending_ten_megabytes(box: Box) -> AsyncIterator[asyncio.Task[None]]:
    """Under the box's own certificate; its client waits for a PUBACK that does not come."""
    sending = asyncio.create_task(box.publish(UP, bytes(10_000_000)))
    try:
        yield sending
    finally:
        sending.cancel()
        await asyncio.wait((sending,))


async def test_ten_megabytes_are_cut_off_by_the_broker_and_audited(wire: Wire) -> None:
    """Under the sender's name, once. Another box's rows flow on; the sender's line comes back, and
    what it honestly sends is taken."""
    sender = wire.add_box(BOX)
    neighbour = wire.add_box(OTHER)
    async with (
        serving(wire.centre),
        running_box(sender) as box,
        running_box(neighbour) as other,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        await box.uplink.wait_up()
        await other.uplink.wait_up()
        committed = 0
        async with sending_ten_megabytes(box):
            while not _cut_off(wire.centre):
                await other.commit()
                committed += 1
                await other.uplink.wait_drained()
        await box.commit()
        await box.uplink.wait_drained()
        await prove_both(wire, box, 1)
        await prove_both(wire, other, committed)
    assert _cut_off(wire.centre) == [(str(BOX), Reason.BODY_TOO_LARGE, 1)]


async def test_what_every_process_hears_is_written_by_one(centre: Centre) -> None:
    """Once a minute, however many processes count the same; what only one has, it writes itself."""
    clock = ManualClock(AT)
    audit = Audit(centre.database, centre.keys.audit_mac)
    async with Writer(centre.database) as writer, asyncio.TaskGroup() as group:
        all_hear = [Refusals(audit, writer, clock, told_to_all=True) for _ in range(3)]
        alone = Refusals(audit, writer, clock)
        tasks = [group.create_task(each.run()) for each in (*all_hear, alone)]
        for each in all_hear:
            each.note(BOX, CUT_OFF, Reason.BODY_TOO_LARGE)
        alone.note(BOX, UP, Reason.BODY_TOO_LARGE)
        while any(each.list_due(AT) for each in (*all_hear, alone)):
            await writer.run(int, patient=True)
        assert _cut_off(centre) == [(str(BOX), Reason.BODY_TOO_LARGE, 1)]
        assert _refused(centre) == {Reason.BODY_TOO_LARGE}
        clock.advance(BETWEEN_ROWS)
        for each in all_hear[1:]:
            each.note(BOX, CUT_OFF, Reason.BODY_TOO_LARGE)
            each.note(BOX, CUT_OFF, Reason.BODY_TOO_LARGE)
        while any(each.list_due(clock.now()) for each in all_hear):
            await writer.run(int, patient=True)
        for task in tasks:
            task.cancel()
    assert [times for _, _, times in _cut_off(centre)] == [1, 2]


async def test_a_broker_with_older_roles_lets_central_serve_and_is_told(wire: Wire) -> None:
    """Central takes rows at once; it may hear the notices from its next connection on."""
    files = wire.centre.files.broker_roles
    roles = json.loads(files.read_text())
    for role in roles["roles"]:
        role["acls"] = [acl for acl in role["acls"] if acl["topic"] != NOTICES]
    files.write_text(json.dumps(roles))
    wire.broker.restart()
    box_files = wire.add_box(BOX)
    async with (
        serving(wire.centre),
        running_box(box_files) as box,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        await box.commit()
        await box.uplink.wait_drained()
        while not _cut_off(wire.centre):
            async with sending_ten_megabytes(box) as sending:
                await asyncio.wait((sending,), timeout=0.5)  # before central has come again, or not


async def test_the_largest_records_of_a_box_pass(wire: Wire) -> None:
    """A box builds no batch that the broker would cut off, so it sends none again and again."""
    files = wire.add_box(BOX)
    async with serving(wire.centre), running_box(files) as box, asyncio.timeout(PATIENCE_SECONDS):
        largest = msgspec.structs.replace(scan_record(BOX), code="x" * (MAX_BODY_BYTES - 1000))
        for _ in range(MAX_BATCH_ROWS):
            await box.commit(largest)
        await box.uplink.wait_drained()
        await prove_both(wire, box, MAX_BATCH_ROWS)
    assert "oversize" not in wire.broker.log.read_text()
