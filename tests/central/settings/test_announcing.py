"""Settings from central to a box, and the box's answer, over a real broker with mutual TLS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from agent.config import BoxFiles
from agent.transport.downlink import DesiredCame
from central.ingest.mqtt import open_connection as open_central_connection
from central.presence.live import Live
from shared.crypto import STD
from shared.desired import BoxSettings, RefusedDesired
from shared.errors import Malformed
from shared.ids import BoxId
from shared.reasons import Reason
from shared.topics import DESIRED, build_topic
from tests.central.ingest.wire import PATIENCE_SECONDS, Wire, running_box, serving
from tests.central.settings.living import (
    LivingBox,
    Watch,
    living_box,
    read_retained,
    want,
    watching,
)

BOX, OTHER = BoxId("site1", "box1"), BoxId("site1", "box2")


@asynccontextmanager
async def both(wire: Wire, files: BoxFiles) -> AsyncIterator[tuple[LivingBox, Watch]]:
    """Central serving, a box that has its first settings, and eyes on what central knows."""
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        serving(wire.centre),
        watching(wire.centre) as watch,
        living_box(files) as living,
    ):
        await watch.live(BOX, at_work(1))
        yield living, watch


def at_work(revision: int, refused: RefusedDesired | None = None) -> Callable[[Live], bool]:
    """A box that says this revision is at work, and this the last refusal."""

    def look(live: Live) -> bool:
        said = live.reported
        return said is not None and (said.revision, said.refused) == (revision, refused)

    return look


async def put_in_place(wire: Wire, payload: bytes) -> None:
    """Retain anything in the place of a box's settings, as whoever holds the broker could."""
    connection = open_central_connection(wire.centre.config.broker, wire.centre.files)
    async with connection as central:
        await central.publish(build_topic(BOX, DESIRED), payload, qos=1, retain=True)


async def test_what_is_set_is_at_work_and_said_so(wire: Wire) -> None:
    """Set by another process, announced, taken without a restart, and echoed."""
    async with both(wire, wire.add_box(BOX)) as (living, watch):
        want(wire, BOX, BoxSettings(counter="挂号9", again_seconds=3))
        await watch.live(BOX, at_work(2))
        assert living.settings.counter == "挂号9"
        assert living.settings.effective.again.total_seconds() == 3


async def test_settings_wait_for_a_box_that_is_off(wire: Wire) -> None:
    """Retained: a box that comes back finds them, with central away."""
    files = wire.add_box(BOX)
    want(wire, BOX, BoxSettings(counter="挂号9"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with serving(wire.centre), running_box(files) as box:
            await box.told(DesiredCame)
        files.desired.unlink(missing_ok=True)
        async with living_box(files) as living:
            taken = asyncio.Event()
            living.settings.subscribe(lambda _: taken.set())
            await taken.wait()
            assert living.settings.counter == "挂号9"


async def test_the_same_settings_are_not_sealed_twice_on_a_connection(wire: Wire) -> None:
    """What the broker has stays as it is when another box's settings change."""
    files, other = wire.add_box(BOX), wire.add_box(OTHER)
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        serving(wire.centre),
        watching(wire.centre) as watch,
    ):
        async with living_box(files), living_box(other):
            await watch.live(BOX, at_work(1))
            await watch.live(OTHER, at_work(1))
        before = await read_retained(files)
        other_before = await read_retained(other)
        want(wire, OTHER, BoxSettings(counter="挂号9"))
        async with living_box(other):
            await watch.live(OTHER, at_work(2))
        assert await read_retained(files) == before
        assert await read_retained(other) != other_before


async def test_what_nobody_with_the_pair_key_sealed_is_not_believed(wire: Wire) -> None:
    """Forged from central's own place on the broker: counted, reported, and put right."""
    files = wire.add_box(BOX)
    async with both(wire, files) as (living, watch):
        genuine = await read_retained(files)
        await put_in_place(wire, bytes([STD.id]) + bytes(60))
        await watch.live(BOX, at_work(1, RefusedDesired(0, Reason.SEAL_BROKEN)))
        await watch.live(BOX, at_work(1))
        assert living.forged == [Reason.SEAL_BROKEN]
        assert await read_retained(files) != genuine
        assert living.box.uplink.discarded[Reason.SEAL_BROKEN] == 1


async def test_another_boxs_settings_are_not_believed(wire: Wire) -> None:
    """What central sealed for one box opens at no other."""
    files, other = wire.add_box(BOX), wire.add_box(OTHER)
    async with both(wire, files) as (living, watch):
        async with living_box(other):
            await watch.live(OTHER, at_work(1))
        await put_in_place(wire, await read_retained(other))
        await watch.live(BOX, at_work(1, RefusedDesired(0, Reason.SEAL_BROKEN)))
        await watch.live(BOX, at_work(1))
        assert living.forged == [Reason.SEAL_BROKEN]


async def test_an_older_one_put_back_is_refused_and_replaced(wire: Wire) -> None:
    """Authentic, and yet not what is wanted now."""
    files = wire.add_box(BOX)
    async with both(wire, files) as (living, watch):
        old = await read_retained(files)
        want(wire, BOX, BoxSettings(counter="挂号9"))
        await watch.live(BOX, at_work(2))
        await put_in_place(wire, old)
        await watch.live(BOX, at_work(2, RefusedDesired(1, Reason.SETTINGS_OLDER)))
        await watch.live(BOX, at_work(2))
        assert living.settings.counter == "挂号9"


async def test_what_a_box_cannot_do_is_seen_at_central(wire: Wire) -> None:
    """The last good one stays at work; the refusal names revision, reason and setting."""
    async with both(wire, wire.add_box(BOX)) as (living, watch):
        living.refuse.append(Malformed(Reason.GLYPH_MISSING, "site_name"))
        want(wire, BOX, BoxSettings(site_name="㐀医院"))
        refused = RefusedDesired(2, Reason.GLYPH_MISSING, "site_name")
        await watch.live(BOX, at_work(1, refused))
        living.refuse.clear()
        want(wire, BOX, BoxSettings(site_name="市人民医院"))
        await watch.live(BOX, at_work(3))
        assert living.settings.site_name == "市人民医院"


async def test_a_broker_that_forgot_is_told_again(wire: Wire) -> None:
    """On each connection of central everything is announced."""
    files = wire.add_box(BOX)
    async with both(wire, files):
        pass
    async with asyncio.timeout(PATIENCE_SECONDS):
        await put_in_place(wire, b"")  # MQTT: nothing is retained from now on
        async with serving(wire.centre), running_box(files) as box:
            await box.told(DesiredCame)
