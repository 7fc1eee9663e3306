"""The generated broker configuration on a real Mosquitto; rights are judged by delivery."""

import asyncio
import json
import ssl
from datetime import UTC, datetime

import aiomqtt
import pytest

from central.fleet.broker import (
    CONTROL,
    CONTROL_RESPONSE,
    NOTICES,
    Command,
    admit_commands,
    encode_commands,
    expel_commands,
    hear_commands,
    parse_cut_off,
)
from shared.ids import BoxId
from shared.topics import CENTRAL_HEARS, RECEIPT, REPLY, STATUS, UP, build_topic
from tests.central.fleet.conftest import Line

BOX, OTHER, FAR = BoxId("site1", "box1"), BoxId("site1", "box2"), BoxId("site2", "box1")
NEWCOMER = BoxId("site3", "box9")
FENCE = b"fence"
NOW = datetime.now(UTC)


async def hear(client: aiomqtt.Client, until: bytes = FENCE) -> list[str]:
    """The topics delivered before the message that ends the listening."""
    topics: list[str] = []
    async with asyncio.timeout(5):
        async for message in client.messages:
            if message.payload == until:
                return topics
            topics.append(str(message.topic))
    raise AssertionError("the line ended")


async def subscribe(client: aiomqtt.Client, *filters: str) -> None:
    """Ask for these filters; what a grant is worth, delivery tells."""
    for filter in filters:
        await client.subscribe(filter, qos=1)


async def test_a_box_and_central_reach_each_other(line: Line) -> None:
    """What a box sends reaches central's shared subscription, and central's replies the box."""
    async with line.central() as central, line.box(BOX) as box:
        await subscribe(central, *CENTRAL_HEARS)
        await subscribe(box, build_topic(BOX, "down/#"))
        for kind in ("ask/scan", UP, STATUS):
            await box.publish(build_topic(BOX, kind), b"x", qos=1)
        await box.publish(build_topic(BOX, "ask/end"), FENCE, qos=1)
        assert await hear(central) == [build_topic(BOX, kind) for kind in ("ask/scan", UP, STATUS)]
        await central.publish(build_topic(BOX, REPLY), b"x", qos=1)
        await central.publish(build_topic(BOX, RECEIPT), FENCE, qos=1)
        assert await hear(box) == [build_topic(BOX, REPLY)]


@pytest.mark.parametrize(
    "topic",
    [
        build_topic(OTHER, UP),
        build_topic(FAR, "ask/scan"),
        build_topic(BOX, REPLY),
        build_topic(BOX, "desired"),
        "onecode/v1/lists/revoked",
        CONTROL,
    ],
)
async def test_a_box_publishes_below_its_own_root_only(line: Line, topic: str) -> None:
    """A foreign, downward, list or control topic is not delivered to anyone."""
    async with line.central() as central, line.box(OTHER) as other, line.box(BOX) as box:
        await subscribe(central, *CENTRAL_HEARS, CONTROL_RESPONSE)
        await subscribe(other, build_topic(OTHER, "down/#"), "onecode/v1/lists/#")
        await box.publish(topic, b"forged", qos=1)
        await other.publish(build_topic(OTHER, UP), FENCE, qos=1)
        assert await hear(central) == []
        await central.publish(build_topic(OTHER, REPLY), FENCE, qos=1)
        assert await hear(other) == []


async def test_a_box_hears_its_own_topics_and_the_lists_only(line: Line) -> None:
    """Subscribing elsewhere, also into central's share, delivers nothing and takes nothing."""
    foreign = [
        build_topic(OTHER, "down/#"),
        "onecode/v1/+/+/down/#",
        "onecode/v1/#",
        "#",
        build_topic(OTHER, UP),
        *CENTRAL_HEARS,
        f"$share/mine/{build_topic(OTHER, 'down/#')}",
        "$SYS/#",
    ]
    async with line.central() as central, line.box(OTHER) as other, line.box(BOX) as box:
        await subscribe(central, *CENTRAL_HEARS)
        await subscribe(box, *foreign, build_topic(BOX, "down/#"), "onecode/v1/lists/#")
        for _ in range(20):
            await other.publish(build_topic(OTHER, "ask/scan"), b"ask", qos=1)
        await other.publish(build_topic(OTHER, "ask/end"), FENCE, qos=1)
        assert await hear(central) == [build_topic(OTHER, "ask/scan")] * 20
        await central.publish(build_topic(OTHER, REPLY), b"for the other", qos=1)
        await central.publish("onecode/v1/lists/revoked", b"for all", qos=1)
        await central.publish(build_topic(BOX, REPLY), FENCE, qos=1)
        assert await hear(box) == ["onecode/v1/lists/revoked"]


async def test_central_alone_hears_the_brokers_notices(line: Line) -> None:
    """Who came and went, and nothing of what they said; no box hears them or can put one in."""
    forged = b"1: Client site1/box2 disconnected due to oversize packet."
    async with line.central() as central, line.box(OTHER) as other:
        await subscribe(central, *CENTRAL_HEARS, CONTROL_RESPONSE, NOTICES)
        await subscribe(other, NOTICES, "$SYS/broker/log/#", build_topic(OTHER, "down/#"))
        async with line.box(BOX) as box:
            await box.publish(build_topic(BOX, "ask/secret"), b"payload", qos=1)
            await box.publish(NOTICES, forged, qos=1)
        await other.publish(build_topic(OTHER, UP), FENCE, qos=1)
        notices = []
        async with asyncio.timeout(5):
            async for message in central.messages:
                if message.payload == FENCE:
                    break
                if str(message.topic) == NOTICES:
                    assert isinstance(message.payload, bytes)
                    notices.append(message.payload)
        assert [each for each in notices if str(BOX).encode() in each]
        assert not [each for each in notices if b"secret" in each or b"payload" in each]
        assert forged not in notices
        await central.publish(build_topic(OTHER, REPLY), FENCE, qos=1)
        assert await hear(other) == []
        assert await errors(central, hear_commands()) == [True, True]  # and no session is cut


