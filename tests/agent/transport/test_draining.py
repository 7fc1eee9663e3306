"""The queue's drain: settled by central's receipt alone, the same batch until one comes."""

import asyncio
from collections.abc import Sequence

import pytest

from agent.offline_queue.outbox import SqliteOutbox
from agent.ports import Pending
from agent.transport.batches import MAX_BATCH_BYTES, MAX_BATCH_ROWS, build_batch
from agent.transport.box_keys import BoxKeys
from agent.transport.downlink import Discarded, RowsSettled
from agent.transport.edges import Edge
from agent.transport.uplink import CentralUplink
from shared.codec import batches
from shared.crypto import STD
from shared.errors import Unavailable
from shared.ledger import Account, Head, genesis_head, verify_batch
from shared.ledger import append as append_row
from shared.messages import Batch, Settled
from shared.pairing import PairKey
from shared.reasons import Reason
from shared.sealing import BodySealer
from shared.topics import RECEIPT, UP
from tests.agent.transport.conftest import SIGNING_KEY, Station
from tests.agent.transport.peer import BOX, PAIR_KEY, Peer

KEYS = BoxKeys(BOX, PAIR_KEY, SIGNING_KEY, 1)


async def test_only_a_receipt_settles(running: Station) -> None:
    """The broker took the batch and the rows stay pending; central's receipt settles them."""
    ids = [await running.commit() for _ in range(3)]
    batch = await running.peer.heard_batch()
    assert [row.id for row in batch.rows] == [id.bytes for id in ids]
    assert await running.outbox.read_account() == Account(3, 0, 3, 0)
    running.peer.receipt(batch)
    assert await running.told(RowsSettled) == RowsSettled(3)
    assert await running.outbox.read_account() == Account(3, 3, 0, 0)
    await running.uplink.wait_drained()
    assert running.edges == [
        Edge.BATCH_BUILT,
        Edge.BATCH_SENT,
        Edge.RECEIPT_RECEIVED,
        Edge.SETTLED,
    ]


async def test_a_batch_is_signed_and_carries_its_encapsulation(running: Station) -> None:
    """Central can verify it with the box's public key, and open it."""
    await running.commit()
    batch = await running.peer.heard_batch()
    verify_batch(
        STD,
        STD.verify_key(SIGNING_KEY.public_bytes),
        BOX,
        1,
        batch.head,
        batch.rows,
        batch.signature,
    )
    assert len(batch.encapsulations) == 1


async def test_without_a_receipt_the_same_rows_go_again(running: Station) -> None:
    """A lost receipt costs a repetition, behind the rows that have not been tried."""
    await running.commit()
    sent = await running.peer.heard(UP)
    assert (sent.qos, sent.retain) == (1, False)
    first = batches.decode(sent.payload)
    await running.commit()
    second = await running.peer.heard_batch()
    assert [row.seq for row in second.rows] == [2]
    running.peer.receipt(second)
    again = await running.peer.heard_batch()
    assert again.rows == first.rows
    running.peer.receipt(first)
    await running.uplink.wait_drained()
    assert await running.outbox.read_account() == Account(2, 2, 0, 0)


async def test_a_forged_receipt_settles_nothing(running: Station) -> None:
    """Another key's receipt is dropped and told; the true one still counts."""
    await running.commit()
    batch = await running.peer.heard_batch()
    running.peer.receipt(batch, key=PairKey(bytes(32)))
    assert await running.told(Discarded) == Discarded(RECEIPT, Reason.SEAL_BROKEN)
    assert await running.outbox.read_account() == Account(1, 0, 1, 0)
    running.peer.receipt(batch)
    await running.told(RowsSettled)
    assert await running.outbox.read_account() == Account(1, 1, 0, 0)


async def test_a_receipt_for_another_content_settles_nothing(running: Station) -> None:
    """A receipt must name the row's own hash; the batch goes again."""
    await running.commit()
    batch = await running.peer.heard_batch()
    other = batch.rows[0]._replace(born=5)
    running.peer.receipt(build_batch(KEYS, Pending(batch.head, (other,), ())))
    assert await running.peer.heard_batch() == batch
    assert await running.outbox.read_account() == Account(1, 0, 1, 0)


