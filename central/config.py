"""Central's configuration: one directory with ``central.toml``, its keys and its database.

``onecode-central init`` writes it. Secrets are files of their own, mode 0600.
"""

from pathlib import Path
from typing import Annotated

import msgspec

from shared.config import read_config, read_secret, seal_files

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class BrokerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker is: ``host`` is what boxes connect to and stands in its certificate."""

    host: str = "127.0.0.1"
    box_port: Port = 8883
    central_port: Port = 8884


class UsersConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a sign-in lasts: without use, and at all."""

    administrator_idle_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 15
    idle_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 480
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 12


class WebConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the API and the console are served, and the boxes' own listener.

    ``public_url`` is what people and machines type, where that is not loopback; behind TLS it
    begins with https. ``proxies`` are the addresses of those who stand before us and whose
    X-Forwarded-For is believed; without them everybody behind one is one address.
    ``frame_ancestors`` are origins that may show our pages in a frame. Rates are requests a second
    and a burst, of one token or user and of one address; the boxes' listener has its own, by
    address: a region's boxes may share one behind a NAT.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080  # 0: any free one
    public_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^/]+)?$")] = ""
    proxies: tuple[str, ...] = ()
    frame_ancestors: tuple[Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s;,]+$")], ...] = ()
    rate: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    burst: Annotated[float, msgspec.Meta(ge=1)] = 400.0
    address_rate: Annotated[float, msgspec.Meta(gt=0)] = 200.0
    address_burst: Annotated[float, msgspec.Meta(ge=1)] = 800.0
    box_host: str = "127.0.0.1"
    box_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8443
    box_rate: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    box_burst: Annotated[float, msgspec.Meta(ge=1)] = 60.0


class CentralConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything central is told. Paths are relative to the directory of ``central.toml``."""

    database: str = "sqlite:///central.db"
    dynamic_ttl_seconds: Annotated[int, msgspec.Meta(ge=10, le=255)] = 60
    broker: BrokerConfig = BrokerConfig()
    users: UsersConfig = UsersConfig()
    web: WebConfig = WebConfig()


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
        self.broker_pid = self.broker / "mosquitto.pid"
        self.revoked = self.broker / "revoked.pem"


def read_central_config(files: CentralFiles) -> CentralConfig:
    """Read and check ``central.toml``. Raises Unavailable or Malformed."""
    return read_config(files.config, CentralConfig)


def seal_secrets(files: CentralFiles) -> list[Path]:
    """Seal what only central reads; those that lie open for want of a credential.

    The broker's server key stays a file of mode 0600: Mosquitto reads it. Raises Unavailable,
    Refused, Malformed, NotAuthentic.
    """
    return seal_files((files.passphrase, files.box_ca_key, files.central_ca_key))


def read_passphrase(files: CentralFiles) -> bytes:
    """The passphrase of the key store, without a final line end. Raises Unavailable, Refused."""
    return read_secret(files.passphrase).rstrip(b"\r\n")
