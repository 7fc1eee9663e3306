"""Asks and batches between real boxes and central over a real broker with mutual TLS.

Each test about records ends with both ledgers' account.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from agent.config import BoxFiles
from agent.transport.downlink import Discarded, LinkChanged
from agent.transport.edges import Edge as BoxEdge
from agent.transport.link_states import LinkState
from central.fleet.states import BoxState
from central.ingest.edges import Edge
from central.ingest.inbox import RowCrashError
from central.ingest.mqtt import open_connection
from shared.codec import batches
from shared.crypto import STD
from shared.errors import Unavailable
from shared.ids import BoxId
from shared.ledger import Account, Lane, append, genesis_head, sign_batch
from shared.messages import Batch, RefusalReply, ScanReply, Verdict
from shared.reasons import Reason
from shared.topics import RECEIPT, REPLY, UP, build_topic
from tests.central.ingest.wire import (
    PATIENCE_SECONDS,
    Box,
    Wire,
    prove_both,
    running_box,
    serving,
)

BOX, OTHER = BoxId("site1", "box1"), BoxId("site1", "box2")
LONG = 10.0


@asynccontextmanager
async def both(wire: Wire, files: BoxFiles) -> AsyncIterator[Box]:
    """Central serving and one box whose line is up."""
    async with serving(wire.centre), running_box(files) as box, asyncio.timeout(PATIENCE_SECONDS):
        await box.uplink.wait_up()
        yield box


async def test_an_ask_is_answered_and_a_queue_is_drained(wire: Wire) -> None:
    """The thin whole: question and verdict, rows and receipt, and both ledgers agree."""
    async with both(wire, wire.add_box(BOX)) as box:
        ids = [await box.commit() for _ in range(250)]
        ask = box.scan_ask()
        reply = await box.uplink.ask(ask, LONG)
        assert isinstance(reply, ScanReply)
        assert (reply.id, reply.verdict) == (ask.id, Verdict.ACCEPTED)
        assert box.uplink.clock_offset is not None
        assert abs(box.uplink.clock_offset.milliseconds) <= box.uplink.clock_offset.confidence_ms
        await box.uplink.wait_drained()
        await prove_both(wire, box, 250)
    assert wire.centre.noted("test.record") == {id.hex: 1 for id in ids}
    assert wire.centre.noted("test.ask") == {ask.id.hex(): 1}


async def test_fifty_asks_at_once_get_their_own_answers(wire: Wire) -> None:
    """Answered together in few commits, each by its id."""
    async with both(wire, wire.add_box(BOX)) as box:
        asks = [box.scan_ask() for _ in range(50)]
        answers = await asyncio.gather(*(box.uplink.ask(ask, LONG) for ask in asks))
        assert [answer.id for answer in answers] == [ask.id for ask in asks]


async def test_a_refusal_crosses_the_line(wire: Wire) -> None:
    """The reason reaches the box, and nothing of the refused act is kept."""
    wire.centre.notebook.refuse = Reason.PERSON_MISMATCH
    async with both(wire, wire.add_box(BOX)) as box:
        reply = await box.uplink.ask(box.scan_ask(), LONG)
        assert isinstance(reply, RefusalReply)
        assert reply.reason is Reason.PERSON_MISMATCH
    assert wire.centre.noted("test.ask") == {}


async def test_a_full_disk_at_central_costs_an_answer_and_nothing_else(wire: Wire) -> None:
    """No reply and no receipt for what could not be stored; the line stays, the rest goes on."""
    async with both(wire, wire.add_box(BOX)) as box:
        wire.centre.notebook.full_disks = 1
        with pytest.raises(Unavailable) as error:
            await box.uplink.ask(box.scan_ask(), 0.5)
        assert error.value.reason is Reason.NO_ANSWER
        assert isinstance(await box.uplink.ask(box.scan_ask(), LONG), ScanReply)
        wire.centre.notebook.full_disks = 1
        await box.commit()
        await box.uplink.wait_drained()
        await prove_both(wire, box, 1)
        assert (await box.told(LinkChanged)).state is LinkState.CONNECTING
        assert (await box.told(LinkChanged)).state is LinkState.UP
        assert box.uplink.link.state is LinkState.UP


async def test_a_box_added_while_all_runs_is_admitted(wire: Wire) -> None:
    """Another process adds a box; central tells the broker, and the box's line goes up."""
    async with serving(wire.centre), asyncio.timeout(PATIENCE_SECONDS):
        files = wire.add_box(BOX)
        async with running_box(files) as box:
            await box.uplink.wait_up()
            assert isinstance(await box.uplink.ask(box.scan_ask(), LONG), ScanReply)


