"""Batches that come twice, out of order, with a hole, or with a row nobody can read: custody holds.

The box's real queue and central's real inbox, with the wire between them in the test's hand.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.config import BoxFiles, read_box_config
from agent.offline_queue.outbox import SqliteOutbox, open_outbox
from agent.ports import Draft, Pending
from agent.transport.batches import build_batch
from agent.transport.box_keys import BoxKeys
from central.app import Central, open_central
from shared.clock import SystemClock, read_boot_id, to_microseconds
from shared.codec import batches
from shared.config import read_secret
from shared.crypto import STD
from shared.ids import new_record_id
from shared.ledger import Account, Lane, Row
from shared.messages import Origin, Receipt, RecordBase, RepeatRecord, Verdict
from shared.pairing import PairKey
from tests.faults import oracle
from tests.faults.world import BOX, World

CLOCK = SystemClock()


class RecordOfTheFuture(RecordBase, frozen=True, kw_only=True, tag="not-yet-invented"):
    """A kind that this central does not know."""

    surprise: str


@dataclass
class Wire:
    """The queue of a box that is not running, and a central that is not serving."""

    outbox: SqliteOutbox
    central: Central
    keys: BoxKeys

    async def keep(self, count: int) -> None:
        """Let so many records be born."""
        for _ in range(count):
            now = CLOCK.now()
            first = new_record_id(now).bytes
            record = RepeatRecord(
                lane=Lane.USE, origin=origin(), first=first, verdict=Verdict.ACCEPTED
            )
            await self.outbox.commit(Draft(new_record_id(now), now, record))

    async def send(self, choose: Callable[[Sequence[Row]], Sequence[Row]]) -> Receipt | None:
        """Send chosen rows of what is pending; central's receipt, not yet delivered."""
        pending = await self.outbox.read_pending(100)
        assert pending is not None
        chosen = Pending(pending.head, tuple(choose(pending.rows)), pending.encapsulations)
        payload = batches.encode(build_batch(self.keys, chosen))
        with self.central.unit():
            return self.central.ingest.inbox.take(BOX, payload, CLOCK.now())

    async def deliver(self, receipt: Receipt | None) -> None:
        """The receipt reaches the box."""
        assert receipt is not None
        await self.outbox.settle(receipt.epoch, receipt.rows)

    def central_account(self) -> Account:
        """What central proves of this box."""
        with self.central.unit():
            (report,) = self.central.ledger.verify(BOX)
            assert not [finding for finding in report.findings if finding.reason != "ledger-gap"]
            return report.account


def origin() -> Origin:
    """Where these records say they were born."""
    return Origin(
        box=str(BOX),
        counter="window 3",
        boot_id=read_boot_id(),
        wall_at=to_microseconds(CLOCK.now()),
        monotonic_ns=CLOCK.monotonic_ns(),
    )


@asynccontextmanager
async def open_wire(world: World) -> AsyncIterator[Wire]:
    """Stop both processes, open their files, and start them again at the end; then prove."""
    world.supervisor.stop("box")
    world.supervisor.stop("central")
    files = BoxFiles(Path(world.box_directory))
    config = read_box_config(files)
    keys = BoxKeys(
        BOX,
        PairKey(read_secret(files.pair_key)),
        STD.signing_key(read_secret(files.signing_key)),
        config.signing_key_id,
    )
    public = bytes.fromhex(config.central_public)
    async with open_outbox(files.queue, BOX, config.epoch, STD, public) as outbox:
        with open_central(world.central_directory) as central:
            yield Wire(outbox, central, keys)
    world.start_central()
    world.start_box()
    world.prove()


async def test_a_batch_twice(world: World) -> None:
    """The same receipt again; the rows are held once."""
    async with open_wire(world) as wire:
        await wire.keep(5)
        first = await wire.send(list)
        assert await wire.send(list) == first
        await wire.deliver(first)
        await wire.deliver(first)
        assert (await wire.outbox.read_account()).pending == 0


async def test_rows_out_of_order(world: World) -> None:
    """Any order, in several batches: links are checked once both neighbours are there."""
    async with open_wire(world) as wire:
        await wire.keep(6)
        odd = await wire.send(lambda rows: rows[1::2])
        backwards = await wire.send(lambda rows: rows[::-1])
        await wire.deliver(backwards)
        await wire.deliver(odd)
        assert wire.central_account().holds


async def test_a_hole(world: World) -> None:
    """An open gap at central, named, and pending at the box: the account holds on both sides."""
    async with open_wire(world) as wire:
        await wire.keep(5)
        held = wire.central_account().pending
        await wire.deliver(await wire.send(lambda rows: [rows[0], *rows[3:]]))
        assert (await wire.outbox.read_account()).pending == 2
        account = wire.central_account()
        assert account.pending == held + 2
        assert account.holds
        await wire.deliver(await wire.send(list))
        assert wire.central_account().pending == held


async def test_a_row_nobody_can_read(world: World) -> None:
    """Parked in sight, custody taken, and the good rows around it are interpreted."""
    async with open_wire(world) as wire:
        await wire.keep(1)
        now = CLOCK.now()
        future = RecordOfTheFuture(lane=Lane.USE, origin=origin(), surprise="!")
        unread = new_record_id(now)
        draft = Draft(unread, now, future)  # type: ignore[arg-type] # of no kind we know
        await wire.outbox.commit(draft)
        await wire.keep(1)
        await wire.deliver(await wire.send(list))
        assert (await wire.outbox.read_account()).pending == 0
        assert wire.central_account().holds
    assert oracle.parked(world.database) == [(str(BOX), "schema-unknown")]