@pytest.mark.parametrize(
    ("notice", "box"),
    [
        (b"1795927616: Client site1/box1 disconnected due to oversize packet.", BOX),
        (b"1795927616: Client site1/box1 disconnected.", None),
        (b"1795927616: Client site1/box1 disconnected due to protocol error.", None),
        (b"1795927616: Client central-34812a8b558e6 disconnected due to oversize packet.", None),
        (b"1795927616: Client central/box1 disconnected due to oversize packet.", None),
        (b"1795927616: Client site1 disconnected due to oversize packet.", None),
        (b"Client site1/box1 disconnected due to oversize packet.", None),
        (b"1795927616: Client site1/box1 disconnected due to oversize packet.\n", None),
        (
            b"1: Client a disconnected. 1: Client site1/box1 disconnected due to oversize packet.",
            None,
        ),
        (b"1795927616: Client \xff/box1 disconnected due to oversize packet.", None),
        (b"", None),
    ],
)
def test_only_a_box_that_was_cut_off_is_read_from_a_notice(
    notice: bytes, box: BoxId | None
) -> None:
    """Every other notice, and everything that is none, says nothing."""
    assert parse_cut_off(notice) == box


async def test_the_client_id_is_the_certificates_name(line: Line) -> None:
    """A box that claims another's client id does not take over its session."""
    async with line.central() as central, line.box(OTHER) as other:
        await subscribe(other, build_topic(OTHER, "down/#"))
        async with line.box(BOX, client_id=str(OTHER)) as box:
            await box.publish(build_topic(BOX, UP), b"x", qos=1)
            await central.publish(build_topic(OTHER, REPLY), FENCE, qos=1)
            assert await hear(other) == []
        # The same certificate twice is one client: the second connection ends the first.
        async with line.box(OTHER):
            with pytest.raises(aiomqtt.MqttError):
                await hear(other)


async def test_a_box_is_admitted_while_the_broker_runs(line: Line) -> None:
    """A new box works after central's command, and again after the broker's restart."""
    async with line.central() as central, line.box(NEWCOMER) as box, line.box(BOX) as witness:
        await subscribe(central, *CENTRAL_HEARS, CONTROL_RESPONSE)
        await box.publish(build_topic(NEWCOMER, UP), b"too early", qos=1)
        await witness.publish(build_topic(BOX, UP), FENCE, qos=1)
        assert await hear(central) == []
        assert await errors(central, admit_commands(NEWCOMER)) == [False, False]
        with pytest.raises(aiomqtt.MqttError):
            await hear(box)  # its session from before is cut: it comes back with its rights
    async with line.central() as central, line.box(NEWCOMER) as box:
        await subscribe(central, *CENTRAL_HEARS, CONTROL_RESPONSE)
        assert await errors(central, admit_commands(NEWCOMER)) == [True, True]
        await box.publish(build_topic(NEWCOMER, UP), FENCE, qos=1)
        assert await hear(central) == []
    line.broker.restart()
    async with line.central() as central, line.box(NEWCOMER) as box:
        await subscribe(central, *CENTRAL_HEARS)
        await box.publish(build_topic(NEWCOMER, UP), FENCE, qos=1)
        assert await hear(central) == []


async def test_an_expelled_box_is_cut_at_once_and_stays_out(line: Line) -> None:
    """The live session ends, and a new one with the same certificate has no topic."""
    async with line.central() as central, line.box(BOX) as box, line.box(OTHER) as witness:
        await subscribe(central, *CENTRAL_HEARS, CONTROL_RESPONSE)
        await subscribe(box, build_topic(BOX, "down/#"))
        assert await errors(central, expel_commands(BOX)) == [False, False]
        with pytest.raises(aiomqtt.MqttError):
            await hear(box)
        async with line.box(BOX) as late:
            await subscribe(late, build_topic(BOX, "down/#"))
            await late.publish(build_topic(BOX, UP), b"too late", qos=1)
            await central.publish(build_topic(BOX, REPLY), b"secret", qos=1)
            await witness.publish(build_topic(OTHER, UP), FENCE, qos=1)
            assert await hear(central) == []
            assert await errors(central, admit_commands(BOX)) == [False, False]
            with pytest.raises(aiomqtt.MqttError):
                await hear(late)


async def errors(central: aiomqtt.Client, commands: list[Command]) -> list[bool]:
    """Send commands to the plugin; whether it answered each with an error."""
    await central.publish(CONTROL, encode_commands(commands), qos=1)
    async with asyncio.timeout(5):
        async for message in central.messages:
            if str(message.topic) == CONTROL_RESPONSE:
                assert isinstance(message.payload, bytes)
                return ["error" in answer for answer in json.loads(message.payload)["responses"]]
    raise AssertionError("the line ended")


async def test_each_listener_takes_its_own_authority_only(line: Line) -> None:
    """A box's certificate does not open central's listener, nor central's the boxes'."""
    box = line.boxes.issue_box(BOX, NOW)
    central = line.centrals.issue_central(NOW)
    for identity, port in ((box, line.config.central_port), (central, line.config.box_port)):
        reader, writer = await asyncio.open_connection(
            "localhost", port, ssl=line.context(identity)
        )
        # TLS 1.3: the client's handshake is done before the broker has judged its certificate.
        with pytest.raises(ssl.SSLError, match=r"(?i)unknown.ca"):
            await reader.read(1)
        writer.close()