async def test_forged_replies_and_receipts_from_the_broker_are_dropped(wire: Wire) -> None:
    """Whoever may publish to the box, without its pair key is not believed."""
    files = wire.add_box(BOX)
    config = wire.centre.config.broker
    async with running_box(files) as box, asyncio.timeout(PATIENCE_SECONDS):
        async with serving(wire.centre):
            await box.uplink.wait_up()
        async with open_connection(config, wire.centre.files) as forger:
            await box.commit()
            asking = asyncio.create_task(box.uplink.ask(box.scan_ask(), LONG))
            for kind in (REPLY, RECEIPT):
                await forger.publish(build_topic(BOX, kind), b"\x01" + bytes(100), qos=1)
            seen = {(await box.told(Discarded)).kind for _ in range(2)}
            assert seen == {REPLY, RECEIPT}
            assert not asking.done()
            assert await box.outbox.read_account() == Account(1, 0, 1, 0)
            asking.cancel()
        async with serving(wire.centre):
            await box.uplink.wait_drained()
        await prove_both(wire, box, 1)


async def test_a_foreign_boxs_batch_is_refused(wire: Wire) -> None:
    """A box that signs for another, on its own topic or another's name, gets nothing in."""
    files = wire.add_box(BOX)
    wire.add_box(OTHER)
    async with both(wire, files) as box:
        forged = Batch(
            suite=STD.id,
            box=str(OTHER),
            key_id=1,
            head=genesis_head(STD, OTHER, 1),
            encapsulations=(),
            rows=(),
            signature=b"",
        )
        thief = STD.new_signing_key()
        signature = sign_batch(STD, thief, OTHER, 1, forged.head, ())
        for batch in (forged, _with(forged, box=str(BOX)), _with(forged, signature=signature)):
            await box.publish(UP, batches.encode(batch))
        await box.commit()
        await box.uplink.wait_drained()
        await prove_both(wire, box, 1)
    (other,) = wire.centre.ingest.ledger.verify(OTHER)
    assert other.account == Account(0, 0, 0, 0)


async def test_a_forked_batch_quarantines_its_box_and_is_receipted_for_the_rest(
    wire: Wire,
) -> None:
    """A clone's row is not taken and stays on record; the good one beside it is in custody.

    Back on its line the box hears that it is not admitted, and its own rows still settle.
    """
    receipted = asyncio.Event()

    def watch(edge: Edge) -> None:
        if edge is Edge.RECEIPT_SENT:
            receipted.set()

    files = wire.add_box(BOX)
    async with both(wire, files) as box:
        await box.commit()
        await box.uplink.wait_drained()
    async with running_box(files) as box:
        await box.commit()
        pending = await box.outbox.read_pending(2)
    assert pending is not None
    twin = append(STD, genesis_head(STD, BOX, 1), bytes(16), Lane.USE, 1, b"another life")[0]
    rows = (twin, *pending.rows)
    key = STD.signing_key(files.signing_key.read_bytes())
    forked = Batch(
        suite=STD.id,
        box=str(BOX),
        key_id=1,
        head=pending.head,
        encapsulations=pending.encapsulations,
        rows=rows,
        signature=sign_batch(STD, key, BOX, 1, pending.head, rows),
    )
    async with serving(wire.centre, watch), asyncio.timeout(PATIENCE_SECONDS):
        await box.publish(UP, batches.encode(forked))
        await receipted.wait()
    (report,) = wire.centre.ingest.ledger.verify(BOX)
    assert report.account == Account(2, 2, 0, 0)
    assert [(each.reason, each.first) for each in report.findings] == [(Reason.LEDGER_FORK, 1)]
    assert wire.centre.fleet.box(BOX).state is BoxState.QUARANTINED
    async with both(wire, files) as box:
        await box.uplink.wait_drained()
        assert await box.outbox.read_account() == Account(2, 2, 0, 0)
        reply = await box.uplink.ask(box.scan_ask(), LONG)
        assert isinstance(reply, RefusalReply)
        assert reply.reason is Reason.NOT_ADMITTED


