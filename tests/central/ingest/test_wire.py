"""Asks and batches between real boxes and central over a real broker with mutual TLS."""

import asyncio

from shared.ids import BoxId
from shared.ledger import Account
from shared.messages import ScanReply, Verdict
from tests.central.ingest.wire import PATIENCE_SECONDS, Wire, running_box, serving

BOX, OTHER = BoxId("site1", "box1"), BoxId("site1", "box2")


async def test_an_ask_is_answered_and_a_queue_is_drained(wire: Wire) -> None:
    """The thin whole: question and verdict, rows and receipt, and both ledgers agree."""
    files = wire.add_box(BOX)
    async with serving(wire.centre), running_box(files) as box, asyncio.timeout(PATIENCE_SECONDS):
        ids = [await box.commit() for _ in range(250)]
        await box.uplink.wait_up()
        ask = box.scan_ask()
        reply = await box.uplink.ask(ask, deadline_seconds=5)
        assert isinstance(reply, ScanReply)
        assert (reply.id, reply.verdict) == (ask.id, Verdict.ACCEPTED)
        await box.uplink.wait_drained()
        assert await box.outbox.read_account() == Account(250, 250, 0, 0)
    (report,) = wire.centre.ingest.ledger.verify()
    assert report.account == Account(250, 250, 0, 0)
    assert report.holds
    assert wire.centre.noted("test.record") == {id.hex: 1 for id in ids}
    assert wire.centre.noted("test.ask") == {ask.id.hex(): 1}
