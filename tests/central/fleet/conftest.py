"""A centre's authorities and a broker with the generated configuration, for the fleet's tests."""

import getpass
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from central.config import BrokerConfig, CentralFiles
from central.fleet.broker import build_broker_config, build_roles
from central.fleet.certificates import Authority, Identity, create_authority
from shared.ids import BoxId
from tests.broker import Broker, free_ports
from tests.central.fleet.house import House, open_house

KNOWN = (BoxId("site1", "box1"), BoxId("site1", "box2"), BoxId("site2", "box1"))


@dataclass
class Line:
    """A running broker and the way in, for a box or for central."""

    files: CentralFiles
    config: BrokerConfig
    broker: Broker
    boxes: Authority
    centrals: Authority

    def context(self, identity: Identity) -> ssl.SSLContext:
        """TLS with this certificate, which checks the broker's name."""
        pem = self.files.directory / f"{identity.facts.serial}.pem"
        pem.write_bytes(identity.certificate + identity.key)
        context = ssl.create_default_context(cafile=self.files.box_ca)
        context.load_cert_chain(pem)
        return context

    def connect(self, identity: Identity, port: int, client_id: str = "") -> aiomqtt.Client:
        """A client with this certificate."""
        return aiomqtt.Client(
            "localhost",
            port,
            identifier=client_id or None,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=self.context(identity),
            timeout=5,
        )

    def box(self, box: BoxId, client_id: str = "") -> aiomqtt.Client:
        """A client as this box."""
        identity = self.boxes.issue_box(box, datetime.now(UTC))
        return self.connect(identity, self.config.box_port, client_id)

    def central(self) -> aiomqtt.Client:
        """A client as one of central's processes."""
        return self.connect(
            self.centrals.issue_central(datetime.now(UTC)), self.config.central_port
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "central") as house:
        yield house


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    files = CentralFiles(tmp_path)
    now = datetime.now(UTC)
    files.pki.mkdir()
    files.broker_data.mkdir(parents=True)
    box_ca, central_ca = create_authority("boxes", now), create_authority("central", now)
    boxes, centrals = Authority(box_ca), Authority(central_ca)
    server = boxes.issue_server(["localhost", "127.0.0.1"], now)
    files.box_ca.write_bytes(box_ca.certificate)
    files.central_ca.write_bytes(central_ca.certificate)
    files.server.write_bytes(server.certificate)
    files.server_key.write_bytes(server.key)
    files.revoked.write_bytes(boxes.build_revocation_list(1, [], now))
    config = BrokerConfig("localhost", *free_ports(2))
    text = build_broker_config(files, config, "127.0.0.1", getpass.getuser())
    files.broker_config.write_text(text)
    files.broker_roles.write_text(build_roles(KNOWN))
    ports = [config.box_port, config.central_port]
    with Broker(files.broker_config, ports, tmp_path / "broker.log") as broker:
        yield Line(files, config, broker, boxes, centrals)
