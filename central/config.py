"""Central's configuration: one directory with ``central.toml``, its keys and its database.

``onecode-central init`` writes it. Secrets are files of their own, mode 0600.
"""

from pathlib import Path
from typing import Annotated

import msgspec

from shared.config import read_config, read_secret

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class BrokerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker is: ``host`` is what boxes connect to and stands in its certificate."""

    host: str = "127.0.0.1"
    box_port: Port = 8883
    central_port: Port = 8884


class CentralConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything central is told. Paths are relative to the directory of ``central.toml``."""

    database: str = "sqlite:///central.db"
    dynamic_ttl_seconds: Annotated[int, msgspec.Meta(ge=10, le=255)] = 60
    broker: BrokerConfig = BrokerConfig()


class CentralFiles:
    """Where central keeps its things, below its directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "central.toml"
        self.keys = directory / "keys.sealed"
        self.passphrase = directory / "passphrase"
        self.pki = directory / "pki"
        self.box_ca = self.pki / "box-ca.pem"
        self.box_ca_key = self.pki / "box-ca.key"
        self.central_ca = self.pki / "central-ca.pem"
        self.central_ca_key = self.pki / "central-ca.key"
        self.server = self.pki / "server.pem"
        self.server_key = self.pki / "server.key"
        self.central = self.pki / "central.pem"
        self.central_key = self.pki / "central.key"
        self.broker = directory / "broker"
        self.broker_config = self.broker / "mosquitto.conf"
        self.broker_roles = self.broker / "dynamic-security.json"
        self.broker_data = self.broker / "data"


def read_central_config(files: CentralFiles) -> CentralConfig:
    """Read and check ``central.toml``. Raises Unavailable or Malformed."""
    return read_config(files.config, CentralConfig)


def read_passphrase(files: CentralFiles) -> bytes:
    """The passphrase of the key store, without a final line end. Raises Unavailable, Refused."""
    return read_secret(files.passphrase).rstrip(b"\r\n")