async def test_rows_without_a_receipt_stay_and_block_nobody(running: Station) -> None:
    """Central left one row out: it stays pending, and goes again behind what came since."""
    for _ in range(3):
        await running.commit()
    batch = await running.peer.heard_batch()
    await running.commit()
    running.peer.receipt(batch, only=[1, 3])
    for left in ([4], [2]):
        rest = await running.peer.heard_batch()
        assert [row.seq for row in rest.rows] == left
        running.peer.receipt(rest)
    await running.uplink.wait_drained()
    assert await running.outbox.read_account() == Account(4, 4, 0, 0)


async def test_a_whole_batch_without_a_receipt_blocks_nobody(running: Station) -> None:
    """Central takes none of a full batch: what comes behind it goes before it goes again."""
    running.peer.cut()
    running.peer.refuse_connections = True
    for _ in range(MAX_BATCH_ROWS + 5):
        await running.commit()
    running.peer.refuse_connections = False
    firsts = [(await running.peer.heard_batch()).rows[0].seq]
    while firsts[-1] == 1:
        firsts.append((batch := await running.peer.heard_batch()).rows[0].seq)
    assert firsts[-1] == MAX_BATCH_ROWS + 1
    running.peer.receipt(batch)
    while batch.rows[0].seq != 1:
        batch = await running.peer.heard_batch()
    running.peer.receipt(batch)
    await running.uplink.wait_drained()
    account = await running.outbox.read_account()
    assert account == Account(MAX_BATCH_ROWS + 5, MAX_BATCH_ROWS + 5, 0, 0)


async def test_a_batch_goes_again_as_soon_as_the_line_is_back(station: Station) -> None:
    """A loss ends the wait for a receipt, however long that wait was to be."""
    uplink = CentralUplink(
        KEYS,
        station.outbox,
        station.clock,
        station.peer.open_connection,
        receipt_seconds=3600,
        gather_seconds=0,
        retry_seconds=0.01,
    )
    line = asyncio.create_task(uplink.run())
    async with asyncio.timeout(20):
        await station.commit()
        batch = await station.peer.heard_batch()
        station.peer.cut()
        assert await station.peer.heard_batch() == batch
        station.peer.receipt(batch)
        await uplink.wait_drained()
    line.cancel()
    await asyncio.wait((line,))


async def test_rows_gather_while_nothing_is_in_flight(station: Station) -> None:
    """After a quiet time the first row waits a moment for company; being asked to hurry ends it."""
    uplink = CentralUplink(
        KEYS,
        station.outbox,
        station.clock,
        station.peer.open_connection,
        gather_seconds=3600,
    )
    line = asyncio.create_task(uplink.run())
    async with asyncio.timeout(20):
        await uplink.wait_up()
        await uplink.wait_drained()
        for _ in range(5):
            await station.commit()
        drained = asyncio.create_task(uplink.wait_drained())
        batch = await station.peer.heard_batch()
        assert len(batch.rows) == 5
        station.peer.receipt(batch)
        await drained
    line.cancel()
    await asyncio.wait((line,))


@pytest.mark.timeout(60)  # where it holds the loop, no limit of the loop's own comes
async def test_a_line_that_is_gone_before_it_is_known_holds_up_nobody(running: Station) -> None:
    """The library refuses to send at once, and the line still seems to be up: others go on, the
    loss among them."""
    running.peer.refuse_publishing = True
    await running.commit()
    await running.peer.refused.wait()
    running.peer.cut()
    running.peer.refuse_publishing = False
    batch = await running.peer.heard_batch()
    running.peer.receipt(batch)
    await running.uplink.wait_drained()


async def test_a_long_queue_goes_in_batches(station: Station) -> None:
    """One batch in flight at a time, the oldest rows first."""
    for _ in range(MAX_BATCH_ROWS + 20):
        await station.commit()
    uplink = CentralUplink(
        KEYS, station.outbox, station.clock, station.peer.open_connection, spread_seconds=0
    )
    line = asyncio.create_task(uplink.run())
    seen: list[int] = []
    async with asyncio.timeout(20):
        while len(seen) < MAX_BATCH_ROWS + 20:
            batch = await station.peer.heard_batch()
            assert len(batch.rows) <= MAX_BATCH_ROWS
            assert station.peer.nothing_heard(UP)
            seen += [row.seq for row in batch.rows]
            station.peer.receipt(batch)
    line.cancel()
    await asyncio.wait((line,))
    assert seen == list(range(1, MAX_BATCH_ROWS + 21))


