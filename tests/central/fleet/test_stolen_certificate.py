"""A stolen or copied certificate opens its own box's topics and nothing else, by delivery.

The thief uses ``mosquitto_pub`` and ``mosquitto_sub``; what a grant is worth, delivery tells.
"""

from datetime import UTC, datetime

import aiomqtt
import pytest

from central.fleet.broker import CONTROL, CONTROL_RESPONSE, MOST_PACKET_BYTES
from central.fleet.certificates import Authority, create_authority
from shared.ids import BoxId
from shared.topics import CENTRAL_HEARS, REPLY, UP, build_topic
from tests.central.fleet.conftest import Line
from tests.central.fleet.mosquitto_tools import listening, publish
from tests.central.fleet.test_broker import FENCE, hear, subscribe

STOLEN, OTHER = BoxId("site1", "box1"), BoxId("site1", "box2")
NOW = datetime.now(UTC)


@pytest.mark.parametrize("client_id", [str(STOLEN), str(OTHER), "central", "a-clone"])
async def test_it_hears_neither_others_nor_centrals_share(line: Line, client_id: str) -> None:
    """Whatever client id it claims; central gets every ask, the other box keeps its session."""
    identity = line.boxes.issue_box(STOLEN, NOW)
    foreign = [
        build_topic(OTHER, "down/#"),
        build_topic(OTHER, "#"),
        "onecode/v1/#",
        "#",
        CONTROL_RESPONSE,
        *CENTRAL_HEARS,
    ]
    own = build_topic(STOLEN, "down/#")
    async with line.central() as central, line.box(OTHER) as other:
        await subscribe(central, *CENTRAL_HEARS)
        await subscribe(other, build_topic(OTHER, "down/#"))
        async with listening(line, identity, client_id, [*foreign, own]) as thief:
            for _ in range(20):
                await other.publish(build_topic(OTHER, "ask/scan"), b"ask", qos=1)
            await other.publish(build_topic(OTHER, UP), FENCE, qos=1)
            assert await hear(central) == [build_topic(OTHER, "ask/scan")] * 20
            await central.publish(build_topic(OTHER, REPLY), b"for the other", qos=1)
            await central.publish(build_topic(OTHER, REPLY), FENCE, qos=1)
            assert await hear(other) == [build_topic(OTHER, REPLY)]
            last = build_topic(STOLEN, REPLY)
            await central.publish(last, FENCE, qos=1)
            assert await thief.heard_until(f"{last} {FENCE.decode()}") == []


@pytest.mark.parametrize("client_id", [str(OTHER), "central"])
async def test_it_says_nothing_in_anothers_name(line: Line, client_id: str) -> None:
    """Neither to central as the other box, nor to the other box as central, nor to the plugin."""
    identity = line.boxes.issue_box(STOLEN, NOW)
    async with line.central() as central, line.box(OTHER) as other:
        await subscribe(central, *CENTRAL_HEARS, CONTROL_RESPONSE)
        await subscribe(other, build_topic(OTHER, "down/#"))
        for topic in (build_topic(OTHER, UP), build_topic(OTHER, REPLY), CONTROL):
            await publish(line, identity, client_id, topic, "forged")
        await other.publish(build_topic(OTHER, UP), FENCE, qos=1)
        assert await hear(central) == []
        await central.publish(build_topic(OTHER, REPLY), FENCE, qos=1)
        assert await hear(other) == []


async def test_another_authoritys_certificate_of_the_same_name_opens_nothing(line: Line) -> None:
    """A certificate that says the box's name, of an authority that is not ours, says nothing."""
    forged = Authority(create_authority("boxes", NOW)).issue_box(STOLEN, NOW)
    async with line.central() as central, line.box(OTHER) as other:
        await subscribe(central, *CENTRAL_HEARS)
        await publish(line, forged, str(STOLEN), build_topic(STOLEN, UP), "forged")
        await other.publish(build_topic(OTHER, UP), FENCE, qos=1)
        assert await hear(central) == []


async def test_the_largest_batch_passes_and_nothing_larger(line: Line) -> None:
    """The broker takes what a box may send at most, and cuts whoever sends more."""
    from agent.transport.batches import MAX_BATCH_BYTES

    assert MAX_BATCH_BYTES + 128 * 1024 <= MOST_PACKET_BYTES
    async with line.central() as central, line.box(STOLEN) as box, line.box(OTHER) as other:
        await subscribe(central, *CENTRAL_HEARS)
        await box.publish(build_topic(STOLEN, UP), bytes(MOST_PACKET_BYTES - 1024), qos=1)
        with pytest.raises(aiomqtt.MqttError):
            await box.publish(build_topic(STOLEN, UP), bytes(MOST_PACKET_BYTES + 1), qos=1)
        await other.publish(build_topic(OTHER, UP), FENCE, qos=1)
        assert await hear(central) == [build_topic(STOLEN, UP)]
