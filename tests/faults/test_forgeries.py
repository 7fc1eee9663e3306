"""A hostile broker: it may deliver what it likes, and nothing of it is believed.

The forger has central's own place on the broker, and not the pair key.
"""

import os

from shared.clock import SystemClock, to_microseconds
from shared.codec import receipts, replies
from shared.ids import RecordId, new_record_id
from shared.messages import Receipt, ScanReply, Settled, Verdict
from shared.pairing import Direction, PairKey
from shared.topics import RECEIPT, REPLY, build_topic
from tests.bench.echo import open_client
from tests.factories import IDENTITY, other_static_text
from tests.faults import oracle
from tests.faults.world import BOX, World


async def publish_as_central(world: World, kind: str, payload: bytes) -> None:
    """Send something down to the box, from central's listener."""
    pki = world.central_directory / "pki"
    client = open_client(
        port=world.ports.central_port,
        name="central",
        identifier="forger",
        ca=pki / "box-ca.pem",
        certificate=pki / "central.pem",
        key=pki / "central.key",
    )
    async with client:
        await client.publish(build_topic(BOX, kind), payload, qos=1)


async def test_a_forged_receipt_settles_nothing(world: World) -> None:
    """Right box, right sequence, right hash, wrong key: the row stays pending."""
    world.supervisor.stop("central")
    world.scan(other_static_text(1))
    (row,) = [row for row in oracle.read_box(world.queue) if row.state == oracle.PENDING]
    receipt = Receipt(str(BOX), row.epoch, (Settled(row.seq, row.hash),))
    forged = PairKey(os.urandom(32)).seal(Direction.DOWN, BOX, RECEIPT, receipts.encode(receipt))
    await publish_as_central(world, RECEIPT, forged)
    world.wait_box_said("down/receipt dropped")
    assert world.api.fetch("account")["pending"] == 1
    world.start_central()
    world.prove()


async def test_a_forged_reply_says_nothing(world: World) -> None:
    """Even under the id that is asked for, only the pair key makes an answer."""
    world.supervisor.stop("central")
    world.scanner.scan(other_static_text(2))
    asked: RecordId = new_record_id(SystemClock().now())
    reply = ScanReply(
        id=asked.bytes,
        central_at=to_microseconds(SystemClock().now()),
        verdict=Verdict.ACCEPTED,
        reason=None,
        identity=IDENTITY,
    )
    forged = PairKey(os.urandom(32)).seal(Direction.DOWN, BOX, REPLY, replies.encode(reply))
    await publish_as_central(world, REPLY, forged)
    world.wait_box_said("down/reply dropped")
    (view,) = [view for view in world.api.fetch("verdicts") if view["again"] is False][:1]
    assert view["decided_by"] in {"box", None}
    assert view["identity"] is None
    world.start_central()
    world.prove()


async def test_rubbish_is_dropped(world: World) -> None:
    """Empty, short, long and random payloads on every topic a box hears."""
    for kind in (RECEIPT, REPLY, "down/command", "desired"):
        for payload in (b"", b"\x01", os.urandom(40), os.urandom(70_000)):
            await publish_as_central(world, kind, payload)
    assert world.scan(world.issue_code())["verdict"] == "accepted"
    world.prove()