async def test_fresh_records_overtake_a_backlog(station: Station) -> None:
    """What is born while a backlog drains goes with the very next batch, also while the backlog
    still waits for its moment; nothing goes twice and nothing is left."""
    uplink = CentralUplink(
        KEYS,
        station.outbox,
        station.clock,
        station.peer.open_connection,
        gather_seconds=0.01,
        retry_seconds=0.01,
        spread_seconds=3600,
    )
    for _ in range(3 * MAX_BATCH_ROWS):
        await station.commit()
    line = asyncio.create_task(uplink.run())
    async with asyncio.timeout(20):
        await uplink.wait_up()
        fresh = await _commit_until_heard(station)
        station.peer.receipt(fresh)
        draining = asyncio.create_task(uplink.wait_drained())  # a hurry ends the waiting
        first = await station.peer.heard_batch()
        assert first.rows[0].seq == 1
        await station.commit()
        station.peer.receipt(first)
        overtaking = await station.peer.heard_batch()
        assert overtaking.rows[-1].seq == (await station.outbox.read_account()).created
        seen = [row.seq for batch in (fresh, first, overtaking) for row in batch.rows]
        station.peer.receipt(overtaking)
        while not draining.done():
            heard = asyncio.create_task(station.peer.heard_batch())
            await asyncio.wait((heard, draining), return_when=asyncio.FIRST_COMPLETED)
            if heard.done():
                seen += [row.seq for row in heard.result().rows]
                station.peer.receipt(heard.result())
    created = (await station.outbox.read_account()).created
    assert sorted(seen) == list(range(1, created + 1))
    line.cancel()
    await asyncio.wait((line,))


async def _commit_until_heard(station: Station) -> Batch:
    """The batch in which a record comes that was born after the line stood."""
    heard = asyncio.create_task(station.peer.heard_batch())
    while not heard.done():
        await station.commit()
        await asyncio.wait((heard,), timeout=0.05)
    batch = heard.result()
    assert batch.rows[0].seq > 3 * MAX_BATCH_ROWS
    return batch


def test_a_batch_has_a_bound_in_bytes() -> None:
    """Rows of the largest size go a few at a time; one alone always fits."""
    sealer = BodySealer(STD, STD.new_recipient_key().public_bytes, BOX)
    stranger = BodySealer(STD, STD.new_recipient_key().public_bytes, BOX)
    head, rows = genesis_head(STD, BOX, 1), []
    for number in range(40):
        id = number.to_bytes(16, "big")
        row, _, head = append_row(STD, head, id, 2, 1, sealer.seal(bytes(60_000), id, 2, 1))
        rows.append(row)
    pending = Pending(head, tuple(rows), (sealer.encapsulation, stranger.encapsulation))
    batch = build_batch(KEYS, pending)
    assert 1 < len(batch.rows) < 40
    assert len(batches.encode(batch)) <= MAX_BATCH_BYTES
    assert batch.encapsulations == (sealer.encapsulation,)


class FailingQueue:
    """A queue whose disk fails now and then, each act once."""

    def __init__(self, outbox: SqliteOutbox) -> None:
        self._outbox = outbox
        self._failed: set[str] = set()

    async def wait_for_pending(self) -> None:
        await self._outbox.wait_for_pending()

    async def read_account(self) -> Account:
        return await self._outbox.read_account()

    async def read_pending(self, limit: int, after: tuple[int, int] = (0, 0)) -> Pending | None:
        self._fail_once("read")
        return await self._outbox.read_pending(limit, after)

    async def settle(self, epoch: int, rows: Sequence[Settled]) -> int:
        self._fail_once("settle")
        return await self._outbox.settle(epoch, rows)

    async def keep_anchor(self, head: Head, signature: bytes) -> bool:
        return await self._outbox.keep_anchor(head, signature)

    def _fail_once(self, act: str) -> None:
        if act not in self._failed:
            self._failed.add(act)
            raise Unavailable(Reason.STORE_UNAVAILABLE, act)


async def test_a_queue_that_fails_is_tried_again(station: Station) -> None:
    """A full disk while reading or settling ends nothing: the batch goes again and is settled."""
    peer = Peer()
    uplink = CentralUplink(
        KEYS,
        FailingQueue(station.outbox),
        station.clock,
        peer.open_connection,
        gather_seconds=0,
        retry_seconds=0.01,
    )
    line = asyncio.create_task(uplink.run())
    async with asyncio.timeout(20):
        await station.commit()
        for _ in range(2):
            peer.receipt(await peer.heard_batch())
        await uplink.wait_drained()
    assert await station.outbox.read_account() == Account(1, 1, 0, 0)
    line.cancel()
    await asyncio.wait((line,))