async def test_a_lost_receipt_is_given_again(wire: Wire) -> None:
    """Central commits and dies before the receipt: the next one recognises every row."""
    died = asyncio.Event()

    def die(edge: Edge) -> None:
        if edge is Edge.AFTER_COMMIT:
            died.set()
            raise ConnectionAbortedError

    files = wire.add_box(BOX)
    async with running_box(files) as box, asyncio.timeout(PATIENCE_SECONDS):
        async with serving(wire.centre, die):
            await box.uplink.wait_up()
            ids = [await box.commit() for _ in range(5)]
            await died.wait()
        assert await box.outbox.read_account() == Account(5, 0, 5, 0)
        assert wire.centre.ingest.ledger.verify(BOX)[0].account == Account(5, 5, 0, 0)
        async with serving(wire.centre):
            await box.uplink.wait_drained()
        await prove_both(wire, box, 5)
    assert wire.centre.noted("test.record") == {id.hex: 1 for id in ids}


async def test_central_dies_before_its_commit(wire: Wire) -> None:
    """Nothing was taken and nothing was promised; the next central takes all."""
    died = asyncio.Event()

    def die(edge: Edge) -> None:
        if edge is Edge.BEFORE_COMMIT:
            died.set()
            raise ConnectionAbortedError

    files = wire.add_box(BOX)
    async with running_box(files) as box, asyncio.timeout(PATIENCE_SECONDS):
        async with serving(wire.centre, die):
            await box.uplink.wait_up()
            for _ in range(5):
                await box.commit()
            await died.wait()
        assert wire.centre.ingest.ledger.verify(BOX)[0].account == Account(0, 0, 0, 0)
        async with serving(wire.centre):
            await box.uplink.wait_drained()
        await prove_both(wire, box, 5)


async def test_a_broker_killed_and_restarted_loses_nothing(wire: Wire) -> None:
    """kill -9 of the broker under a draining queue: both sides return, every row is settled."""
    sent = asyncio.Event()

    def watch(edge: BoxEdge) -> None:
        if edge is BoxEdge.BATCH_SENT:
            sent.set()

    files = wire.add_box(BOX)
    async with (
        serving(wire.centre),
        running_box(files, watch) as box,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        await box.uplink.wait_up()
        for _ in range(500):
            await box.commit()
        await sent.wait()
        wire.broker.kill()
        while (await box.told(LinkChanged)).state is not LinkState.BACKING_OFF:
            pass
        with pytest.raises(Unavailable) as error:
            await box.uplink.ask(box.scan_ask(), LONG)
        assert error.value.reason is Reason.LINK_DOWN
        wire.broker.start()
        await box.uplink.wait_drained()
        assert isinstance(await box.uplink.ask(box.scan_ask(), LONG), ScanReply)
        await prove_both(wire, box, 500)
    assert set(wire.centre.noted("test.record").values()) == {1}


async def test_a_poisonous_row_is_parked_after_three_crashes(wire: Wire) -> None:
    """Each time the process ends and is started again; then the queue moves on."""
    files = wire.add_box(BOX)
    async with running_box(files) as box, asyncio.timeout(PATIENCE_SECONDS):
        poison = await box.commit()
        wire.centre.notebook.crash_on = {poison.bytes}
        await box.commit()
        for _ in range(3):
            async with serving(wire.centre) as central:
                with pytest.raises(ExceptionGroup) as crash:
                    await central
                assert crash.group_contains(RowCrashError)
        async with serving(wire.centre):
            await box.uplink.wait_drained()
        await prove_both(wire, box, 2)
    (parked,) = wire.centre.ingest.ledger.list_parked()
    assert (parked.row.id, parked.reason) == (poison.bytes, Reason.RECORD_POISON)


def _with(batch: Batch, **changes: object) -> Batch:
    return msgspec.structs.replace(batch, **changes)
