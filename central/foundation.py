"""Makes a new centre: keys, authorities, the broker's files, an empty database. Once, never over.

Development keys are drawn here; a centre that takes over a nation's root key will import it.
"""

import os
import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import msgspec

from central.app import open_central
from central.config import BrokerConfig, CentralConfig, CentralFiles, WebConfig
from central.fleet.broker import build_broker_config, build_roles
from central.fleet.certificates import Authority, create_authority
from central.fleet.revocation import RevocationList
from central.keys.store import create_key_store, new_contents
from shared.config import write_secret
from shared.ehc import MAX_EXTENSION_KID
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason

_PASSPHRASE_BYTES = 32
_HOST = re.compile(r"[0-9A-Za-z:](?:[0-9A-Za-z.:-]{0,251}[0-9A-Za-z])?")
_ALWAYS_NAMED = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Foundation:
    """What a new centre is told.

    ``bind`` is the address the broker listens on, ``code_kid`` the number of the domain in the
    codes it signs, ``dynamic_ttl_seconds`` how long they are good.
    """

    broker: BrokerConfig
    bind: str = "127.0.0.1"
    code_kid: int = 1
    dynamic_ttl_seconds: int = 60
    web: WebConfig = field(default_factory=WebConfig)

    def check(self) -> None:
        """Raises Malformed (CONFIG_MALFORMED) for what could not be read back."""
        config = CentralConfig(
            dynamic_ttl_seconds=self.dynamic_ttl_seconds, broker=self.broker, web=self.web
        )
        try:
            msgspec.convert(msgspec.to_builtins(config), CentralConfig)
            ip_address(self.bind)
        except ValueError as error:
            raise Malformed(Reason.CONFIG_MALFORMED, str(error)) from error
        if not _HOST.fullmatch(self.broker.host):
            raise Malformed(Reason.CONFIG_MALFORMED, "host is a DNS name or an address")
        if not 0 <= self.code_kid <= MAX_EXTENSION_KID:
            raise Malformed(Reason.CONFIG_MALFORMED, f"kid is 0 to {MAX_EXTENSION_KID}")


def found_central(directory: Path, foundation: Foundation, at: datetime, actor: str) -> list[Path]:
    """Fill an empty or new directory; what was made. Raises Refused (ALREADY_EXISTS), Malformed,
    Unavailable (disk).
    """
    foundation.check()
    files = CentralFiles(directory.resolve())
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise Refused(Reason.ALREADY_EXISTS, f"{directory} is not empty")
        made = list(_write_files(files, foundation, at))
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(directory)) from error
    with open_central(files.directory) as central:
        with central.unit():
            central.audit.write("central.init", "central", actor, at, kid=foundation.code_kid)
        RevocationList(files, central.audit).keep(central.unit, at)
    return [*made, files.revoked, files.directory / "central.db"]


def _write_files(files: CentralFiles, foundation: Foundation, at: datetime) -> Iterator[Path]:
    broker = foundation.broker
    box_ca = create_authority("onecode boxes", at)
    central_ca = create_authority("onecode central", at)
    hosts = list(dict.fromkeys((*_ALWAYS_NAMED, broker.host)))
    server = Authority(box_ca).issue_server(hosts, at)
    central = Authority(central_ca).issue_central(at)
    passphrase = os.urandom(_PASSPHRASE_BYTES).hex().encode()
    user = pwd.getpwuid(os.geteuid()).pw_name

    for folder in (files.pki, files.broker, files.broker_data):
        folder.mkdir(mode=0o700)
    write_secret(files.passphrase, passphrase + b"\n")
    create_key_store(files.keys, new_contents(foundation.code_kid), passphrase)
    yield from (files.passphrase, files.keys)
    for identity, certificate, key in (
        (box_ca, files.box_ca, files.box_ca_key),
        (central_ca, files.central_ca, files.central_ca_key),
        (server, files.server, files.server_key),
        (central, files.central, files.central_key),
    ):
        certificate.write_bytes(identity.certificate)
        write_secret(key, identity.key)
        yield from (certificate, key)
    config = build_broker_config(files, broker, foundation.bind, user)
    files.broker_config.write_text(config, encoding="utf-8")
    write_secret(files.broker_roles, build_roles(()).encode())
    yield from (files.broker_config, files.broker_roles)
    files.config.write_text(_build_config(foundation), encoding="utf-8")
    yield files.config


def _build_config(foundation: Foundation) -> str:
    broker = foundation.broker
    return f"""# Written by onecode-central init.
database = "sqlite:///central.db"
dynamic_ttl_seconds = {foundation.dynamic_ttl_seconds}

[broker]
host = "{broker.host}"
box_port = {broker.box_port}
central_port = {broker.central_port}

[web]
port = {foundation.web.port}
box_host = "{foundation.web.box_host}"
box_port = {foundation.web.box_port}
"""
