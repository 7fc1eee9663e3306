"""Revocation on a real Mosquitto: sessions cut, new ones refused, older lists of no use."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest

from central.fleet.certificates import Identity
from central.fleet.revocation import RevocationList, read_number, tell_broker
from central.ingest.runner import run_ingest
from central.storage.writer import Writer
from shared.exits import Exit
from shared.ids import BoxId
from shared.topics import CENTRAL_HEARS, REPLY, UP, build_topic
from tests.broker import Broker
from tests.central.fleet.house import BOX, House, open_house
from tests.central.fleet.machine import Machine
from tests.central.people import AT

OTHER = BoxId("renmin", "box2")
FENCE = b"fence"
WITHIN_SECONDS = 10.0


@dataclass
class Ward:
    """A centre and its broker, and boxes that joined by invite."""

    house: House
    broker: Broker

    def join(self, id: BoxId = BOX) -> tuple[Machine, Identity]:
        """A machine joins as this box."""
        now, machine = datetime.now(UTC), self.house.machine()
        request = machine.join_request(self.house.invite(id, at=now).text)
        return machine, machine.identity(self.house.join(request, now).certificate)

    def context(self, identity: Identity) -> ssl.SSLContext:
        """TLS with this certificate."""
        pem = self.house.central.files.directory / f"{identity.facts.serial}.pem"
        pem.write_bytes(identity.certificate + identity.key)
        context = ssl.create_default_context(cafile=self.house.central.files.box_ca)
        context.load_cert_chain(pem)
        return context

    def client(self, identity: Identity) -> aiomqtt.Client:
        """A client with this box's certificate."""
        port = self.house.central.config.broker.box_port
        return self._client(port, self.context(identity))

    def central(self) -> aiomqtt.Client:
        """A client as one of central's processes."""
        files = self.house.central.files
        context = ssl.create_default_context(cafile=files.box_ca)
        context.load_cert_chain(files.central, files.central_key)
        return self._client(self.house.central.config.broker.central_port, context)

    async def is_refused(self, identity: Identity) -> bool:
        """Whether the broker refuses a new session for this certificate in the handshake."""
        port = self.house.central.config.broker.box_port
        reader, writer = await asyncio.open_connection(
            "localhost", port, ssl=self.context(identity)
        )
        # MQTT's CONNECT with an empty client id: a broker that takes the certificate answers it.
        writer.write(b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00")
        try:
            return not await reader.read(1)
        except (ssl.SSLError, ConnectionResetError):  # the alert, or the end behind it
            return True
        finally:
            writer.close()

    async def command(self, *arguments: str) -> int:
        """Run ``onecode-central`` in a process of its own."""
        directory = str(self.house.central.files.directory)
        words = ("-m", "central", "--dir", directory, *arguments)
        process = await asyncio.create_subprocess_exec(sys.executable, *words)
        return await process.wait()

    @staticmethod
    def _client(port: int, context: ssl.SSLContext) -> aiomqtt.Client:
        return aiomqtt.Client(
            "localhost",
            port,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=context,
            timeout=5,
        )


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with open_house(tmp_path / "central", datetime.now(UTC)) as house:
        files, config = house.central.files, house.central.config.broker
        ports = (config.box_port, config.central_port)
        with Broker(files.broker_config, ports, tmp_path / "broker.log") as broker:
            yield Ward(house, broker)


@asynccontextmanager
async def serving(ward: Ward) -> AsyncIterator[None]:
    """Central's ingest, which keeps admissions and the list."""
    ready = asyncio.Event()
    async with Writer(ward.house.central.database) as writer:
        task = asyncio.create_task(run_ingest(ward.house.central, writer, ready=ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        assert not task.done(), "central's ingest ended"
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))


@asynccontextmanager
async def admitted(ward: Ward, id: BoxId, identity: Identity) -> AsyncIterator[aiomqtt.Client]:
    """A session that may hear its own topics: tried until the broker lets it, as a box does."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while (client := await _enter(ward, id, identity)) is None:
            pass
    try:
        yield client
    finally:
        await _leave(client)


async def _enter(ward: Ward, id: BoxId, identity: Identity) -> aiomqtt.Client | None:
    """A session that is subscribed; None where the broker does not let it."""
    client = ward.client(identity)
    with suppress(aiomqtt.MqttError):
        await client.__aenter__()
        (code,) = await client.subscribe(build_topic(id, "down/#"), qos=1)
        if not isinstance(code, int) and not code.is_failure:
            return client
        await _leave(client)
    return None


async def _leave(client: aiomqtt.Client) -> None:
    with suppress(aiomqtt.MqttError):  # where it was cut
        await client.__aexit__(None, None, None)


async def hear(client: aiomqtt.Client) -> list[str]:
    """The topics delivered before the fence."""
    topics: list[str] = []
    async with asyncio.timeout(WITHIN_SECONDS):
        async for message in client.messages:
            if message.payload == FENCE:
                return topics
            topics.append(str(message.topic))
    raise AssertionError("the line ended")


async def cut(client: aiomqtt.Client) -> None:
    """Wait until the broker ends the session."""
    async with asyncio.timeout(WITHIN_SECONDS):
        with pytest.raises(aiomqtt.MqttError):
            await anext(client.messages)


async def test_a_revoked_box_is_cut_and_kept_out_within_ten_seconds(ward: Ward) -> None:
    """From the command on: the live session ends, a new one is refused in the handshake, and the
    box beside it goes on undisturbed."""
    (_, stolen), (_, honest) = ward.join(BOX), ward.join(OTHER)
    async with serving(ward), admitted(ward, OTHER, honest) as witness:
        async with admitted(ward, BOX, stolen) as box, asyncio.timeout(WITHIN_SECONDS):
            assert not await ward.is_refused(stolen)
            await cut(box)  # by this probe: one certificate, one session
        async with admitted(ward, BOX, stolen) as box, asyncio.timeout(WITHIN_SECONDS):
            words = ("box", "revoke", str(BOX), "--why", "stolen from the counter")
            assert await ward.command(*words) == Exit.HELD
            await cut(box)
            assert await ward.is_refused(stolen)
        async with ward.central() as central:
            await central.publish(build_topic(OTHER, REPLY), FENCE, qos=1)
            assert await hear(witness) == []


async def test_an_older_list_put_back_opens_no_topic_and_is_seen(ward: Ward) -> None:
    """With the old list the handshake works and nothing is delivered either way; central's next
    look writes the list anew, and the audit tells."""
    files = ward.house.central.files
    older = files.revoked.read_bytes()
    (_, stolen), (_, honest) = ward.join(BOX), ward.join(OTHER)
    async with serving(ward), admitted(ward, OTHER, honest), admitted(ward, BOX, stolen) as box:
        assert await ward.command("box", "revoke", str(BOX), "--why", "x") == 0
        await cut(box)
    newer = files.revoked.read_bytes()
    assert read_number(older) == 1
    assert read_number(newer) == 2
    files.revoked.write_bytes(older)
    ward.broker.restart()
    assert not await ward.is_refused(stolen)
    async with ward.central() as central, ward.client(honest) as witness:
        await central.subscribe([(topic, 1) for topic in CENTRAL_HEARS])
        await witness.subscribe(build_topic(OTHER, "down/#"), qos=1)
        async with ward.client(stolen) as back:
            await back.subscribe([(build_topic(BOX, "down/#"), 1), (CENTRAL_HEARS[0], 1)])
            await back.publish(build_topic(BOX, UP), b"forged", qos=0)
            await central.publish(build_topic(BOX, REPLY), b"secret", qos=1)
            await witness.publish(build_topic(OTHER, UP), FENCE, qos=1)
            assert await hear(central) == []
            assert len(back.messages) == 0
    async with serving(ward), asyncio.timeout(WITHIN_SECONDS):
        while not await ward.is_refused(stolen):
            pass
    assert files.revoked.read_bytes() == newer
    assert "revocation-list.put-back" in ward.house.acts()


def test_a_list_that_cannot_be_written_over_is_told_once(house: House) -> None:
    """A full disk fills no audit; the next time that a list is put back is another time."""
    files, unit = house.central.files, house.central.unit
    lists = RevocationList(files, house.central.audit)
    for times in (1, 2):
        lists.keep(unit, AT)
        files.revoked.write_bytes(b"older")
        for _ in range(3):
            with unit():
                assert lists.look(AT) is not None
        assert house.acts().count("revocation-list.put-back") == times


async def test_a_replaced_machine_is_cut_for_good(ward: Ward) -> None:
    """The former machine's session ends and its certificate opens nothing; the new one is in."""
    _, former = ward.join()
    async with serving(ward), admitted(ward, BOX, former) as box:
        newer = await asyncio.to_thread(_join_elsewhere, ward)
        await cut(box)
        async with admitted(ward, BOX, newer) as replaced, ward.central() as central:
            assert await ward.is_refused(former)
            await central.publish(build_topic(BOX, REPLY), FENCE, qos=1)
            assert await hear(replaced) == []


def _join_elsewhere(ward: Ward) -> Identity:
    """Join in another thread's connection, as another process would."""
    try:
        return ward.join()[1]
    finally:
        ward.house.central.database.close()


async def test_a_box_shut_out_while_the_broker_was_away_is_expelled_at_its_return(
    ward: Ward,
) -> None:
    """Roles from before do not live on: the first look of a connection expels."""
    _, stolen = ward.join()
    async with serving(ward), admitted(ward, BOX, stolen):
        pass
    files = ward.house.central.files
    roles = files.broker_roles.read_bytes()
    ward.broker.stop()
    assert await ward.command("box", "revoke", str(BOX), "--why", "x") == 0
    files.broker_roles.write_bytes(roles)  # as if the broker's own copy were a day old
    ward.broker.start()
    async with serving(ward), asyncio.timeout(WITHIN_SECONDS):
        while str(BOX) in files.broker_roles.read_text():
            assert await ward.command("broker", "refresh") == Exit.HELD
    assert await ward.is_refused(stolen)


def test_a_list_is_made_anew_before_its_end(house: House) -> None:
    """Half a year on there is a new number, or the broker would refuse every box one day."""
    database = house.central.database
    revocations = RevocationList(house.central.files, house.central.audit)
    later = AT + timedelta(days=200)
    assert not revocations.keep(database.unit, AT)
    assert read_number(house.central.files.revoked.read_bytes()) == 1
    revocations.keep(database.unit, later)
    assert read_number(house.central.files.revoked.read_bytes()) == 2
    with database.unit():
        assert revocations.look(later) is None


def test_only_a_broker_is_told(tmp_path: Path) -> None:
    """A pid file that is missing, rubbish, of a dead process or of another program: nobody is
    signalled."""
    pid = tmp_path / "pid"
    assert not tell_broker(pid)
    for text in ("", "x", "0", "999999999", str(os.getpid())):
        pid.write_text(text)
        assert not tell_broker(pid)


async def test_every_list_counts_however_soon_after_the_former(ward: Ward) -> None:
    """Three revocations in one moment: each list replaces the former at the running broker."""
    boxes = [BoxId("renmin", f"box{number}") for number in range(3)]
    identities = [ward.join(box)[1] for box in boxes]
    central, at = ward.house.central, datetime.now(UTC)
    revocations = RevocationList(central.files, central.audit)
    for box, identity in zip(boxes, identities, strict=True):
        with central.database.unit():
            central.fleet.revoke(box, "x", at, "test")
        assert revocations.keep(central.database.unit, at)
        async with asyncio.timeout(WITHIN_SECONDS):
            while not await ward.is_refused(identity):
                pass
